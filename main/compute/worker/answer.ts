// One answer while it is sampled: reasoning first where it is wanted, then the answer in its grammar, then, when it grew too long, its
// shortest ending. Takes sampled tokens and says what is to be evaluated next. Invariant: an answer in a grammar whose endings are known
// has that grammar's form, however it ended; only a cancelled one may not.

import type { GrammarState } from '../../domain/grammar-state.ts'
import type { Completion, CompletionRequest, Thinking } from '../llama-protocol.ts'
import type { NativeSampler, SamplerConfig } from './bindings.ts'
import { TextStream } from './text-stream.ts'
import type { CompiledGrammar, Vocabulary } from './vocabulary.ts'

/** Tokens of the context kept free beyond what an ending needs: a token may open what costs more to close. */
const endingMargin = 8

export interface AnswerStart {
  request: CompletionRequest
  /** The prompt as it is evaluated. */
  prompt: readonly number[]
  grammar: CompiledGrammar | null
  /** Tokens the context can hold beyond the prompt. */
  room: number
  onText: (piece: string) => void
}
export type AnswerText = Pick<Completion, 'text' | 'outputTokens' | 'stop' | 'reasoning'>

export class Answer {
  readonly #vocabulary: Vocabulary
  readonly #start: AnswerStart
  readonly #maxReasoning: number
  readonly #reasoning: TextStream | null
  #stream: TextStream
  #phase: 'reasoning' | 'answer' | 'closing'
  #sampler: { native: NativeSampler; config: SamplerConfig }
  #state: GrammarState | null = null
  /** Text before the ending. */
  #said = ''
  /** Why the answer is being closed. */
  #stop: Completion['stop'] = 'length'
  #outputTokens = 0
  #answerTokens = 0
  /** Tokens behind the prompt, sampled or put there. */
  #used = 0

  constructor(vocabulary: Vocabulary, start: AnswerStart) {
    this.#vocabulary = vocabulary
    this.#start = start
    const { request, prompt } = start
    const { thinking } = request
    this.#phase = thinking ? 'reasoning' : 'answer'
    this.#reasoning = thinking
      ? new TextStream(vocabulary.textOf, { stops: [thinking.closing], before: prompt.slice(-8) })
      : null
    this.#maxReasoning = thinking ? reasoningLimit(thinking, start, this.#closingTokens(thinking).length) : 0
    this.#stream = this.#newStream(prompt)
    this.#sampler = this.#newSampler(thinking ? null : start.grammar)
    this.#state = start.grammar?.tracker?.start() ?? null
  }

  get sampler(): NativeSampler {
    return this.#sampler.native
  }

