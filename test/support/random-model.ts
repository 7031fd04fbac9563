// Writes a random model of any supported architecture, shape and weight type as GGUF, small enough that llama.cpp and the trainer compute
// the same loss in milliseconds. Metadata that is not given is not written, so that readers show their defaults.

import type { GgufEntry } from '../../main/domain/gguf.ts'
import { writeGgufFile } from './gguf-writer.ts'
import { drawTensors } from './random-model-tensors.ts'
import type { WeightType } from './random-weights.ts'

/** `general.architecture` of the models that can be written. */
export type Architecture =
  | 'llama'
  | 'qwen2'
  | 'qwen3'
  | 'gemma2'
  | 'gemma3'
  | 'phi3'
  | 'granite'
  | 'olmo2'
  | 'qwen3moe'
  | 'granitemoe'

export interface RopeSettings {
  base?: number
  /** Base of the layers with a sliding window. */
  localBase?: number
  /** Rotated dimensions of a head, where they are fewer than all. */
  rotated?: number
  scaling?: {
    type?: 'linear' | 'yarn' | 'longrope'
    factor?: number
    originalContext?: number
    /** Multiplies cosine and sine. */
    attentionFactor?: number
  }
  /** `llama3`: the tensor rope_freqs.weight. `longrope`: rope_factors_long.weight and rope_factors_short.weight. */
  factors?: 'llama3' | 'longrope'
  /** `rope.scaling.finetuned`; false switches the rotation of granite off. */
  isFinetuned?: boolean
}

export interface RandomModel {
  architecture: Architecture
  width: number
  layerCount: number
  headCount: number
  kvHeadCount: number
  ffnWidth: number
  vocabSize: number
  /** Written as key_length and value_length; else the width divided by the heads. */
  headSize?: number
  contextLength?: number
  rope?: RopeSettings
  isTied?: boolean
  /** Linear layers that get a bias. */
  biases?: ('qkv' | 'attentionOutput' | 'ffn' | 'head')[]
  /** Tokens a windowed layer sees, itself included. */
  window?: number
  /** Every how many layers one sees everything; as a list it is written per layer (true: windowed), which llama.cpp ignores. */
  windowPattern?: number | boolean[]
  softCaps?: { attention?: number; final?: number }
  scales?: { logit?: number; embedding?: number; residual?: number; attention?: number }
  experts?: { count: number; used: number; width?: number; sharedWidth?: number }
  type?: WeightType
  /** Types of some roles (attn_v) where they differ, as in a Q4_K_M file. */
  roleTypes?: Partial<Record<string, WeightType>>
  seed?: number
  /** All `tokenizer.*` entries, from a real model; else bytes and filler words. */
  vocabulary?: readonly GgufEntry[]
}

/** Writes the model and returns its path. */
export function writeRandomModel(path: string, model: RandomModel): string {
  return writeGgufFile(path, planEntries(model), drawTensors(model))
}

function planEntries(model: RandomModel): GgufEntry[] {
  const { architecture } = model
  const entries: GgufEntry[] = [
    { key: 'general.architecture', type: 'string', value: architecture },
    // llama.cpp expects a certain vocabulary of models whose name holds phi3.
    { key: 'general.name', type: 'string', value: `random ${architecture.replace('phi3', 'phi')}` },
    { key: 'general.file_type', type: 'u32', value: 0 },
  ]
  const count = (key: string, value: number | undefined) => {
    if (value !== undefined) entries.push({ key: `${architecture}.${key}`, type: 'u32', value })
  }
  const real = (key: string, value: number | undefined) => {
    if (value !== undefined) entries.push({ key: `${architecture}.${key}`, type: 'f32', value })
  }
  count('block_count', model.layerCount)
  count('context_length', model.contextLength ?? 512)
  count('embedding_length', model.width)
  count('feed_forward_length', model.ffnWidth)
  count('attention.head_count', model.headCount)
  count('attention.head_count_kv', model.kvHeadCount)
  real('attention.layer_norm_rms_epsilon', 1e-5)
  real('rope.freq_base', model.rope?.base ?? 10000)
  // As the converter has it: only these name the rotated dimensions where all of them are.
  const isNamed = architecture === 'llama' || architecture === 'phi3'
  const headSize = model.headSize ?? model.width / model.headCount
  count('rope.dimension_count', model.rope?.rotated ?? (isNamed ? headSize : undefined))
  count('vocab_size', model.vocabSize)
  count('attention.key_length', model.headSize)
  count('attention.value_length', model.headSize)
  entries.push(...featureEntries(model))
  return [...entries, ...(model.vocabulary ?? fillerVocabulary(model.vocabSize))]
}

/** Everything a plain llama lacks. */
function featureEntries({ architecture, rope, softCaps, scales, experts, ...model }: RandomModel): GgufEntry[] {
  const entries: GgufEntry[] = []
  const key = (name: string) => `${architecture}.${name}`
  const put = (name: string, type: 'u32' | 'f32' | 'string' | 'bool', value: number | string | boolean | undefined) => {
    if (value !== undefined) entries.push({ key: key(name), type, value })
  }
  put('rope.freq_base_swa', 'f32', rope?.localBase)
  put('rope.scaling.type', 'string', rope?.scaling?.type)
  put('rope.scaling.factor', 'f32', rope?.scaling?.factor)
  put('rope.scaling.original_context_length', 'u32', rope?.scaling?.originalContext)
  put('rope.scaling.attn_factor', 'f32', rope?.scaling?.attentionFactor)
  put('rope.scaling.finetuned', 'bool', rope?.isFinetuned)
  put('attention.sliding_window', 'u32', model.window)
  if (Array.isArray(model.windowPattern)) {
    const value = model.windowPattern
    entries.push({ key: key('attention.sliding_window_pattern'), type: 'array', of: 'bool', value })
  } else put('attention.sliding_window_pattern', 'u32', model.windowPattern)
  put('attn_logit_softcapping', 'f32', softCaps?.attention)
  put('final_logit_softcapping', 'f32', softCaps?.final)
  put('logit_scale', 'f32', scales?.logit)
  put('embedding_scale', 'f32', scales?.embedding)
  put('residual_scale', 'f32', scales?.residual)
  put('attention.scale', 'f32', scales?.attention)
  put('expert_count', 'u32', experts?.count)
  put('expert_used_count', 'u32', experts?.used)
  put('expert_feed_forward_length', 'u32', experts?.width)
  put('expert_shared_feed_forward_length', 'u32', experts?.sharedWidth)
  return entries
}

function fillerVocabulary(vocabSize: number): GgufEntry[] {
  const tokens = ['<unk>', '<s>', '</s>']
  for (let byte = 0; byte < 256; byte++) tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  while (tokens.length < vocabSize) tokens.push(`\u2581w${tokens.length}`)
  const known = tokens.slice(0, vocabSize)
  const types = known.map((_, index) => (index < 3 ? 3 : index < 259 ? 6 : 1))
  const key = (name: string) => `tokenizer.ggml.${name}`
  return [
    { key: key('model'), type: 'string', value: 'llama' },
    { key: key('tokens'), type: 'array', of: 'string', value: known },
    { key: key('scores'), type: 'array', of: 'f32', value: known.map((_, index) => -index) },
    { key: key('token_type'), type: 'array', of: 'i32', value: types },
    { key: key('bos_token_id'), type: 'u32', value: 1 },
    { key: key('eos_token_id'), type: 'u32', value: 2 },
    { key: key('unknown_token_id'), type: 'u32', value: 0 },
  ]
}
