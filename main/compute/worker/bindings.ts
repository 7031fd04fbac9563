// The one place that reaches behind node-llama-cpp's public API, to the calls of its native addon. Its own evaluation loop costs about
// as much as a small model's decoding (a queue, three locks and a sampler's configuration a token); here a step of all sequences is one
// batch, filled and decoded once. Refuses a node-llama-cpp whose addon lacks a call; the version is pinned in package.json.

import type { Llama, LlamaContext, LlamaGrammar, LlamaModel } from 'node-llama-cpp'
import { AppError } from '../../contract/errors.ts'

/** A context of llama.cpp. Sequences are numbers from 0; positions count from a sequence's first token. */
export interface NativeContext {
  /** Begins an empty batch for at most `size` tokens. */
  initBatch(size: number): void
  /** Adds tokens of one sequence; returns the batch rows of those named in `outputs` (indexes into `tokens`, rising). */
  addToBatch(sequence: number, position: number, tokens: Uint32Array, outputs: Uint32Array): Uint32Array
  decodeBatch(): Promise<void>
  /** A row's next token, which the sampler then counts as said; -1 when nothing is admitted. */
  sampleToken(row: number, sampler: NativeSampler): Promise<number>
  /** The same with the probabilities of the whole vocabulary: token, probability, token, probability... */
  sampleToken(row: number, sampler: NativeSampler, withProbabilities: true): Promise<[number, number[]]>
  /** False when this kind of cache cannot be cut there. */
  removeTokenCellsFromSequence(sequence: number, from: number, to: number): boolean
  /** Empties a sequence. */
  disposeSequence(sequence: number): void
  /** Returns the bytes written. */
  saveSequenceStateToFile(path: string, sequence: number, tokens: Uint32Array): Promise<number>
  /** Replaces what the sequence holds; returns its tokens. */
  loadSequenceStateFromFile(path: string, sequence: number, mostTokens: number): Promise<Uint32Array>
}

/** A chain of samplers with the state of one answer. */
export interface NativeSampler {
  applyConfig(config: SamplerConfig): void
  dispose(): void
}

/** What is absent does not take part. */
export interface SamplerConfig {
  temperature: number
  topK?: number
  topP?: number
  minP?: number
  seed: number
  tokenBiasKeys?: Uint32Array
  tokenBiasValues?: Float32Array
  grammarEvaluationState?: NativeGrammarState
}

declare const grammarStateBrand: unique symbol
/** How far an answer is in its grammar. */
export interface NativeGrammarState {
  [grammarStateBrand]: true
}

interface Addon {
  AddonSampler: new (model: unknown) => NativeSampler
  AddonGrammarEvaluationState: new (model: unknown, grammar: unknown) => NativeGrammarState
}

const contextCalls: readonly (keyof NativeContext)[] = [
  'initBatch',
  'addToBatch',
  'decodeBatch',
  'sampleToken',
  'removeTokenCellsFromSequence',
  'disposeSequence',
  'saveSequenceStateToFile',
  'loadSequenceStateFromFile',
]

/** The native side of a context. Throws `unsupported-runtime` when this node-llama-cpp is built otherwise. */
export function nativeContext(context: LlamaContext): NativeContext {
  const native = (context as unknown as { _ctx?: Partial<NativeContext> })._ctx
  const missing = contextCalls.find((name) => typeof native?.[name] !== 'function')
  if (missing !== undefined) throw otherBuild(missing)
  return native as NativeContext
}

/** Creates a sampler; `dispose` frees it. */
export function createSampler(llama: Llama, model: LlamaModel): NativeSampler {
  return new (addonOf(llama).AddonSampler)(nativeModel(model))
}

/** Creates the state of an empty answer; garbage collection frees it. */
export function createGrammarState(llama: Llama, model: LlamaModel, grammar: LlamaGrammar): NativeGrammarState {
  const native = (grammar as unknown as { _grammar: unknown })._grammar
  return new (addonOf(llama).AddonGrammarEvaluationState)(nativeModel(model), native)
}

function addonOf(llama: Llama): Addon {
  const addon = (llama as unknown as { _bindings?: Partial<Addon> })._bindings
  if (!addon?.AddonSampler || !addon.AddonGrammarEvaluationState) throw otherBuild('AddonSampler')
  return addon as Addon
}

function nativeModel(model: LlamaModel): unknown {
  return (model as unknown as { _model: unknown })._model
}

function otherBuild(missing: string): AppError {
  return new AppError({
    code: 'unsupported-runtime',
    message: 'The llama.cpp library in this installation is not the one Labdesk was made for.',
    remedy: 'Install Labdesk again, so that the libraries it was tested with are fetched.',
    detail: `node-llama-cpp has no ${missing}`,
  })
}
