// One sequence of a context and the task it works on: which tokens its cache holds, which are to be evaluated next, what is read from
// their outputs. Its cache stays between tasks; a task that begins the same goes on from there. Touches llama.cpp only between decodes.

import { Answer } from './answer.ts'
import type { NativeContext, NativeSampler } from './bindings.ts'
import type { Completion } from '../llama-protocol.ts'
import { commonPrefix, type CompletionTask, reusableTokens, type ScoreTask, type Task } from './task.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Lengths of one prompt at which its cache is worth keeping, at most. */
const maxCuts = 8

type Work =
  | { kind: 'complete'; task: CompletionTask; answer: Answer; evaluatedPromptTokens: number; startedAt: number }
  | { kind: 'score'; task: ScoreTask; logLikelihood: number }

export class Lane {
  /** The sequence's number. llama.cpp decodes sequences together only while their numbers rise by one. */
  readonly place: number
  readonly #native: NativeContext
  readonly #vocabulary: Vocabulary
  readonly #contextTokens: number
  #scorer: NativeSampler | null = null
  #held: number[] = []
  #pending: number[] = []
  #cuts: number[] = []
  #work: Work | null = null

  constructor(place: number, context: LaneContext) {
    this.place = place
    this.#native = context.native
    this.#vocabulary = context.vocabulary
    this.#contextTokens = context.contextTokens
  }

  get isFree(): boolean {
    return this.#work === null
  }
  /** Tokens in the cache. */
  get held(): readonly number[] {
    return this.#held
  }
  get pendingCount(): number {
    return this.#pending.length
  }

  /** Tokens that may be evaluated in one piece: up to the next length worth keeping. */
  get nextCount(): number {
    const cut = this.#cuts[0]
    return cut === undefined ? this.#pending.length : Math.min(this.#pending.length, cut - this.#held.length)
  }

