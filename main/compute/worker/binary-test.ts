// node-llama-cpp tries each of its binaries in a forked Node before loading it. A utility process of Electron cannot fork a Node (the
// app's fuses forbid it) and the attempt hangs. There the answer is given at once: this worker is expendable and is itself the test.

import childProcess from 'node:child_process'
import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'

/** Answers node-llama-cpp's test forks with "passed"; other forks go through. */
export function passBinaryTests(): void {
  const { fork } = childProcess
  const answering = (modulePath: string, ...rest: never[]) =>
    modulePath.includes('testBindingBinary') ? new PassedTest() : fork(modulePath, ...rest)
  childProcess.fork = answering as typeof fork
  syncBuiltinESMExports()
}

/** Plays the forked process's part of the conversation. */
class PassedTest extends EventEmitter {
  exitCode: number | null = null
  readonly killed = false
  readonly stdout = null
  readonly stderr = null

  constructor() {
    super()
    setImmediate(() => this.emit('message', { type: 'ready' }))
  }

  send({ type }: { type: string }): void {
    if (type === 'exit') {
      this.exitCode = 0
      setImmediate(() => this.emit('exit', 0))
    } else setImmediate(() => this.emit('message', { type: type === 'start' ? 'loaded' : 'done' }))
  }

  kill(): boolean {
    return true
  }
}
