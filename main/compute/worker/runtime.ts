// Loads llama.cpp and models inside the worker, and translates what can go wrong there into AppErrors, once.
// A model is loaded once and shared by the sessions that use it; it is given back with the last of them.

import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import {
  getLlama,
  InsufficientMemoryError,
  type Llama,
  type LlamaModel,
  LlamaLogLevel,
  NoBinaryFoundError,
} from 'node-llama-cpp'
import { AppError, type ErrorCode, toAppError } from '../../contract/errors.ts'
import type { ChatFormat } from '../../domain/chat-template.ts'

/** Log lines of llama.cpp kept to explain a failure. */
const keptLogLines = 60

interface LoadedModel {
  model: Promise<LlamaModel>
  users: number
}

/** One session's use of a model; released once. */
export interface ModelUse {
  llama: Llama
  model: LlamaModel
  release: () => Promise<void>
}

/** One llama.cpp runtime; a worker has one, because two variants of its libraries must not meet in a process. */
export class LlamaRuntime {
  readonly #gpu: 'auto' | 'off'
  #llama: Promise<Llama> | null = null
  #log: string[] = []
  readonly #models = new Map<string, LoadedModel>()
  /** What each open session asks for. */
  readonly #threads: number[] = []
  #computing: Promise<unknown> = Promise.resolve()

  constructor(gpu: 'auto' | 'off') {
    this.#gpu = gpu
  }

  /** 'none' on CPU; a Vulkan without devices is CPU too. */
  async gpuName(): Promise<string> {
    const llama = await this.#llama
    if (!llama || llama.gpu === false) return 'none'
    const names = await llama.getGpuDeviceNames()
    return names.length === 0 ? 'none' : llama.gpu
  }

  /** Runs one computation at a time: each uses the whole budget of threads, and Vulkan bears no second one beside it. */
  compute<Result>(run: () => Promise<Result>): Promise<Result> {
    const turn = this.#computing.then(run)
    this.#computing = turn.catch(() => undefined)
    return turn
  }

  /** The budget of the whole process, shared by every context in it, is the largest that an open session asks for. */
  async #shareThreads(): Promise<Llama> {
    const most = Math.max(1, ...this.#threads)
    this.#llama ??= this.#start(most)
    const llama = await this.#llama
    llama.maxThreads = most
    return llama
  }

  async #start(threads: number): Promise<Llama> {
    try {
      return await getLlama({
        gpu: this.#gpu === 'off' ? false : 'auto',
        build: 'never',
        skipDownload: true,
        maxThreads: threads,
        logLevel: LlamaLogLevel.warn,
        logger: (_level, message) => {
          this.#log.push(message.trim())
          if (this.#log.length > keptLogLines) this.#log.shift()
        },
      })
    } catch (thrown) {
      if (!(thrown instanceof NoBinaryFoundError)) throw thrown
      throw new AppError(
        {
          code: 'unsupported-runtime',
          message: 'There is no llama.cpp library for this computer in the installation.',
          remedy: 'Install Labdesk again on this computer, so that the libraries for its processor are fetched.',
          detail: thrown.message,
        },
        { cause: thrown },
      )
    }
  }

  /** Takes one use of a model, loaded once for all its users. A file written anew at the same path is another model. */
  async takeModel(path: string, threads: number): Promise<ModelUse> {
    this.#threads.push(threads)
    let key = path
    try {
      const llama = await this.#shareThreads()
      key = await fileKey(path)
      const loaded = this.#models.get(key) ?? { model: this.#load(llama, path), users: 0 }
      this.#models.set(key, loaded)
      loaded.users += 1
      return { llama, model: await loaded.model, release: () => this.#release(key, threads) }
    } catch (thrown) {
      this.#models.delete(key)
      this.#threads.splice(this.#threads.indexOf(threads), 1)
      throw thrown
    }
  }

  async #release(key: string, threads: number): Promise<void> {
    this.#threads.splice(this.#threads.indexOf(threads), 1)
    await this.#shareThreads()
    const loaded = this.#models.get(key)
    if (!loaded) return
    loaded.users -= 1
    if (loaded.users > 0) return
    this.#models.delete(key)
    await (await loaded.model).dispose()
  }

