// Supervises the document reader: a process that parses files nobody vouches for. Started on first use and put away when idle; one that
// stalls, eats memory or dies is replaced, and its document ends as `bad-document` with the reason. Never takes the engine with it.

import { AppError } from '../contract/errors.ts'
import { type FromReader, lastWords, type ReadDocument, type ReadLimits, type ToReader } from './document-messages.ts'
import { forkWorker, type SpawnWorker, type WorkerProcess } from './worker-process.ts'

export interface DocumentReader {
  /** The file's text as Markdown. @throws AppError `bad-document` with the reason and what to do */
  read(name: string, bytes: Uint8Array): Promise<ReadDocument>
  /** Pid of the process when one runs (for tests that kill it). */
  readonly pid: number | null
  close(): void
}

export interface DocumentReaderOptions {
  /** Default: fork worker/reader.ts beside this file. */
  spawn?: SpawnWorker
  limits?: Partial<ReadLimits>
  /** How long a process without work is kept. */
  idleMs?: number
}

const defaultLimits: ReadLimits = { stallMs: 5000, memoryBytes: 1 << 30 }
/** A process that says nothing at all for this long is given up, whatever its own watchdog thinks. */
const silenceMs = 20_000
/** A process that stays this large after a document is replaced before the next. */
const keptMemoryBytes = 400 << 20
/** What the process wrote last may come a moment after its end. */
const lastWordsMs = 150

interface Reading {
  id: number
  name: string
  resolve: (document: ReadDocument) => void
  reject: (error: AppError) => void
  silence: NodeJS.Timeout
}

/** Creates the supervisor; documents wait for one another. */
export function createDocumentReader(options: DocumentReaderOptions = {}): DocumentReader {
  return new Supervisor(options)
}

class Supervisor implements DocumentReader {
  readonly #spawn: SpawnWorker
  readonly #limits: ReadLimits
  readonly #idleMs: number
  #child: WorkerProcess | null = null
  #reading: Reading | null = null
  #queue: Promise<unknown> = Promise.resolve()
  #idle: NodeJS.Timeout | null = null
  #isClosed = false
  #lastId = 0

  constructor({ spawn, limits, idleMs = 10_000 }: DocumentReaderOptions) {
    this.#spawn = spawn ?? (() => forkWorker(new URL('./worker/reader.ts', import.meta.url)))
    this.#limits = { ...defaultLimits, ...limits }
    this.#idleMs = idleMs
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  read(name: string, bytes: Uint8Array): Promise<ReadDocument> {
    const answer = this.#queue.then(() => this.#readNow(name, bytes))
    this.#queue = answer.catch(() => undefined)
    return answer
  }

  close(): void {
    this.#isClosed = true
    if (this.#reading) this.#settle(this.#reading.id)?.reject(closing())
    if (this.#idle) clearTimeout(this.#idle)
    this.#putAway()
  }

  #readNow(name: string, bytes: Uint8Array): Promise<ReadDocument> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closing())
      if (this.#idle) clearTimeout(this.#idle)
      this.#child ??= this.#start()
      const id = ++this.#lastId
      const silence = setTimeout(() => {
        this.#settle(id)?.reject(explainEnd(name, lastWords.stalled, this.#limits))
        this.#putAway()
      }, silenceMs)
      this.#reading = { id, name, resolve, reject, silence }
      const message: ToReader = { kind: 'read', request: { id, name, bytes, limits: this.#limits } }
      this.#child.post(message)
    })
  }

  #start(): WorkerProcess {
    const started = this.#spawn()
    started.onMessage((message) => this.#child === started && this.#take(message as FromReader))
    started.onExit(() => {
      if (this.#child !== started) return
      this.#child = null
      const { id } = this.#reading ?? { id: 0 }
      setTimeout(() => {
        const settled = this.#settle(id)
        settled?.reject(explainEnd(settled.name, started.lastWords(), this.#limits))
      }, lastWordsMs)
    })
    return started
  }

  #take(message: FromReader): void {
    if (message.kind === 'progress') this.#reading?.silence.refresh()
    if (message.kind !== 'read' && message.kind !== 'refused') return
    const settled = this.#settle(message.id)
    if (message.memoryBytes > keptMemoryBytes) this.#putAway()
    if (message.kind === 'read') settled?.resolve(message.document)
    else settled?.reject(new AppError(message.error))
  }

  #settle(id: number): Reading | null {
    const settled = this.#reading?.id === id ? this.#reading : null
    if (!settled) return null
    clearTimeout(settled.silence)
    this.#reading = null
    this.#idle = setTimeout(() => this.#putAway(), this.#idleMs)
    this.#idle.unref()
    return settled
  }

  #putAway(): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
  }
}

function explainEnd(name: string, words: string, { stallMs, memoryBytes }: ReadLimits): AppError {
  const remedy = 'Open it in its own program, save the part you need as plain text or Markdown, then add that.'
  const reason = words.includes(lastWords.stalled)
    ? `reading it made no progress for ${Math.round(stallMs / 1000)} seconds`
    : words.includes(lastWords.memory) || words.includes('heap')
      ? `reading it took more than ${Math.round(memoryBytes / 2 ** 20)} MB of memory`
      : 'its reader ended while it was read'
  return new AppError({
    code: 'bad-document',
    message: `"${name}" was given up: ${reason}. Files that unpack to something far larger do this.`,
    remedy,
    ...(words.trim() === '' ? {} : { detail: words.slice(-2000) }),
  })
}

function closing(): AppError {
  return new AppError({ code: 'cancelled', message: 'Labdesk is closing.', remedy: 'Add the document again.' })
}
