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
const silenceMs = 60_000
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
  const spawn = options.spawn ?? (() => forkWorker(new URL('./worker/reader.ts', import.meta.url)))
  const limits = { ...defaultLimits, ...options.limits }
  let child: WorkerProcess | null = null
  let reading: Reading | null = null
  let queue: Promise<unknown> = Promise.resolve()
  let idle: NodeJS.Timeout | null = null
  let isClosed = false
  let lastId = 0

  const putAway = () => {
    child?.kill('SIGKILL')
    child = null
  }
  const settle = (id: number): Reading | null => {
    const settled = reading?.id === id ? reading : null
    if (!settled) return null
    clearTimeout(settled.silence)
    reading = null
    idle = setTimeout(putAway, options.idleMs ?? 10_000)
    idle.unref()
    return settled
  }
  const onMessage = (from: WorkerProcess, message: FromReader) => {
    if (from !== child) return
    if (message.kind === 'progress') reading?.silence.refresh()
    if (message.kind !== 'read' && message.kind !== 'refused') return
    const settled = settle(message.id)
    if (message.memoryBytes > keptMemoryBytes) putAway()
    if (message.kind === 'read') settled?.resolve(message.document)
    else settled?.reject(new AppError(message.error))
  }
  const start = (): WorkerProcess => {
    const started = spawn()
    started.onMessage((message) => onMessage(started, message as FromReader))
    started.onExit(() => {
      if (child !== started) return
      child = null
      const { id } = reading ?? { id: 0 }
      setTimeout(() => {
        const settled = settle(id)
        settled?.reject(explainEnd(settled.name, started.lastWords(), limits))
      }, lastWordsMs)
    })
    return started
  }
  const readNow = (name: string, bytes: Uint8Array): Promise<ReadDocument> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(closing())
      if (idle) clearTimeout(idle)
      child ??= start()
      const id = ++lastId
      const silence = setTimeout(() => {
        settle(id)?.reject(explainEnd(name, lastWords.stalled, limits))
        putAway()
      }, silenceMs)
      reading = { id, name, resolve, reject, silence }
      const message: ToReader = { kind: 'read', request: { id, name, bytes, limits } }
      child.post(message)
    })
  return {
    get pid() {
      return child?.pid ?? null
    },
    read(name, bytes) {
      const answer = queue.then(() => readNow(name, bytes))
      queue = answer.catch(() => undefined)
      return answer
    },
    close() {
      isClosed = true
      if (reading) settle(reading.id)?.reject(closing())
      if (idle) clearTimeout(idle)
      putAway()
    },
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
