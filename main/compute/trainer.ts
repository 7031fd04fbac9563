// The client of the native trainer: one child process, requests answered in order and free to be pipelined. Owns the process and its
// end; the frames' meaning is trainer-protocol.ts. Invariant: when the process is gone every open request has been rejected.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { AppError, type ErrorCode } from '../contract/errors.ts'
import { encodeFrame, type Frame, FrameReader } from './trainer-frames.ts'
import type {
  CheckpointReply,
  CombineRequest,
  DevicesReply,
  EvaluateReply,
  ExportReply,
  ExportRequest,
  GradientsReply,
  LoadReply,
  LoadRequest,
  MicrobatchHead,
  OpenReply,
  OpenRequest,
  PreferenceStepReply,
  StepReply,
  TrainerErrorCode,
  TrainerErrorFrame,
  TrainerRequest,
} from './trainer-protocol.ts'

/** One packed microbatch with its data: tokens[i] is predicted with weight weights[i]; both as long as the rows together. */
export interface Microbatch extends MicrobatchHead {
  tokens: Int32Array
  weights: Float32Array
}

export interface OpenTrainerOptions {
  executable: string
  libraryDir: string
  threads: number
  onLog?: (line: string) => void
  /** Force an instruction set, for tests. */
  isa?: 'avx512' | 'avx2' | 'portable'
  /** Train on a device of the library's backends; see OpenRequest. */
  device?: OpenRequest['device']
}

/** Starts a trainer and opens its library. Throws `trainer-missing`, `trainer-failed` or `worker-died`. */
export async function openTrainer(options: OpenTrainerOptions): Promise<Trainer> {
  const { executable, libraryDir, threads, isa, device } = options
  const child = spawn(executable, [], { stdio: 'pipe' })
  const trainer = new Trainer(child, options)
  try {
    const opened = await trainer.request<OpenReply>({
      kind: 'open',
      libraryDir,
      threads,
      ...(isa ? { isa } : {}),
      ...(device ? { device } : {}),
    })
    trainer.isa = opened.isa
  } catch (error) {
    await trainer.close()
    throw error
  }
  return trainer
}

interface Waiting {
  resolve: (frame: Frame) => void
  reject: (error: AppError) => void
}

/** How long a trainer may take to finish its step after its input ended. */
const closeWaitMs = 15_000
const keptStderr = 4000

/** A running trainer. Requests may be issued without waiting for the earlier ones; they are answered in order. */
export class Trainer {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly waiting = new Map<number, Waiting>()
  private readonly ended: Promise<void>
  private readonly reader = new FrameReader()
  private lastId = 0
  private lastWords = ''
  private failure: AppError | null = null
  /** The instruction set its kernels use: avx512, avx2 or portable. */
  isa = ''

