// Ends this process from a thread of its own when the document being read makes no progress or takes too much memory: a parser that is
// busy cannot stop itself. The thread's source is text, so that it needs no file of its own in a packaged app.

import { Worker } from 'node:worker_threads'
import { lastWords, type ReadLimits } from '../document-messages.ts'

/** Slots of the shared memory. */
const [beats, stallMs, memoryMb] = [0, 1, 2]

export interface Watchdog {
  /** From now on a document is being read. */
  watch(limits: ReadLimits): void
  /** The document being read went on. */
  beat(): void
  rest(): void
}

/** Starts the thread. It rests until told to watch. */
export function startWatchdog(): Watchdog {
  const shared = new Int32Array(new SharedArrayBuffer(12))
  const thread = new Worker(threadSource, { eval: true, workerData: { shared, lastWords } })
  thread.unref()
  return {
    watch(limits) {
      Atomics.store(shared, memoryMb, Math.ceil(limits.memoryBytes / 2 ** 20))
      Atomics.store(shared, stallMs, limits.stallMs)
      Atomics.add(shared, beats, 1)
    },
    beat: () => void Atomics.add(shared, beats, 1),
    rest: () => void Atomics.store(shared, stallMs, 0),
  }
}

// Processor time, not the clock's: on a machine that is busy with a training a healthy parser only seems to stand still.
const threadSource = `
const { workerData } = require('node:worker_threads')
const { writeSync } = require('node:fs')
const { shared, lastWords } = workerData
let seen = -1
let since = 0
const spentMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
const end = (words) => { try { writeSync(2, words + '\\n') } finally { process.kill(process.pid, 'SIGKILL') } }
setInterval(() => {
  const stallMs = Atomics.load(shared, ${stallMs})
  if (stallMs === 0) return
  if (process.memoryUsage.rss() > Atomics.load(shared, ${memoryMb}) * 2 ** 20) end(lastWords.memory)
  const beats = Atomics.load(shared, ${beats})
  if (beats !== seen) { seen = beats; since = spentMs() }
  else if (spentMs() - since > stallMs) end(lastWords.stalled)
}, 25)
`
