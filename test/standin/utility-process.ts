// utilityProcess: a Node child with Electron's parentPort, message ports included. Has no stdin, as in Electron.
import { type ChildProcess, fork, type StdioOptions } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { app, utilityChildren } from './app.ts'
import { decode, encode, type Encoded } from './clone.ts'
import { KnownEmitter, onlyKnown, onlyKnownOptions, unknownPart } from './known.ts'
import { type MessagePortMain, type PortFrame, PortTable } from './ports.ts'

/** Frames between the main process and a utility process. */
export type UtilityFrame = PortFrame | { t: 'message'; v: Encoded; ports: number[] }

interface ForkOptions {
  env?: NodeJS.ProcessEnv
  execArgv?: string[]
  cwd?: string
  stdio?: 'pipe' | 'ignore' | 'inherit' | ('pipe' | 'ignore' | 'inherit')[]
  serviceName?: string
}

class UtilityProcess extends KnownEmitter {
  readonly stdout: Readable | null
  readonly stderr: Readable | null
  private readonly child: ChildProcess
  private readonly ports: PortTable
  private alive = true

  constructor(child: ChildProcess, serviceName: string) {
    super('UtilityProcess', ['spawn', 'message', 'exit', 'error'])
    this.child = child
    this.stdout = child.stdout
    this.stderr = child.stderr
    this.ports = new PortTable((frame) => this.post(frame), 2)
    child.on('spawn', () => this.emit('spawn'))
    child.on('message', (frame) => this.receive(frame as UtilityFrame))
    child.on('exit', (code, signal) => this.onExit(code ?? constants.signals[signal ?? 'SIGTERM'], serviceName))
  }

  get pid(): number | undefined {
    return this.alive ? this.child.pid : undefined
  }

  postMessage(value: unknown, transfer: MessagePortMain[] = []): void {
    const frame = { t: 'message' as const, v: encode(value), ports: transfer.map((port) => this.ports.give(port)) }
    this.post(frame)
  }

  kill(): boolean {
    return this.child.kill()
  }

  private post(frame: UtilityFrame): void {
    if (this.child.connected) this.child.send(frame)
  }

  private receive(frame: UtilityFrame): void {
    if (frame.t !== 'message') this.ports.receive(frame)
    else if (frame.ports.length > 0) throw unknownPart('ports sent by a utility process to the main process')
    else this.emit('message', decode(frame.v))
  }

  private onExit(code: number, serviceName: string): void {
    this.alive = false
    utilityChildren.delete(this)
    this.ports.closeAll()
    const reason = code === 0 ? 'clean-exit' : code === constants.signals.SIGKILL ? 'killed' : 'abnormal-exit'
    app.emit('child-process-gone', {}, { type: 'Utility', reason, exitCode: code, serviceName, name: serviceName })
    this.emit('exit', code)
  }
}

export const utilityProcess = onlyKnown('utilityProcess', {
  fork(module: string, args: string[] = [], options: ForkOptions = {}): UtilityProcess {
    if (!app.isReady()) throw new Error('utilityProcess cannot be created before app is ready.')
    onlyKnownOptions('utilityProcess.fork', options, [
      'env',
      'execArgv',
      'cwd',
      'stdio',
      'serviceName',
      'allowLoadingUnsignedLibraries',
    ])
    const { stdio = 'inherit' } = options
    const [, out = 'inherit', error = 'inherit'] = typeof stdio === 'string' ? [stdio, stdio, stdio] : stdio
    const child = fork(module, args, {
      env: options.env ?? process.env,
      cwd: options.cwd,
      execArgv: [
        '--disable-warning=ExperimentalWarning',
        '-r',
        join(import.meta.dirname, 'utility-child.ts'),
        ...(options.execArgv ?? []),
      ],
      stdio: ['ignore', out, error, 'ipc'] satisfies StdioOptions,
    })
    const utility = new UtilityProcess(child, options.serviceName ?? 'Node Utility Process')
    utilityChildren.add(utility)
    return utility
  },
})
