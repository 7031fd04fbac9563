// Supervises the llama worker: started on first use, watched by heartbeats, ended when its last session is put away, so that all
// its memory comes back. A death rejects everything pending with `worker-died`; it never takes the engine with it.

import { AppError, toAppError } from '../contract/errors.ts'
import { beatMs, type FromWorker, type ToWorker, type WorkerCall, type WorkerCalls } from './llama-messages.ts'
import type {
  Completion,
  CompletionRequest,
  Embedder,
  EmbedderRequest,
  LlamaHost,
  LlamaSession,
  SessionReply,
  SessionRequest,
} from './llama-protocol.ts'
import { forkWorker, type SpawnWorker, type WorkerProcess } from './worker-process.ts'

export interface LlamaHostOptions {
  /** Default: fork worker/llama.ts beside this file. */
  spawn?: SpawnWorker
  log?: (line: string) => void
  /** How long a worker without sessions is kept for the next one. */
  idleMs?: number
}

/** Deaths without one answer in between after which no further worker is started until the app restarts or `cooldownMs` pass. */
const maxDeathsInARow = 6
const cooldownMs = 60_000
/**
 * Heartbeats missed, at this process's own pace, before a worker counts as hung (a suspended laptop suspends both). Long, since a
 * worker on a machine that is overloaded or out of memory only gets slower by being started again.
 */
const maxMissedBeats = 180
/** A worker that was asked to end is killed after this. */
const shutdownMs = 2000

/** Creates the supervisor. No process is started before the first session. */
export function createLlamaHost(options: LlamaHostOptions = {}): LlamaHost {
  const spawn = options.spawn ?? (() => forkWorker(new URL('./worker/llama.ts', import.meta.url)))
  const log = options.log ?? (() => undefined)
  const idleMs = options.idleMs ?? 3000
  // Two variants of llama.cpp's libraries must not meet in one process: one worker per GPU mode.
  const workers = new Map<SessionRequest['gpu'], Worker>()
  const deaths = { inARow: 0, lastAt: 0 }
  let isClosed = false

  const workerFor = (gpu: SessionRequest['gpu']): Worker => {
    const running = workers.get(gpu)
    if (running?.isAlive) return running
    if (isClosed) throw hostClosed()
    if (deaths.inARow >= maxDeathsInARow && Date.now() - deaths.lastAt < cooldownMs) throw keepsDying()
    const worker = new Worker(spawn(), {
      log,
      idleMs,
      onAnswer: () => (deaths.inARow = 0),
      onDeath: () => {
        deaths.inARow += 1
        deaths.lastAt = Date.now()
      },
    })
    workers.set(gpu, worker)
    return worker
  }
  return {
    get pid() {
      return [...workers.values()].find((worker) => worker.isAlive)?.pid ?? null
    },
    async openSession(request) {
      const worker = workerFor(request.gpu)
      return worker.open(request)
    },
    async openEmbedder(request) {
      const worker = workerFor(request.gpu)
      return worker.openEmbedder(request)
    },
    async close() {
      isClosed = true
      await Promise.all([...workers.values()].map((worker) => worker.close()))
    },
  }
}

interface Pending {
  resolve: (value: unknown) => void
  reject: (error: AppError) => void
  onText?: (piece: string) => void
}
interface WorkerOptions {
  log: (line: string) => void
  idleMs: number
  onAnswer: () => void
  onDeath: () => void
}

/** One worker process, from start to end. A dead one is never revived; the host makes a new one. */
class Worker {
  readonly #process: WorkerProcess
  readonly #options: WorkerOptions
  readonly #pending = new Map<number, Pending>()
  readonly #exited: Promise<void>
  readonly #watch: NodeJS.Timeout
  #queuedUntilReady: ToWorker[] | null = []
  #nextId = 1
  #sessions = 0
  #missedBeats = 0
  #state: 'alive' | 'closing' | 'dead' = 'alive'
  #idle: NodeJS.Timeout | null = null

