// The main process's side of relayed workers: forks what the engine's process asks for, since only the main process can. Knows nothing
// of what is said. Invariant: every fork that was asked for is reported ended once.

import { utilityProcess, type UtilityProcess } from 'electron'
import { workerEnvironment } from '../../compute/worker-process.ts'
import type { FromEngine, ToEngine } from './messages.ts'

/** Forks workers on the engine's behalf; lives in the main process. */
export class WorkerForks {
  readonly #post: (message: ToEngine) => void
  readonly #children = new Map<number, UtilityProcess>()

  constructor(post: (message: ToEngine) => void) {
    this.#post = post
  }

  /** Acts on the engine's messages about workers; false for other messages. */
  take(message: FromEngine): boolean {
    if (message.kind === 'worker.spawn') this.#spawn(message.id, message.entry)
    else if (message.kind === 'worker.post') this.#children.get(message.id)?.postMessage(message.message)
    else if (message.kind === 'worker.kill') this.#kill(message.id, message.signal)
    else return false
    return true
  }

  /** The engine's process is gone, and nobody is left to answer to. */
  endAll(): void {
    for (const id of this.#children.keys()) this.#kill(id, 'SIGKILL')
  }

  #spawn(id: number, entry: string): void {
    const env = { ...process.env, ...workerEnvironment() }
    const child = utilityProcess.fork(entry, [], {
      serviceName: 'labdesk model worker',
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    })
    this.#children.set(id, child)
    child.on('spawn', () => this.#post({ kind: 'worker.started', id, pid: child.pid ?? 0 }))
    child.on('message', (message: unknown) => this.#post({ kind: 'worker.message', id, message }))
    child.stderr?.on('data', (text: Buffer) => this.#post({ kind: 'worker.stderr', id, text: text.toString('utf8') }))
    child.on('exit', (code) => {
      // First: nothing may be posted to a child that is going.
      this.#children.delete(id)
      this.#post({ kind: 'worker.exit', id, code })
    })
  }

  #kill(id: number, signal: 'SIGTERM' | 'SIGKILL'): void {
    const child = this.#children.get(id)
    if (!child?.pid) return
    if (signal === 'SIGTERM') child.kill()
    else process.kill(child.pid, 'SIGKILL')
  }
}
