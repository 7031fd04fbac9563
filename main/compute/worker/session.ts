// A context of N sequences stepped in lock-step: what all busy lanes have to evaluate goes into one batch, is decoded by one call, and
// each lane takes its token. (Independent loops fragment the batches and reach about 40 % of the speed.) Waiting tasks join as others end.

import type { LlamaContext } from 'node-llama-cpp'
import { AppError } from '../../contract/errors.ts'
import type {
  Completion,
  CompletionRequest,
  Score,
  ScoreRequest,
  SessionReply,
  SessionRequest,
} from '../llama-protocol.ts'
import { Admission } from './admission.ts'
import { leastTokens, promptOf } from './answer.ts'
import { type NativeContext, nativeContext } from './bindings.ts'
import { Lane } from './lane.ts'
import { PrefixStore } from './prefix-store.ts'
import { chatFormatOf, type LlamaRuntime, type ModelUse } from './runtime.ts'
import { checkFits, type CompletionTask, type Task } from './task.ts'
import { Vocabulary } from './vocabulary.ts'

/** Tasks that may wait; one more is refused. */
const maxWaiting = 10_000
/** Tokens of a batch, at least. */
const leastBatch = 512

/** A completion in progress that can be called off. */
export interface PendingCompletion {
  completion: Promise<Completion>
  cancel(): void
}

interface Loaded {
  use: ModelUse
  context: LlamaContext
  batchSize: number
}

export class LockStepSession {
  readonly #runtime: LlamaRuntime
  readonly #loaded: Loaded
  readonly #native: NativeContext
  readonly #vocabulary: Vocabulary
  readonly #lanes: Lane[]
  readonly #store: PrefixStore
  readonly #admission: Admission
  readonly #waiting: Task[] = []
  #loop: Promise<void> | null = null
  #isDisposed = false

  private constructor(runtime: LlamaRuntime, sequences: number, loaded: Loaded) {
    const { llama, model } = loaded.use
    this.#runtime = runtime
    this.#loaded = loaded
    this.#native = nativeContext(loaded.context)
    this.#vocabulary = new Vocabulary(llama, model)
    const laneContext = {
      native: this.#native,
      vocabulary: this.#vocabulary,
      contextTokens: loaded.context.contextSize,
    }
    this.#lanes = Array.from({ length: sequences }, (_, place) => new Lane(place, laneContext))
    this.#store = new PrefixStore(this.#native)
    this.#admission = new Admission(this.#lanes, this.#store)
  }

  /** Loads the model where needed and makes the context. Throws AppErrors named in runtime.ts. */
  static async open(runtime: LlamaRuntime, request: SessionRequest): Promise<LockStepSession> {
    const use = await runtime.takeModel(request.modelPath, request.threads)
    const { model } = use
    try {
      const batchSize = Math.max(leastBatch, request.sequences)
      const context = await model.createContext({
        sequences: request.sequences,
        contextSize: Math.min(request.contextTokens, model.trainContextSize),
        batchSize,
        threads: request.threads,
        lora: request.adapterPath,
        // Models with a sliding window keep all their cells too, or a cache could not be cut back to a shared beginning.
        swaFullCache: true,
        failedCreationRemedy: false,
      })
      return new LockStepSession(runtime, request.sequences, { use, context, batchSize })
    } catch (thrown) {
      await use.release()
      const what = request.adapterPath
        ? 'The model or its adapter could not be made ready'
        : 'The model could not be made ready'
      throw runtime.explain(thrown, { code: request.adapterPath ? 'bad-gguf' : 'out-of-memory', what })
    }
  }

  async reply(sessionId: number): Promise<SessionReply> {
    const { model } = this.#loaded.use
    return {
      sessionId,
      vocabSize: model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0,
      trainContextTokens: model.trainContextSize,
      contextTokens: this.#contextTokens,
      chat: chatFormatOf(model),
      gpu: await this.#runtime.gpuName(),
    }
  }

  tokenize(text: string): number[] {
    return this.#vocabulary.tokenize(text)
  }
  detokenize(tokens: Int32Array): string {
    return this.#vocabulary.detokenize(tokens)
  }