  constructor(child: WorkerProcess, options: WorkerOptions) {
    this.#process = child
    this.#options = options
    child.onMessage((message) => this.#onMessage(message as FromWorker))
    this.#exited = new Promise((resolve) => {
      child.onExit(({ code, signal }) => {
        this.#onExit(`exit code ${code ?? '-'}, signal ${signal ?? '-'}`)
        resolve()
      })
    })
    this.#watch = setInterval(() => this.#checkBeat(), beatMs)
    this.#watch.unref()
  }

  get pid(): number | null {
    return this.#process.pid
  }
  get isAlive(): boolean {
    return this.#state === 'alive'
  }

  async open(request: SessionRequest): Promise<LlamaSession> {
    return new RemoteSession(this, await this.#opening(this.call('open', request)))
  }

  async openEmbedder(request: EmbedderRequest): Promise<Embedder> {
    const { sessionId } = await this.#opening(this.call('open-embedder', request))
    let isDisposed = false
    return {
      embed: (texts) => this.call('embed', { sessionId, texts }),
      dispose: async () => {
        if (isDisposed) return
        isDisposed = true
        await this.disposeSession(sessionId)
      },
    }
  }

  /** Counts a session from the moment it is asked for. */
  async #opening<Reply>(reply: Promise<Reply>): Promise<Reply> {
    this.#sessions += 1
    if (this.#idle) clearTimeout(this.#idle)
    try {
      return await reply
    } catch (thrown) {
      this.#sessionEnded()
      throw thrown
    }
  }

  call<Name extends WorkerCall['name']>(
    name: Name,
    input: WorkerCalls[Name]['input'],
    options: CallOptions = {},
  ): Promise<WorkerCalls[Name]['output']> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#state !== 'alive') return reject(workerDied(this.#process.lastWords()))
      const id = this.#nextId++
      const { signal, onText } = options
      const onAbort = () => this.#post({ kind: 'cancel', id })
      const settle =
        <Value>(then: (value: Value) => void) =>
        (value: Value) => {
          signal?.removeEventListener('abort', onAbort)
          then(value)
        }
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject), onText })
      this.#post({ kind: 'call', id, call: { name, input } as WorkerCall })
      if (signal?.aborted) onAbort()
      else signal?.addEventListener('abort', onAbort, { once: true })
    }) as Promise<WorkerCalls[Name]['output']>
  }

  /** Puts one session away; the last one ends the worker after a short wait. */
  async disposeSession(sessionId: number): Promise<void> {
    if (this.#state !== 'alive') return
    await this.call('dispose', { sessionId }).catch((thrown: unknown) => this.#options.log(toAppError(thrown).message))
    this.#sessionEnded()
  }

  async close(): Promise<void> {
    if (this.#state === 'dead') return
    this.#state = 'closing'
    this.#process.kill('SIGTERM')
    const force = setTimeout(() => this.#process.kill('SIGKILL'), shutdownMs)
    await this.#exited
    clearTimeout(force)
  }

  #sessionEnded(): void {
    this.#sessions -= 1
    if (this.#sessions > 0 || this.#state !== 'alive') return
    this.#idle = setTimeout(() => {
      if (this.#sessions === 0) void this.close()
    }, this.#options.idleMs)
    this.#idle.unref()
  }

  #post(message: ToWorker): void {
    if (this.#queuedUntilReady) this.#queuedUntilReady.push(message)
    else if (this.#state === 'alive') this.#process.post(message)
  }

  #onMessage(message: FromWorker): void {
    this.#missedBeats = 0
    switch (message.kind) {
      case 'beat':
      case 'blocked': // counted where the worker is spawned
        return
      case 'ready': {
        const queued = this.#queuedUntilReady ?? []
        this.#queuedUntilReady = null
        for (const waiting of queued) this.#process.post(waiting)
        return
      }
      case 'text':
        for (const { id, piece } of message.pieces) this.#pending.get(id)?.onText?.(piece)
        return
      case 'ok':
      case 'fail': {
        const pending = this.#pending.get(message.id)
        this.#pending.delete(message.id)
        this.#options.onAnswer()
        if (message.kind === 'ok') pending?.resolve(message.value)
        else pending?.reject(new AppError(message.error))
      }
    }
  }

  #checkBeat(): void {
    this.#missedBeats += 1
    if (this.#missedBeats < maxMissedBeats) return
    this.#options.log('The llama worker did not answer for three minutes and is being restarted.')
    this.#process.kill('SIGKILL')
  }

  #onExit(how: string): void {
    clearInterval(this.#watch)
    if (this.#idle) clearTimeout(this.#idle)
    if (this.#state === 'alive') {
      this.#options.log(`The llama worker ended (${how}).`)
      this.#options.onDeath()
    }
    this.#state = 'dead'
    const detail = `${how}\n${this.#process.lastWords()}`.trim()
    for (const pending of this.#pending.values()) pending.reject(workerDied(detail))
    this.#pending.clear()
  }
}

interface CallOptions {
  signal?: AbortSignal
  onText?: (piece: string) => void
}

class RemoteSession implements LlamaSession {
  readonly reply: SessionReply
  readonly #worker: Worker
  #isDisposed = false

  constructor(worker: Worker, reply: SessionReply) {
    this.#worker = worker
    this.reply = reply
  }
  get #id(): number {
    return this.reply.sessionId
  }
  complete(request: CompletionRequest, options: CallOptions = {}): Promise<Completion> {
    return this.#worker.call(
      'complete',
      { sessionId: this.#id, request: { ...request, stream: options.onText !== undefined } },
      options,
    )
  }
  score(request: WorkerCalls['score']['input']['request']) {
    return this.#worker.call('score', { sessionId: this.#id, request })
  }
  tokenize(text: string) {
    return this.#worker.call('tokenize', { sessionId: this.#id, text })
  }
  detokenize(tokens: Int32Array) {
    return this.#worker.call('detokenize', { sessionId: this.#id, tokens })
  }
  async dispose() {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#worker.disposeSession(this.#id)
  }
}

function workerDied(detail: string): AppError {
  return new AppError({
    code: 'worker-died',
    message: 'The process that runs the model ended unexpectedly.',
    remedy: 'Resume; if it happens again, use fewer parallel sequences or a smaller model.',
    detail: detail.slice(-2000),
  })
}
function keepsDying(): AppError {
  return new AppError({
    code: 'worker-died',
    message: `The process that runs the model ended ${maxDeathsInARow} times without answering once.`,
    remedy: 'Choose another model, switch the GPU off in Settings, or try again in a minute.',
  })
}
function hostClosed(): AppError {
  return new AppError({ code: 'cancelled', message: 'Labdesk is closing.', remedy: 'Start Labdesk again and resume.' })
}
