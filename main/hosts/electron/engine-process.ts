// The engine in a utility process of its own: SQLite and pipelines never hold up the window. Windows reach it through ports; the
// first argument is the data folder. Ends when the main process says so, or is gone.

import { noteBlocked } from '../../compute/offline-guard.ts'
import type { MessagePortMain } from 'electron'
import type { EngineEvent } from '../../contract/api.ts'
import { toAppError } from '../../contract/errors.ts'
import { type Port, serveEngine } from '../../contract/rpc.ts'
import { createEngine, type Engine } from '../../engine.ts'
import { openDoor } from '../node/local-socket.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import { RemoteWorkers } from './remote-workers.ts'

const offlineMeasures = [
  "Window: its session lets only the app's own files through; every other request is refused and listed here.",
  'Window: its content security policy, and name resolution switched off, keep the page from reaching anything else.',
]

const { parentPort } = process
const post = (message: FromEngine) => parentPort.postMessage(message)
const workers = new RemoteWorkers(post)
const dataDir = process.argv[2] ?? ''

parentPort.on('message', ({ data, ports }) => {
  const message = data as ToEngine
  if (workers.take(message)) return
  if (message.kind === 'blocked') noteBlocked(message.attempt)
  if (message.kind === 'window' && ports[0]) void serveWindow(ports[0])
  if (message.kind === 'close') void close()
})
post({ kind: 'listening' })

const starting = start()

async function start(): Promise<{ engine: Engine; closeDoor: () => void } | null> {
  const log = (line: string) => console.error(line)
  try {
    const spawnWorker = (entry: URL) => workers.spawn(entry)
    const engine = await createEngine({ dataDir, host: 'electron', offlineMeasures, spawnWorker, log })
    const door = await openDoor(engine, dataDir, log)
    await tellLanguage(engine)
    engine.onEvent((event: EngineEvent) => {
      if (event.kind === 'changed' && event.what === 'settings') void tellLanguage(engine)
    })
    post({ kind: 'ready' })
    return { engine, closeDoor: () => door.close() }
  } catch (thrown) {
    post({ kind: 'failed', error: toAppError(thrown).toFrame() })
    return null
  }
}

async function tellLanguage(engine: Engine): Promise<void> {
  const { language } = await engine.call('settings.get', {})
  post({ kind: 'language', language })
}

/** What a window sends before the engine is open waits in its port. */
async function serveWindow(port: MessagePortMain): Promise<void> {
  const started = await starting
  if (!started) return port.close()
  const rpcPort: Port = {
    post: (frame) => port.postMessage(frame),
    onMessage: (listener) => void port.on('message', (event) => listener(event.data)),
    onClose: (listener) => void port.on('close', listener),
  }
  serveEngine(started.engine, rpcPort)
  port.start()
}

async function close(): Promise<void> {
  const started = await starting
  started?.closeDoor()
  await started?.engine.close()
  process.exit(0)
}
