// A context of N sequences stepped in lock-step: all busy lanes ask for their next token together, so that every decode is one
// full batch. (Independent loops fragment the batches and reach about 40 % of the speed.) Waiting tasks join as others end.

import type {
  CustomBatchingPrioritizationStrategy,
  Llama,
  LlamaContext,
  LlamaGrammar,
  LlamaModel,
  Token,
} from 'node-llama-cpp'
import { AppError } from '../../contract/errors.ts'
import type {
  Completion,
  CompletionRequest,
  Score,
  ScoreRequest,
  SessionReply,
  SessionRequest,
} from '../llama-protocol.ts'
import { checkFits, Lane, type Task } from './lane.ts'
import { chatFormatOf, type LlamaRuntime, type ModelUse } from './runtime.ts'

/** Tasks that may wait; one more is refused. */
const maxWaiting = 10_000
/** Compiled grammars kept; a run uses about a dozen. */
const maxGrammars = 64

/** A completion in progress that can be called off. */
export interface PendingCompletion {
  completion: Promise<Completion>
  cancel(): void
}

export class LockStepSession {
  readonly #runtime: LlamaRuntime
  readonly #use: ModelUse
  readonly #llama: Llama
  readonly #model: LlamaModel
  readonly #context: LlamaContext
  readonly #lanes: Lane[]
  readonly #waiting: Task[] = []
  readonly #grammars = new Map<string, Promise<LlamaGrammar>>()
  #loop: Promise<void> | null = null
  #isDisposed = false

  private constructor(
    runtime: LlamaRuntime,
    request: SessionRequest,
    loaded: { use: ModelUse; context: LlamaContext },
  ) {
    this.#runtime = runtime
    this.#use = loaded.use
    this.#llama = loaded.use.llama
    this.#model = loaded.use.model
    this.#context = loaded.context
    this.#lanes = Array.from({ length: request.sequences }, (_, place) => new Lane(loaded.context.getSequence(), place))
  }

  /** Loads the model where needed and makes the context. Throws AppErrors named in runtime.ts. */
  static async open(runtime: LlamaRuntime, request: SessionRequest): Promise<LockStepSession> {
    const use = await runtime.takeModel(request.modelPath, request.threads)
    const { model } = use
    try {
      const context = await model.createContext({
        sequences: request.sequences,
        contextSize: Math.min(request.contextTokens, model.trainContextSize),
        batchSize: Math.max(512, request.sequences),
        threads: request.threads,
        batching: { itemPrioritizationStrategy: orderBySequence },
        lora: request.adapterPath,
        failedCreationRemedy: false,
      })
      return new LockStepSession(runtime, request, { use, context })
    } catch (thrown) {
      await use.release()
      const what = request.adapterPath
        ? 'The model or its adapter could not be made ready'
        : 'The model could not be made ready'
      throw runtime.explain(thrown, { code: request.adapterPath ? 'bad-gguf' : 'out-of-memory', what })
    }
  }

  async reply(sessionId: number): Promise<SessionReply> {
    return {
      sessionId,
      vocabSize: this.#model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0,
      trainContextTokens: this.#model.trainContextSize,
      contextTokens: this.#context.contextSize,
      chat: chatFormatOf(this.#model),
      gpu: await this.#runtime.gpuName(),
    }
  }

  /** Special tokens written out in the text are recognised; nothing is added in front. */
  tokenize(text: string): Token[] {
    return this.#model.tokenize(text, true)
  }
  detokenize(tokens: Int32Array): string {
    return this.#model.detokenize(Array.from(tokens) as Token[], true)
  }

  complete(request: CompletionRequest, onText: (piece: string) => void): PendingCompletion {
    let task: (Task & { kind: 'complete' }) | null = null
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

  async #prepare(request: CompletionRequest): Promise<{ tokens: Token[]; grammar: LlamaGrammar | null }> {
    const tokens = this.tokenize(request.prompt)
    if (tokens.length === 0) throw emptyPrompt()
    checkFits(tokens.length, 1, this.#context.contextSize)
    return { tokens, grammar: request.grammar === undefined ? null : await this.#grammar(request.grammar) }
  }

  async score(request: ScoreRequest): Promise<Score> {
    const prompt = this.tokenize(request.prompt)
    const tokens = this.tokenize(request.prompt + request.continuation)
    // A token may straddle the seam; counting starts where the two readings part.
    let promptLength = 0
    while (promptLength < prompt.length && prompt[promptLength] === tokens[promptLength]) promptLength += 1
    if (promptLength === 0 || promptLength >= tokens.length) throw emptyPrompt()
    checkFits(tokens.length, 0, this.#context.contextSize)
    return new Promise((done, fail) =>
      this.#enqueue({ kind: 'score', tokens, promptLength, isCancelled: false, done, fail }),
    )
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    for (const task of this.#waiting.splice(0)) task.fail(sessionClosed())
    await this.#loop
    await this.#context.dispose()
    await this.#use.release()
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
      await this.#admit()
      const busy = this.#lanes.filter((lane) => !lane.isFree)
      if (busy.length === 0) return
      await Promise.all(busy.map((lane) => lane.step()))
    }
  }

  /** Gives waiting tasks, oldest first, the free lane that has evaluated most of their prompt. */
  async #admit(): Promise<void> {
    let free = this.#lanes.filter((lane) => lane.isFree)
    while (free.length > 0) {
      const task = this.#waiting.shift()
      if (!task) return
      const lane = free.reduce((best, other) => (other.sharedPrefix(task) > best.sharedPrefix(task) ? other : best))
      await lane.begin(task).catch((thrown: unknown) => task.fail(thrown))
      free = free.filter((other) => other.isFree)
    }
  }

  #grammar(source: string): Promise<LlamaGrammar> {
    const known = this.#grammars.get(source)
    if (known) return known
    if (this.#grammars.size >= maxGrammars) this.#grammars.clear()
    const made = this.#llama.createGrammar({ grammar: source }).catch((thrown: unknown) => {
      this.#grammars.delete(source)
      throw new AppError(
        {
          code: 'bad-input',
          message: 'The grammar of this request cannot be read.',
          remedy: 'Correct the grammar, or ask without one.',
          detail: String(thrown),
        },
        { cause: thrown },
      )
    })
    this.#grammars.set(source, made)
    return made
  }
}

/**
 * Orders a batch by sequence. llama.cpp decodes sequences together only while their numbers rise by one; in any other order it
 * cuts the batch into pieces and reads the weights again for each. Every item gets a token first, so none waits for long prompts.
 */
const orderBySequence: CustomBatchingPrioritizationStrategy = ({ items, size }) => {
  const ordered = [...items].sort((a, b) => a.evaluationPriority - b.evaluationPriority)
  let left = Math.max(0, size - ordered.length)
  return ordered.map((item) => {
    const more = Math.min(item.tokens.length - 1, left)
    left -= more
    return { item, processAmount: 1 + more }
  })
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
