// A model's tokens as sessions need them: text to tokens and back, which tokens end an answer, samplers, grammars. Invariant: with a
// grammar no control token is ever sampled, so that the text of an answer is what its grammar saw.

import type { Llama, LlamaGrammar, LlamaModel, Token } from 'node-llama-cpp'
import { AppError } from '../../contract/errors.ts'
import { parseGrammar } from '../../domain/gbnf.ts'
import { GrammarTracker } from '../../domain/grammar-state.ts'
import type { CompletionRequest } from '../llama-protocol.ts'
import { createGrammarState, createSampler, type NativeSampler, type SamplerConfig } from './bindings.ts'

/** Compiled grammars kept; a run uses about a dozen, and as many for closing. */
const maxGrammars = 256

export interface CompiledGrammar {
  native: LlamaGrammar
  /** Null for a grammar whose endings are not known; answers too long for it are cut. */
  tracker: GrammarTracker | null
}

export interface SamplerWish {
  request: CompletionRequest
  grammar: CompiledGrammar | null
  /** Whether the answer may end of itself. */
  mayEnd: boolean
}

export class Vocabulary {
  readonly #llama: Llama
  readonly #model: LlamaModel
  readonly #grammars = new Map<string, Promise<CompiledGrammar>>()
  readonly #pieces = new Map<number, string>()
  #special: { control: number[]; ends: number[] } | null = null

  constructor(llama: Llama, model: LlamaModel) {
    this.#llama = llama
    this.#model = model
  }

  /** Special tokens written out in the text are recognised; nothing is added in front. */
  tokenize(text: string): number[] {
    return this.#model.tokenize(text, true)
  }

  /** With special tokens written out. */
  detokenize(tokens: Int32Array): string {
    return this.#model.detokenize(Array.from(tokens) as Token[], true)
  }

  /** The text that `tokens` add behind `before`; special tokens have none. */
  readonly textOf = (tokens: readonly number[], before: readonly number[], isFirst: boolean): string => {
    const [token] = tokens
    if (isFirst || tokens.length !== 1 || token === undefined) return this.#read(tokens, before)
    const known = this.#pieces.get(token)
    if (known !== undefined) return known
    const piece = this.#read(tokens, before)
    // Inside a text a token's own text is always the same, unless it is a part of a character.
    if (!piece.includes('\uFFFD')) this.#pieces.set(token, piece)
    return piece
  }

  isEnd(token: number): boolean {
    return this.#model.isEogToken(token as Token)
  }

  /** A sampler for one answer, seeded. */
  sampler(wish: SamplerWish): { native: NativeSampler; config: SamplerConfig } {
    const native = createSampler(this.#llama, this.#model)
    const { request, grammar } = wish
    const config: SamplerConfig = {
      temperature: request.temperature,
      // The largest 32-bit value means "random" to llama.cpp, so the top bit stays clear.
      seed: request.seed & 0x7fffffff,
      ...topKOf(request),
      ...(request.topP !== undefined && request.topP < 1 ? { topP: request.topP } : {}),
      ...(request.minP ? { minP: request.minP } : {}),
      ...(grammar ? { grammarEvaluationState: createGrammarState(this.#llama, this.#model, grammar.native) } : {}),
    }
    native.applyConfig({ ...config, ...this.bias(wish) })
    return { native, config }
  }

  /** A sampler that takes the whole vocabulary as it is. */
  scorer(): NativeSampler {
    const native = createSampler(this.#llama, this.#model)
    native.applyConfig({ temperature: 1, seed: 0 })
    return native
  }

  /** Forbids what must not be sampled. */
  bias({ grammar, mayEnd }: Pick<SamplerWish, 'grammar' | 'mayEnd'>): Partial<SamplerConfig> {
    if (!grammar && mayEnd) return {}
    const { control, ends } = this.#specialTokens()
    const keys = Uint32Array.from([...(grammar ? control : []), ...(mayEnd ? [] : ends)])
    if (keys.length === 0) return {}
    return { tokenBiasKeys: keys, tokenBiasValues: new Float32Array(keys.length).fill(Number.NEGATIVE_INFINITY) }
  }

  /** Compiles a grammar once. Throws `bad-input` for one that cannot be read. */
  grammar(source: string): Promise<CompiledGrammar> {
    const known = this.#grammars.get(source)
    if (known) return known
    if (this.#grammars.size >= maxGrammars) this.#grammars.clear()
    const made = this.#llama.createGrammar({ grammar: source }).then(
      (native) => ({ native, tracker: trackerOf(source) }),
      (thrown: unknown) => {
        this.#grammars.delete(source)
        throw badGrammar(thrown)
      },
    )
    this.#grammars.set(source, made)
    return made
  }

  #read(tokens: readonly number[], before: readonly number[]): string {
    return this.#model.detokenize(tokens as Token[], false, before as Token[])
  }

  #specialTokens(): { control: number[]; ends: number[] } {
    if (this.#special) return this.#special
    const special = { control: [] as number[], ends: [] as number[] }
    for (const token of this.#model.iterateAllTokens()) {
      if (this.#model.isEogToken(token)) special.ends.push(token)
      else if (this.#model.getTokenAttributes(token).control) special.control.push(token)
    }
    this.#special = special
    return special
  }
}

/**
 * Top-p sorts all it keeps, which for a model that is sure of nothing is the whole vocabulary, token by token. The likeliest thousand hold
 * all that matters, and finding them takes one pass.
 */
function topKOf({ topK, topP, temperature }: CompletionRequest): { topK?: number } {
  if (topK) return { topK }
  return temperature > 0 && topP !== undefined && topP < 1 ? { topK: likeliest } : {}
}
const likeliest = 1000

function trackerOf(source: string): GrammarTracker | null {
  try {
    return new GrammarTracker(parseGrammar(source))
  } catch {
    return null // what llama.cpp reads and this does not, such as rules for single tokens
  }
}

function badGrammar(thrown: unknown): AppError {
  return new AppError(
    {
      code: 'bad-input',
      message: 'The grammar of this request cannot be read.',
      remedy: 'Correct the grammar, or ask without one.',
      detail: String(thrown),
    },
    { cause: thrown },
  )
}