  /** Tokens of the task in the cache. */
  shared(task: Task): number {
    return commonPrefix(this.#held, task.tokens, reusableTokens(task))
  }

  /** Tokens of the task that will be in the cache once everything pending is evaluated. */
  coming(task: Task): number {
    const now = this.shared(task)
    if (now < this.#held.length) return now
    return now + commonPrefix(this.#pending, task.tokens.slice(now), reusableTokens(task) - now)
  }

  /** Stops evaluation at this length for a moment, so that the cache can be kept there. False when it is past it. */
  keepAt(length: number): boolean {
    if (length <= this.#held.length || this.#cuts.length >= maxCuts) return false
    if (!this.#cuts.includes(length)) this.#cuts = [...this.#cuts, length].sort((a, b) => a - b)
    return true
  }

  /** Whether the cache has a length worth keeping now; asked once. */
  takeCut(): boolean {
    if (this.#cuts[0] !== this.#held.length) return false
    this.#cuts.shift()
    return true
  }

  /** Replaces the cache by one that was kept. */
  async load(path: string): Promise<void> {
    this.#held = []
    try {
      const tokens = await this.#native.loadSequenceStateFromFile(path, this.place, this.#contextTokens)
      this.#held = Array.from(tokens)
    } catch (thrown) {
      this.#native.disposeSequence(this.place)
      throw thrown
    }
  }

  /** Makes the lane ready to evaluate the task. */
  begin(task: Task): void {
    this.#cutBack(this.shared(task))
    const from = this.#held.length
    this.#cuts = []
    this.#pending = task.tokens.slice(from, task.kind === 'score' ? -1 : undefined)
    if (task.kind === 'score') {
      this.#work = { kind: 'score', task, logLikelihood: 0 }
      return
    }
    const { request, tokens, grammar, onText } = task
    const room = this.#contextTokens - 1 - tokens.length
    const answer = new Answer(this.#vocabulary, { request, prompt: tokens, grammar, room, onText })
    const evaluatedPromptTokens = this.#pending.length
    this.#work = { kind: 'complete', task, answer, evaluatedPromptTokens, startedAt: performance.now() }
  }

  /** Adds the next `count` pending tokens to the batch; returns the rows whose outputs are to be read. */
  fill(count: number): Uint32Array {
    const from = this.#held.length
    const tokens = Uint32Array.from(this.#pending.slice(0, count))
    return this.#native.addToBatch(this.place, from, tokens, this.#outputs(from, count))
  }

  /** The batch with its tokens was decoded. */
  advance(count: number): void {
    if (count === this.#pending.length) {
      for (const token of this.#pending) this.#held.push(token)
      this.#pending = []
    } else this.#held.push(...this.#pending.splice(0, count))
  }

  /** Reads the outputs. Never rejects: failures go to the task. */
  async read(rows: Uint32Array): Promise<void> {
    const work = this.#work
    if (!work || rows.length === 0) return
    try {
      if (work.kind === 'score') await this.#readScore(work, rows)
      else await this.#readAnswer(work, rows[0] ?? 0)
    } catch (thrown) {
      this.fail(thrown)
    }
  }

  /** Ends a task that nobody waits for any more. */
  dropCancelled(): void {
    const work = this.#work
    if (!work?.task.isCancelled) return
    if (work.kind === 'complete') this.#finish(work, 'cancelled')
    else this.fail(new Error('cancelled'))
  }

  /** Fails the task and forgets the cache, whose state is not known after an error. */
  fail(error: unknown): void {
    const work = this.#work
    this.#work = null
    this.#pending = []
    this.#cuts = []
    this.#held = []
    this.#native.disposeSequence(this.place)
    if (work?.kind === 'complete') work.answer.dispose()
    work?.task.fail(error)
  }

  /** Indexes into the next `count` tokens. An answer is read behind its last token, a score behind each of its continuation. */
  #outputs(from: number, count: number): Uint32Array {
    const work = this.#work
    if (work?.kind !== 'score') return count === this.#pending.length ? Uint32Array.of(count - 1) : new Uint32Array()
    const first = Math.max(0, work.task.promptLength - 1 - from)
    return Uint32Array.from({ length: Math.max(0, count - first) }, (_, index) => first + index)
  }

  async #readAnswer(work: Work & { kind: 'complete' }, row: number): Promise<void> {
    const token = await this.#native.sampleToken(row, work.answer.sampler)
    if (token < 0) throw new Error('the grammar admits none of the tokens of this model')
    const next = await work.answer.take(token)
    if (Array.isArray(next)) this.#pending = next
    else this.#finish(work, next)
  }

  #finish(work: Work & { kind: 'complete' }, stop: Completion['stop']): void {
    const { task, answer, evaluatedPromptTokens, startedAt } = work
    const text = answer.end(stop)
    this.#work = null
    this.#pending = []
    this.#cuts = []
    const ms = performance.now() - startedAt
    task.done({ ...text, promptTokens: task.tokens.length, evaluatedPromptTokens, ms })
  }

  /** log p(token[i + 1] | tokens[0..i]) summed over the continuation; the last token's own output is not needed. */
  async #readScore(work: Work & { kind: 'score' }, rows: Uint32Array): Promise<void> {
    const { task } = work
    const first = this.#held.length - rows.length
    const scorer = (this.#scorer ??= this.#vocabulary.scorer())
    for (const [index, row] of rows.entries()) {
      const [, probabilities] = await this.#native.sampleToken(row, scorer, true)
      work.logLikelihood += Math.log(probabilityOf(task.tokens[first + index + 1] ?? -1, probabilities))
    }
    if (this.#pending.length > 0) return
    this.#work = null
    task.done({ logLikelihood: work.logLikelihood, tokens: task.tokens.length - task.promptLength })
  }

  /** Cuts the cache back to its first `length` tokens, or empties it where it cannot be cut. */
  #cutBack(length: number): void {
    if (this.#held.length <= length) return
    if (length > 0 && this.#native.removeTokenCellsFromSequence(this.place, length, -1)) this.#held.length = length
    else {
      this.#native.disposeSequence(this.place)
      this.#held = []
    }
  }
}

/** What all lanes of a session share. */
export interface LaneContext {
  native: NativeContext
  vocabulary: Vocabulary
  contextTokens: number
}

/** Smallest positive 32-bit float: what a probability that underflowed is taken for. */
const smallestProbability = 1.4e-45

function probabilityOf(token: number, probabilities: readonly number[]): number {
  for (let at = 0; at < probabilities.length; at += 2)
    if (probabilities[at] === token) return Math.max(probabilities[at + 1] ?? 0, smallestProbability)
  throw new Error('llama.cpp gave no probability for a token')
}