  constructor(child: ChildProcessWithoutNullStreams, options: OpenTrainerOptions) {
    this.child = child
    this.listen(options.onLog)
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => {
        if (child.pid !== undefined) return
        this.end(notStarted(options.executable, error))
        resolve()
      })
      child.once('close', (code, signal) => {
        this.end(died(code, signal, this.lastWords))
        resolve()
      })
    })
  }

  /** Process id, for tests and logs. */
  get pid(): number | undefined {
    return this.child.pid
  }

  async load(request: Omit<LoadRequest, 'kind'>): Promise<LoadReply> {
    return this.request<LoadReply>({ kind: 'load', ...request })
  }

  /** The devices of the library's backends; the trainer must have been opened with `device`. */
  async devices(): Promise<DevicesReply['devices']> {
    return (await this.request<DevicesReply>({ kind: 'devices' })).devices
  }

  /** What `load` would take; reads no weights. */
  async plan(request: Omit<LoadRequest, 'kind'>): Promise<LoadReply> {
    return this.request<LoadReply>({ kind: 'plan', ...request })
  }

  /** One optimiser step over all microbatches together. */
  async step(learningRate: number, microbatches: Microbatch[]): Promise<StepReply> {
    return this.request<StepReply>({ kind: 'step', learningRate, microbatches: microbatches.map(head) }, microbatches)
  }

  /** One step on pairs of rows, chosen before rejected. */
  async preferenceStep(
    options: { learningRate: number; beta: number; references?: number[] },
    microbatches: Microbatch[],
  ): Promise<PreferenceStepReply> {
    const request = { kind: 'preferenceStep', ...options, microbatches: microbatches.map(head) } as const
    return this.request<PreferenceStepReply>(request, microbatches)
  }

  /** Losses of each row, in order; changes nothing. `base`: as if the adapters were not there. */
  async evaluate(microbatches: Microbatch[], options: { base?: boolean } = {}): Promise<EvaluateReply['rows']> {
    const reply = await this.request<EvaluateReply>(
      { kind: 'evaluate', ...options, microbatches: microbatches.map(head) },
      microbatches,
    )
    return reply.rows
  }

  /** The gradients a step would use, per trainable tensor, for checks. */
  async gradients(microbatches: Microbatch[]): Promise<GradientsReply & { values: Float32Array[] }> {
    const frame = await this.exchange({ kind: 'gradients', microbatches: microbatches.map(head) }, microbatches)
    const reply = frame.head.ok as GradientsReply
    let at = 0
    const values = reply.tensors.map(({ shape }) => {
      const count = shape.reduce((product, size) => product * size, 1)
      const bytes = frame.payload.subarray(at, (at += count * 4))
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    })
    return { ...reply, values }
  }

  async saveCheckpoint(folder: string): Promise<CheckpointReply> {
    return this.request<CheckpointReply>({ kind: 'saveCheckpoint', folder })
  }

  async loadCheckpoint(folder: string): Promise<CheckpointReply> {
    return this.request<CheckpointReply>({ kind: 'loadCheckpoint', folder })
  }

  async export(request: Omit<ExportRequest, 'kind'>): Promise<ExportReply> {
    return this.request<ExportReply>({ kind: 'export', ...request })
  }

  /** Writes the weighted sum of adapters of one model as an adapter; needs no loaded model. */
  async combineAdapters(request: Omit<CombineRequest, 'kind'>): Promise<ExportReply> {
    return this.request<ExportReply>({ kind: 'combineAdapters', ...request })
  }

  /** Ends the process after what was asked of it; kills it when that takes too long. Idempotent. */
  async close(): Promise<void> {
    this.child.stdin.end()
    const timer = setTimeout(() => this.child.kill('SIGKILL'), closeWaitMs)
    await this.ended
    clearTimeout(timer)
  }

  /** Gives up what is under way, in the middle of a step if need be; open requests reject with `cancelled`. Checkpoints stay whole. */
  abandon(): void {
    this.end(
      new AppError({ code: 'cancelled', message: 'The training was stopped.', remedy: 'Resume it when you like.' }),
    )
    this.child.kill('SIGKILL')
  }

  /** Any request, typed by its reply. */
  async request<Reply>(request: TrainerRequest, microbatches: Microbatch[] = []): Promise<Reply> {
    return (await this.exchange(request, microbatches)).head.ok as Reply
  }

  private exchange(request: TrainerRequest, microbatches: Microbatch[] = []): Promise<Frame> {
    if (this.failure) return Promise.reject(this.failure)
    const id = ++this.lastId
    const payload = microbatches.flatMap(({ tokens, weights }) => [tokens, weights])
    return new Promise<Frame>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      this.child.stdin.write(encodeFrame({ id, ...request }, payload))
    })
  }

  private listen(onLog: ((line: string) => void) | undefined): void {
    const { child } = this
    child.stdout.on('data', (bytes: Buffer) => {
      for (const frame of this.reader.push(bytes)) this.settle(frame)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-keptStderr)
      for (const line of text.split('\n')) if (line.trim()) onLog?.(line)
    })
    // A write after the process's death fails here; the death itself is answered by `close`.
    child.stdin.on('error', (error) => {
      this.lastWords += `stdin: ${error.message}\n`
    })
  }

  private settle(frame: Frame): void {
    const waiting = this.waiting.get(frame.head.id)
    if (!waiting) return
    this.waiting.delete(frame.head.id)
    if (frame.head.error) waiting.reject(translate(frame.head.error))
    else waiting.resolve(frame)
  }

  private end(failure: AppError): void {
    this.failure ??= failure
    for (const { reject } of this.waiting.values()) reject(this.failure)
    this.waiting.clear()
  }
}

function head({ rowLengths, rowGroups }: Microbatch): MicrobatchHead {
  return { rowLengths, rowGroups }
}

const codes: Record<TrainerErrorCode, ErrorCode> = {
  'bad-request': 'bad-input',
  'bad-gguf': 'bad-gguf',
  'unsupported-architecture': 'unsupported-architecture',
  'unsupported-type': 'unsupported-architecture',
  'model-missing': 'model-missing',
  'not-finite': 'not-finite',
  'out-of-memory': 'out-of-memory',
  'disk-full': 'disk-full',
  io: 'file-access',
  library: 'trainer-failed',
  'device-untrusted': 'trainer-failed',
}

function translate({ code, message, remedy }: TrainerErrorFrame): AppError {
  return new AppError({ code: codes[code] ?? 'trainer-failed', message, remedy, detail: `trainer: ${code}` })
}

function notStarted(executable: string, error: Error): AppError {
  return new AppError(
    {
      code: 'trainer-missing',
      message: `The trainer could not be started: ${error.message}.`,
      remedy: 'Reinstall Labdesk, or run "npm run build:native".',
      detail: executable,
    },
    { cause: error },
  )
}

function died(code: number | null, signal: string | null, lastWords: string): AppError {
  return new AppError({
    code: 'worker-died',
    message: `The trainer ended unexpectedly (${signal ? `signal ${signal}` : `status ${code}`}).`,
    remedy: 'Continue from the last checkpoint; close other programs if memory was short.',
    detail: lastWords.trim() || undefined,
  })
}