  async #load(llama: Llama, path: string): Promise<LlamaModel> {
    await checkGgufStart(path)
    this.#log = []
    try {
      return await llama.loadModel({ modelPath: path, gpuLayers: this.#gpu === 'off' ? 0 : 'auto' })
    } catch (thrown) {
      throw this.explain(thrown, { code: 'bad-gguf', what: `The model file ${basename(path)} could not be read` })
    }
  }

  /** An AppError for something llama.cpp threw; its own log lines decide what it was. */
  explain(thrown: unknown, otherwise: { code: ErrorCode; what: string }): AppError {
    if (thrown instanceof AppError) return thrown
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const log = this.#log.splice(0).join('\n')
    const detail = `${error.message}\n${log}`.trim().slice(0, 4000)
    const architecture = /unknown model architecture: '?([^'\n]*)'?/.exec(detail)?.[1]
    if (architecture !== undefined) {
      return new AppError({
        code: 'unsupported-architecture',
        message: `${otherwise.what}: its architecture "${architecture}" is not one this version can run.`,
        remedy: 'Choose a model of a supported architecture, such as llama, qwen2 or mistral.',
        detail,
      })
    }
    if (thrown instanceof InsufficientMemoryError || outOfMemory.test(detail)) {
      return new AppError({
        code: 'out-of-memory',
        message: `${otherwise.what}: there is not enough memory.`,
        remedy: 'Close other programs, use fewer parallel sequences, or choose a smaller model.',
        detail,
      })
    }
    if (otherwise.code === 'internal') return toAppError(error)
    return new AppError(
      {
        code: otherwise.code,
        message: `${otherwise.what}: it is damaged, incomplete or not a model.`,
        remedy: 'Copy or download the file again, then add it once more.',
        detail,
      },
      { cause: error },
    )
  }
}

const outOfMemory =
  /failed to allocate|unable to allocate|out of memory|bad_alloc|insufficient memory|ErrorOutOfDeviceMemory/i

/** Tells a file from another that is written to the same path; the bare path where there is none, which loading then reports. */
async function fileKey(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null)
  return found ? `${path} ${found.ino} ${found.size} ${found.mtimeNs}` : path
}

/** Refuses what is plainly not a GGUF before llama.cpp sees it. */
async function checkGgufStart(path: string): Promise<void> {
  const missing = new AppError({
    code: 'model-missing',
    message: `The model file ${basename(path)} is not there any more.`,
    remedy: 'Put the file back, or choose another model.',
    detail: path,
  })
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' || error.code === 'ENOTDIR' ? missing : error
  })
  const foreign = new AppError({
    code: 'bad-gguf',
    message: `${basename(path)} is not a GGUF model file.`,
    remedy: 'Choose a file that ends in .gguf and was made for llama.cpp.',
    detail: path,
  })
  if (!found.isFile()) throw foreign
  const file = await open(path, 'r')
  try {
    const head = Buffer.alloc(8)
    await file.read(head, 0, 8, 0)
    const version = head.readUInt32LE(4)
    if (head.toString('latin1', 0, 4) !== 'GGUF' || version < 2 || version > 3) throw foreign
  } finally {
    await file.close()
  }
}

/** How the model wants a conversation written, from its own metadata. */
export function chatFormatOf(model: LlamaModel): ChatFormat {
  const template = model.fileInfo.metadata.tokenizer?.chat_template
  return {
    template: typeof template === 'string' && template.trim() !== '' ? template : null,
    bosText: model.tokens.bosString ?? '',
    eosText: model.tokens.eosString ?? '',
    addBos: model.tokens.shouldPrependBosToken,
  }
}