  complete(request: CompletionRequest, onText: (piece: string) => void): PendingCompletion {
    let task: CompletionTask | null = null
    let isCancelled = false
    const completion = this.#prepare(request).then(
      ({ tokens, grammar }) =>
        new Promise<Completion>((done, fail) => {
          task = { kind: 'complete', request, tokens, grammar, isCancelled, onText, done, fail }
          this.#enqueue(task)
        }),
    )
    const cancel = () => {
      isCancelled = true
      if (task) task.isCancelled = true
    }
    return { completion, cancel }
  }

  async #prepare(request: CompletionRequest): Promise<Pick<CompletionTask, 'tokens' | 'grammar'>> {
    const tokens = this.tokenize(promptOf(request))
    if (tokens.length === 0) throw emptyPrompt()
    const grammar = request.grammar === undefined ? null : await this.#vocabulary.grammar(request.grammar)
    checkFits(tokens.length, leastTokens(this.#vocabulary, request, grammar), this.#contextTokens)
    return { tokens, grammar }
  }

  async score(request: ScoreRequest): Promise<Score> {
    const prompt = this.tokenize(request.prompt)
    const tokens = this.tokenize(request.prompt + request.continuation)
    // A token may straddle the seam; counting starts where the two readings part.
    let promptLength = 0
    while (promptLength < prompt.length && prompt[promptLength] === tokens[promptLength]) promptLength += 1
    if (promptLength === 0 || promptLength >= tokens.length) throw emptyPrompt()
    checkFits(tokens.length, 0, this.#contextTokens)
    return new Promise((done, fail) =>
      this.#enqueue({ kind: 'score', tokens, promptLength, isCancelled: false, done, fail }),
    )
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    for (const task of this.#waiting.splice(0)) task.fail(sessionClosed())
    await this.#loop
    this.#store.dispose()
    await this.#loaded.context.dispose()
    await this.#loaded.use.release()
  }

  get #contextTokens(): number {
    return this.#loaded.context.contextSize
  }

  #enqueue(task: Task): void {
    if (this.#isDisposed) return task.fail(sessionClosed())
    if (this.#waiting.length >= maxWaiting) return task.fail(tooMany())
    this.#waiting.push(task)
    this.#loop ??= this.#run().finally(() => {
      this.#loop = null
      // A task that arrived while the loop was ending starts the next one.
      if (this.#waiting.length > 0) this.#enqueue(this.#waiting.pop()!)
    })
  }

  async #run(): Promise<void> {
    while (true) {
      for (const lane of this.#lanes) lane.dropCancelled()
      await this.#admission.admit(this.#waiting)
      const busy = this.#lanes.filter((lane) => !lane.isFree)
      if (busy.length === 0) return
      await this.#step(busy)
      await this.#admission.keepCuts()
    }
  }

  /** One batch of what the lanes have to evaluate, and a token for each lane that is through with it. */
  async #step(busy: readonly Lane[]): Promise<void> {
    const parts = planBatch(busy, this.#loaded.batchSize)
    const tokens = parts.reduce((sum, { count }) => sum + count, 0)
    try {
      this.#native.initBatch(tokens)
      const rows = parts.map(({ lane, count }) => lane.fill(count))
      const startedAt = performance.now()
      await this.#runtime.compute(() => this.#native.decodeBatch())
      if (tokens > 2 * parts.length) this.#admission.measure((performance.now() - startedAt) / 1000, tokens)
      for (const { lane, count } of parts) lane.advance(count)
      await readAll(parts, rows)
    } catch (thrown) {
      for (const { lane } of parts) lane.fail(thrown)
    }
  }
}

interface BatchPart {
  lane: Lane
  count: number
}

/** Every lane gets a token first, so that none waits for long prompts; what is left goes to prompts, in the lanes' order. */
function planBatch(busy: readonly Lane[], batchSize: number): BatchPart[] {
  let left = batchSize - busy.length
  return busy.map((lane) => {
    const more = Math.min(lane.nextCount - 1, left)
    left -= more
    return { lane, count: 1 + more }
  })
}

/**
 * The first output is read alone: llama.cpp puts a batch's outputs into order when one of them is read, and must not be asked for the
 * others meanwhile. Those are sampled by several threads.
 */
async function readAll(parts: readonly BatchPart[], rows: readonly Uint32Array[]): Promise<void> {
  const reading = parts.map(({ lane }, at) => ({ lane, rows: rows[at]! })).filter((one) => one.rows.length > 0)
  const [first, ...others] = reading
  if (!first) return
  await first.lane.read(first.rows)
  await Promise.all(others.map((one) => one.lane.read(one.rows)))
}

function emptyPrompt(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'The text for the model is empty.',
    remedy: 'Give the model some text to go on.',
  })
}
function sessionClosed(): AppError {
  return new AppError({
    code: 'cancelled',
    message: 'The model was put away before it answered.',
    remedy: 'Ask again.',
  })
}
function tooMany(): AppError {
  return new AppError({
    code: 'conflict',
    message: 'Too many requests are waiting for the model.',
    remedy: 'Wait until some are answered.',
  })
}
