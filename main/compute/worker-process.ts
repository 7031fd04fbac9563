// The port through which a supervisor sees a child process: post, listen, end. Hosts may supply another one (Electron's
// utilityProcess); the default forks the running Node. Invariant: `onExit` fires exactly once, whatever ended the child.

import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

/** A running child process that speaks structured-clone messages. */
export interface WorkerProcess {
  readonly pid: number | null
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  onExit(listener: (exit: WorkerExit) => void): void
  /** Last lines the child wrote to its standard error. */
  lastWords(): string
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}
export interface WorkerExit {
  code: number | null
  signal: string | null
}
export type SpawnWorker = () => WorkerProcess

/** A thread for each core samples tokens; a crash writes no backtrace, which would take minutes. */
export function workerEnvironment(): Record<string, string> {
  return { GGML_NO_BACKTRACE: '1', UV_THREADPOOL_SIZE: String(Math.min(16, availableParallelism())) }
}

/** Characters of standard error kept for an error's detail. */
const keptStderr = 4000

/** Forks `modulePath` with the Node that runs now (also inside Electron, told to act as Node). */
export function forkWorker(modulePath: string | URL): WorkerProcess {
  const path = modulePath instanceof URL ? fileURLToPath(modulePath) : modulePath
  const env: NodeJS.ProcessEnv = { ...process.env, ...workerEnvironment() }
  if (process.versions.electron) env.ELECTRON_RUN_AS_NODE = '1'
  const child = fork(path, [], {
    env,
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptStderr)
  })
  const exitListeners: ((exit: WorkerExit) => void)[] = []
  let exited: WorkerExit | null = null
  const settle = (exit: WorkerExit) => {
    if (exited) return
    exited = exit
    for (const listener of exitListeners) listener(exit)
  }
  child.once('exit', (code, signal) => settle({ code, signal }))
  // A child that could not be started emits only `error`; a post after its death does too and is answered by `exit`.
  child.on('error', (error) => {
    stderr += `${error.message}\n`
    if (child.pid === undefined) settle({ code: null, signal: null })
  })
  return {
    pid: child.pid ?? null,
    post: (message) => {
      if (child.connected) child.send(message as object)
    },
    onMessage: (listener) => child.on('message', listener),
    onExit: (listener) => {
      if (exited) listener(exited)
      else exitListeners.push(listener)
    },
    lastWords: () => stderr,
    kill: (signal) => child.kill(signal),
  }
}
