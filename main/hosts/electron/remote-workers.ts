// The engine's side of relayed workers: looks like a forked process, is a conversation with the main process.

import { fileURLToPath } from 'node:url'
import type { WorkerExit, WorkerProcess } from '../../compute/worker-process.ts'
import type { FromEngine, ToEngine } from './messages.ts'

/** Characters of a worker's standard error kept for an error's detail. */
const keptStderr = 4000

interface Remote {
  pid: number | null
  stderr: string
  exit: WorkerExit | null
  onMessage: ((message: unknown) => void)[]
  onExit: ((exit: WorkerExit) => void)[]
}

export class RemoteWorkers {
  readonly #post: (message: FromEngine) => void
  readonly #remotes = new Map<number, Remote>()
  #lastId = 0

  constructor(post: (message: FromEngine) => void) {
    this.#post = post
  }

  /** Asks for a worker; it counts as running from now on, and messages wait for it. */
  spawn(entry: URL): WorkerProcess {
    const id = ++this.#lastId
    const remote: Remote = { pid: null, stderr: '', exit: null, onMessage: [], onExit: [] }
    this.#remotes.set(id, remote)
    this.#post({ kind: 'worker.spawn', id, entry: fileURLToPath(entry) })
    return {
      get pid() {
        return remote.pid
      },
      post: (message) => {
        if (!remote.exit) this.#post({ kind: 'worker.post', id, message })
      },
      onMessage: (listener) => void remote.onMessage.push(listener),
      onExit: (listener) => {
        if (remote.exit) listener(remote.exit)
        else remote.onExit.push(listener)
      },
      lastWords: () => remote.stderr,
      kill: (signal) => this.#post({ kind: 'worker.kill', id, signal }),
    }
  }

  /** Acts on the main process's messages about workers; false for other messages. */
  take(message: ToEngine): boolean {
    if (!message.kind.startsWith('worker.')) return false
    const remote = 'id' in message ? this.#remotes.get(message.id) : undefined
    if (!remote) return true
    if (message.kind === 'worker.started') remote.pid = message.pid
    if (message.kind === 'worker.message') for (const listener of remote.onMessage) listener(message.message)
    if (message.kind === 'worker.stderr') remote.stderr = (remote.stderr + message.text).slice(-keptStderr)
    if (message.kind === 'worker.exit') {
      this.#remotes.delete(message.id)
      remote.exit = { code: message.code, signal: null }
      for (const listener of remote.onExit) listener(remote.exit)
    }
    return true
  }
}
