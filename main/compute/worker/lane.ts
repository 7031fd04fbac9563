// One sequence of a context and the task it works on. Keeps its evaluated prefix between tasks; a task that shares it skips it.
// Never lets a context overflow: a prompt that does not fit is refused, an answer that would is ended.

import {
  type EvaluationPriority,
  type LlamaContextSequence,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp'
import { AppError } from '../../contract/errors.ts'
import type { Completion, CompletionRequest, Score } from '../llama-protocol.ts'
import { TextStream } from './text-stream.ts'

/** Work waiting for a lane. Exactly one of `done` and `fail` is called, once. */
export interface CompletionTask {
  kind: 'complete'
  request: CompletionRequest
  tokens: Token[]
  grammar: LlamaGrammar | null
  isCancelled: boolean
  onText: (piece: string) => void
  done: (completion: Completion) => void
  fail: (error: unknown) => void
}
export interface ScoreTask {
  kind: 'score'
  /** Prompt and continuation as one. */
  tokens: Token[]
  promptLength: number
  isCancelled: boolean
  done: (score: Score) => void
  fail: (error: unknown) => void
}
export type Task = CompletionTask | ScoreTask

interface RunningCompletion {
  kind: 'complete'
  task: CompletionTask
  iterator: AsyncGenerator<Token, void>
  stream: TextStream
  limit: number
  outputTokens: number
  startedAt: number
}
type Running = RunningCompletion | { kind: 'score'; task: ScoreTask }

export class Lane {
  readonly #sequence: LlamaContextSequence
  readonly #model: LlamaModel
  readonly #place: EvaluationPriority
  #running: Running | null = null

  /** `place`: the sequence's number in its context; sessions order their batches by it. */
  constructor(sequence: LlamaContextSequence, place: number) {
    this.#sequence = sequence
    this.#model = sequence.model
    this.#place = placeAsPriority(place)
  }

  get isFree(): boolean {
    return this.#running === null
  }

  /** Tokens of the task this lane has evaluated already. */
  sharedPrefix(task: Task): number {
    return Math.min(this.#sequence.compareContextTokens(task.tokens).firstDifferentIndex, reusable(task))
  }

  /** Makes the lane ready to step the task. Call only while no step is in flight. */
  async begin(task: Task): Promise<void> {
    const shared = this.sharedPrefix(task)
    const held = this.#sequence.nextTokenIndex
    if (held > shared) await this.#sequence.eraseContextTokenRanges([{ start: shared, end: held }])
    if (task.kind === 'score') {
      this.#running = { kind: 'score', task }
      return
    }
    const { request, tokens, grammar } = task
    const iterator = this.#sequence.evaluate(tokens.slice(this.#sequence.nextTokenIndex), {
      temperature: request.temperature,
      topK: request.topK ?? 0,
      topP: request.topP ?? 1,
      minP: request.minP ?? 0,
      evaluationPriority: this.#place,
      // The largest 32-bit value means "random" to llama.cpp, so the top bit stays clear.
      seed: request.seed & 0x7fffffff,
      grammarEvaluationState: grammar ? new LlamaGrammarEvaluationState({ model: this.#model, grammar }) : undefined,
    })
    const detokenize = (piece: number[], before: number[]) =>
      this.#model.detokenize(piece as Token[], false, before as Token[])
    this.#running = {
      kind: 'complete',
      task,
      iterator,
      stream: new TextStream(detokenize, { stops: request.stops, before: tokens.slice(-8) }),
      limit: Math.min(request.maxTokens, this.#sequence.contextSize - 1 - tokens.length),
      outputTokens: 0,
      startedAt: performance.now(),
    }
  }

  /** One token of an answer, or a whole score. Never rejects: failures go to the task. */
  async step(): Promise<void> {
    const running = this.#running
    if (!running) return
    try {
      if (running.kind === 'score') await this.#score(running.task)
      else await this.#stepCompletion(running)
    } catch (thrown) {
      this.#running = null
      running.task.fail(thrown)
    }
  }

  async #stepCompletion(running: RunningCompletion): Promise<void> {
    const { task, iterator, stream } = running
    if (task.isCancelled) return this.#finish(running, 'cancelled')
    const { value: token, done } = await iterator.next()
    if (done || token === undefined) return this.#finish(running, 'end')
    running.outputTokens += 1
    const piece = stream.push(token)
    if (piece !== '') task.onText(piece)
    if (stream.isStopped) return this.#finish(running, 'stop-text')
    if (running.outputTokens >= running.limit) return this.#finish(running, 'length')
  }

  async #finish(running: RunningCompletion, stop: Completion['stop']): Promise<void> {
    const { task, stream } = running
    await running.iterator.return()
    const rest = stream.end()
    if (rest !== '') task.onText(rest)
    this.#running = null
    task.done({
      text: stream.text,
      promptTokens: task.tokens.length,
      outputTokens: running.outputTokens,
      ms: performance.now() - running.startedAt,
      stop,
    })
  }

  /** log p(token[i + 1] | tokens[0..i]) summed over the continuation; the last token's own output is not needed. */
  async #score(task: ScoreTask): Promise<void> {
    const { tokens, promptLength } = task
    const from = this.#sequence.nextTokenIndex
    const wholeVocabulary = { temperature: 1, topK: 0, topP: 1, minP: 0 }
    const input = tokens
      .slice(from, -1)
      .map((token, index) =>
        from + index >= promptLength - 1
          ? ([token, { generateNext: { probabilities: true, options: wholeVocabulary } }] satisfies [Token, object])
          : token,
      )
    const outputs = await this.#sequence.controlledEvaluate(input, { evaluationPriority: this.#place })
    let logLikelihood = 0
    for (let at = promptLength; at < tokens.length; at++) {
      const probability = outputs[at - 1 - from]?.next.probabilities?.get(tokens[at]!)
      if (probability === undefined) throw new Error('llama.cpp gave no probability for a token')
      logLikelihood += Math.log(Math.max(probability, smallestProbability))
    }
    this.#running = null
    task.done({ logLikelihood, tokens: tokens.length - promptLength })
  }
}

/**
 * node-llama-cpp hands a batch's items to the session's ordering with their priority and without their sequence, so the priority
 * carries the sequence's number. Nothing else reads it.
 */
function placeAsPriority(place: number): EvaluationPriority {
  return (place + 1) as EvaluationPriority
}

/** Smallest positive 32-bit float: what a probability that underflowed is taken for. */
const smallestProbability = 1.4e-45

/** At least one token must be evaluated to have an output; for a score, from the prompt's last token on. */
function reusable(task: Task): number {
  return task.kind === 'score' ? task.promptLength - 1 : task.tokens.length - 1
}

/** Refuses a prompt that leaves no room for an answer of at least `answerTokens`. */
export function checkFits(promptTokens: number, answerTokens: number, contextTokens: number): void {
  if (promptTokens + answerTokens <= contextTokens - 1) return
  throw new AppError({
    code: 'bad-input',
    message: `The prompt has ${promptTokens} tokens and does not fit into the model's context of ${contextTokens}.`,
    remedy: 'Shorten the text, show fewer examples, or use a model with a longer context.',
  })
}