  /** Takes the token sampled last; returns the tokens to evaluate before the next is sampled, or why the answer ends. */
  async take(token: number): Promise<number[] | Completion['stop']> {
    this.#outputTokens += 1
    this.#used += 1
    if (this.#phase === 'reasoning') return this.#takeReasoning(token)
    this.#answerTokens += 1
    const isClosing = this.#phase === 'closing'
    if (this.#vocabulary.isEnd(token)) return isClosing ? this.#stop : 'end'
    this.#say(this.#stream.push(token))
    if (isClosing) return this.#stream.isStopped || this.#state?.canEnd || this.#isFull(0) ? this.#stop : [token]
    if (this.#stream.isStopped) return this.#close(token, 'stop-text')
    if (this.#state?.stacks.length === 0) return 'end'
    this.#allowEnd()
    return this.#isTooLong() ? this.#close(token, 'length') : [token]
  }

  /** Frees what the answer holds, and tells what it says. */
  end(stop: Completion['stop']): AnswerText {
    this.dispose()
    this.#say(this.#stream.end())
    this.#reasoning?.end()
    const reasoning = this.#reasoning ? { reasoning: this.#reasoning.text.trim() } : {}
    return { text: this.#said + this.#stream.text, outputTokens: this.#outputTokens, stop, ...reasoning }
  }

  dispose(): void {
    this.#sampler.native.dispose()
  }

  #takeReasoning(token: number): number[] {
    const thinking = this.#start.request.thinking!
    const stream = this.#reasoning!
    if (this.#vocabulary.isEnd(token)) return this.#openAnswer(this.#closingTokens(thinking))
    stream.push(token)
    if (stream.isStopped) return this.#openAnswer([token, ...this.#vocabulary.tokenize(afterReasoning)])
    if (this.#outputTokens < this.#maxReasoning) return [token]
    return this.#openAnswer([token, ...this.#closingTokens(thinking)])
  }

  #openAnswer(tokens: number[]): number[] {
    this.#phase = 'answer'
    this.#used += tokens.length - 1
    this.#stream = this.#newStream(tokens)
    this.#sampler.native.dispose()
    this.#sampler = this.#newSampler(this.#start.grammar)
    return tokens
  }

  #closingTokens({ closing }: Thinking): number[] {
    return this.#vocabulary.tokenize(`\n${closing}${afterReasoning}`)
  }

  /** Gives out text that is certain; the grammar's state follows it. */
  #say(piece: string): void {
    if (piece === '') return
    this.#start.onText(piece)
    const tracker = this.#start.grammar?.tracker
    if (this.#state && tracker) this.#state = tracker.advance(this.#state, piece)
  }

  /** From `minTokens` on the answer may end of itself. */
  #allowEnd(): void {
    const { request, grammar } = this.#start
    if (this.#answerTokens !== request.minTokens) return
    this.#sampler.native.applyConfig({ ...this.#sampler.config, ...this.#vocabulary.bias({ grammar, mayEnd: true }) })
  }

  #isTooLong(): boolean {
    if (this.#answerTokens >= this.#start.request.maxTokens) return true
    const tracker = this.#start.grammar?.tracker
    if (!this.#state || !tracker) return this.#isFull(0)
    // The endings are only looked at where they may be needed.
    if (!this.#isFull(256)) return false
    return this.#isFull(tracker.closing(this.#state).maxBytes + endingMargin)
  }

  /** Whether fewer than `needed` tokens more would fit. */
  #isFull(needed: number): boolean {
    return this.#used + needed >= this.#start.room
  }

  /** Ends the answer, in its grammar's shortest form where it is not whole yet. */
  async #close(token: number, stop: Completion['stop']): Promise<number[] | Completion['stop']> {
    const tracker = this.#start.grammar?.tracker
    if (!tracker || !this.#state || this.#isFull(0)) return stop
    // Half a character is finished first; the grammar sees to that.
    if (this.#stream.isInsideCharacter) return [token]
    this.#say(this.#stream.end())
    if (!this.#state || this.#state.canEnd) return stop
    const closing = await this.#vocabulary.grammar(tracker.closing(this.#state).source)
    this.#phase = 'closing'
    this.#stop = stop
    this.#said = this.#stream.text
    this.#stream = this.#newStream([token])
    this.#sampler.native.dispose()
    this.#sampler = this.#newSampler(closing)
    return [token]
  }

  #newStream(before: readonly number[]): TextStream {
    return new TextStream(this.#vocabulary.textOf, { stops: this.#start.request.stops, before: before.slice(-8) })
  }

  #newSampler(grammar: CompiledGrammar | null): { native: NativeSampler; config: SamplerConfig } {
    const { request } = this.#start
    const mayEnd = this.#phase !== 'answer' || (request.minTokens ?? 0) <= this.#answerTokens
    return this.#vocabulary.sampler({ request, grammar, mayEnd })
  }
}

/** What stands between reasoning and answer. */
const afterReasoning = '\n\n'

/** Tokens for reasoning: as many as asked for, as long as the whole answer fits behind them. */
function reasoningLimit(thinking: Thinking, { request, room }: AnswerStart, closingTokens: number): number {
  return Math.max(1, Math.min(thinking.maxTokens, room - closingTokens - request.maxTokens - endingMargin))
}

/** Tokens an answer to this request needs at least, beyond its prompt. */
export function leastTokens(
  vocabulary: Vocabulary,
  request: CompletionRequest,
  grammar: CompiledGrammar | null,
): number {
  const tracker = grammar?.tracker
  const answer = tracker ? tracker.closing(tracker.start()).maxBytes + 1 : 1
  const { thinking } = request
  return answer + (thinking ? vocabulary.tokenize(`\n${thinking.closing}${afterReasoning}`).length + 1 : 0)
}

/** The prompt with the reasoning opened. */
export function promptOf({ prompt, thinking }: CompletionRequest): string {
  if (!thinking || prompt.trimEnd().endsWith(thinking.opening)) return prompt
  return `${prompt}${thinking.opening}\n`
}
