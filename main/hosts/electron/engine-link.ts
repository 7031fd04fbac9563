// The main process's hold on the engine's process: starts it, gives windows their ports, restarts it when it dies, ends it within a
// bound. Invariant: nothing is posted before the process listens or after it is gone.

import { fileURLToPath } from 'node:url'
import { MessageChannelMain, type MessagePortMain, utilityProcess, type UtilityProcess } from 'electron'
import type { ErrorFrame } from '../../contract/errors.ts'
import type { Settings } from '../../contract/workspace.ts'
import type { FromEngine, ToEngine } from './messages.ts'
import { WorkerForks } from './worker-forks.ts'

/** The engine stops its job at a safe point within 10 s; then it is ended. */
const closeBoundMs = 13_000
/** More deaths than this within the time below, and the app gives up. */
const maxRestarts = 3
const restartWindowMs = 5 * 60_000

export interface EngineLinkEvents {
  /** The engine cannot start on this data folder, or died too often. */
  onFailed: (error: ErrorFrame) => void
  /** A new engine has taken the place of one that died: windows must connect again. */
  onRestarted: () => void
  onLanguage: (language: Settings['language']) => void
}

export class EngineLink {
  readonly #dataDir: string
  readonly #events: EngineLinkEvents
  readonly #forks = new WorkerForks((message) => this.post(message))
  #child: UtilityProcess | null = null
  #waiting: { message: ToEngine; ports: MessagePortMain[] }[] | null = []
  #deaths: number[] = []
  #isClosing = false
  #ended: Promise<void> = Promise.resolve()

  constructor(dataDir: string, events: EngineLinkEvents) {
    this.#dataDir = dataDir
    this.#events = events
    this.#start()
  }

  /** Sends a message, as soon as the engine's process listens. */
  post(message: ToEngine, ports: MessagePortMain[] = []): void {
    if (this.#waiting) this.#waiting.push({ message, ports })
    else this.#child?.postMessage(message, ports)
  }

  /** One end of a new connection to the engine. */
  connect(): MessagePortMain {
    const { port1, port2 } = new MessageChannelMain()
    this.post({ kind: 'window' }, [port1])
    return port2
  }

  /** Ends the engine: kindly first, within a bound. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.post({ kind: 'close' })
    const bound = setTimeout(() => this.#child?.kill(), closeBoundMs)
    await this.#ended
    clearTimeout(bound)
  }

  #start(): void {
    const entry = fileURLToPath(new URL('./engine-process.ts', import.meta.url))
    const child = utilityProcess.fork(entry, [this.#dataDir], { serviceName: 'labdesk engine' })
    this.#child = child
    this.#waiting ??= []
    child.on('message', (message: FromEngine) => this.#take(message))
    this.#ended = new Promise((done) => {
      child.on('exit', () => {
        // First: nothing may be posted to a child that is going.
        this.#child = null
        this.#waiting = []
        this.#forks.endAll()
        done()
        if (!this.#isClosing) this.#onDeath()
      })
    })
  }

  #take(message: FromEngine): void {
    if (this.#forks.take(message)) return
    if (message.kind === 'listening') {
      const waiting = this.#waiting ?? []
      this.#waiting = null
      for (const one of waiting) this.#child?.postMessage(one.message, one.ports)
    }
    if (message.kind === 'language') this.#events.onLanguage(message.language)
    if (message.kind === 'failed') {
      this.#isClosing = true
      this.#events.onFailed(message.error)
    }
  }

  #onDeath(): void {
    const now = Date.now()
    this.#deaths = [...this.#deaths.filter((atMs) => now - atMs < restartWindowMs), now]
    if (this.#deaths.length > maxRestarts) {
      this.#events.onFailed({
        code: 'worker-died',
        message: 'The engine of Labdesk ended several times in a row.',
        remedy: 'Start Labdesk again; jobs can be resumed. If it returns, report it with the log.',
      })
      return
    }
    this.#start()
    this.#events.onRestarted()
  }
}
