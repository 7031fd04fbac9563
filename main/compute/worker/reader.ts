// Entry of the document reader's process: turns untrusted bytes into Markdown, one document at a time. Owns no durable data, opens no
// connection, and may be killed at any moment; ends at once when its parent is gone.

import { onBlocked } from '../offline-guard.ts'
import { toAppError } from '../../contract/errors.ts'
import type { FromReader, ReadRequest, ToReader } from '../document-messages.ts'
import { readAnyDocument } from '../reader/read-document.ts'
import { startWatchdog } from '../reader/watchdog.ts'
import { openParentPort } from './parent-port.ts'

const watchdog = startWatchdog()
let queue: Promise<void> = Promise.resolve()

const post = openParentPort<ToReader, FromReader>(({ request }) => {
  queue = queue.then(() => read(request))
})

async function read({ id, name, bytes, limits }: ReadRequest): Promise<void> {
  watchdog.watch(limits)
  const onProgress = () => {
    watchdog.beat()
    post({ kind: 'progress', id })
  }
  try {
    const document = await readAnyDocument(name, bytes, onProgress)
    post({ kind: 'read', id, document, memoryBytes: process.memoryUsage.rss() })
  } catch (thrown) {
    post({ kind: 'refused', id, error: toAppError(thrown).toFrame(), memoryBytes: process.memoryUsage.rss() })
  } finally {
    watchdog.rest()
  }
}

// A parser that leaves a rejected promise behind has told of the failure elsewhere, or stands still, which is seen.
process.on('unhandledRejection', () => undefined)
onBlocked((attempt) => post({ kind: 'blocked', attempt }))
post({ kind: 'ready' })
