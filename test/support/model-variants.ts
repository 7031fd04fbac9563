// The random models that cover what the supported architectures can differ in: each row shows at least one feature that the others lack,
// in sizes at which it changes the loss (windows shorter than the rows, soft caps below the logits, every second head shared).

import type { RandomModel } from './random-model.ts'
import type { VocabularyName } from './real-vocabularies.ts'

export interface ModelVariant {
  name: string
  model: RandomModel
  /** Experts are chosen, and the loss jumps where a choice flips: finite differences are taken closer, from a seed that keeps away from flips. */
  isRouted?: boolean
}

const small = { width: 64, layerCount: 2, headCount: 4, kvHeadCount: 2, ffnWidth: 96, vocabSize: 320 }
/** Not the width divided by the heads, which is 16. */
const headSize = 24
const window = 16

const llamas: ModelVariant[] = [
  { name: 'llama', model: { ...small, architecture: 'llama', isTied: true } },
  {
    name: 'llama with biases and a head of its own',
    model: { ...small, architecture: 'llama', biases: ['qkv', 'attentionOutput', 'ffn'] },
  },
  { name: 'llama with larger heads', model: { ...small, architecture: 'llama', headSize } },
  {
    name: 'llama with linear rope scaling',
    model: { ...small, architecture: 'llama', rope: { scaling: { type: 'linear', factor: 4 } } },
  },
  {
    name: 'llama with linear rope scaling that names no type',
    model: { ...small, architecture: 'llama', rope: { scaling: { factor: 2 } } },
  },
  {
    name: 'llama with yarn rope scaling',
    model: {
      ...small,
      architecture: 'llama',
      rope: { scaling: { type: 'yarn', factor: 4, originalContext: 64, attentionFactor: 1.25 } },
    },
  },
  { name: 'llama with rope factors', model: { ...small, architecture: 'llama', rope: { factors: 'llama3' } } },
]

const qwens: ModelVariant[] = [
  {
    name: 'qwen2',
    model: { ...small, architecture: 'qwen2', isTied: true, biases: ['qkv'], rope: { base: 1_000_000 } },
  },
  { name: 'qwen2 with a biased head', model: { ...small, architecture: 'qwen2', biases: ['qkv', 'head'] } },
  { name: 'qwen3', model: { ...small, architecture: 'qwen3', isTied: true, rope: { base: 1_000_000 } } },
  {
    name: 'qwen3 with larger heads and yarn',
    model: {
      ...small,
      architecture: 'qwen3',
      headSize,
      rope: { scaling: { type: 'yarn', factor: 4, originalContext: 64 } },
    },
  },
]

const gemmas: ModelVariant[] = [
  {
    name: 'gemma2',
    model: {
      ...small,
      architecture: 'gemma2',
      layerCount: 3,
      isTied: true,
      headSize,
      window,
      softCaps: { attention: 1.5, final: 2 },
    },
  },
  // Wider, so that some attention scores come near the default cap of 50.
  {
    name: 'gemma2 with its defaults',
    model: { ...small, architecture: 'gemma2', width: 128, headSize: 64, isTied: true },
  },
  {
    name: 'gemma3',
    model: {
      ...small,
      architecture: 'gemma3',
      layerCount: 4,
      isTied: true,
      headSize,
      window,
      windowPattern: 3,
      rope: { base: 50_000, localBase: 500, scaling: { type: 'linear', factor: 4 } },
    },
  },
  {
    name: 'gemma3 with the default pattern and bases',
    model: { ...small, architecture: 'gemma3', layerCount: 7, isTied: true, window, rope: { base: 1_000_000 } },
  },
  {
    name: 'gemma3 without windows',
    model: { ...small, architecture: 'gemma3', rope: { base: 50_000 }, softCaps: { final: 2 } },
  },
]

/** 12 of 16 dimensions rotate. */
const rotated = 12
const phis: ModelVariant[] = [
  // llama.cpp reads a window here and does not use it.
  { name: 'phi3', model: { ...small, architecture: 'phi3', window } },
  {
    name: 'phi3 with partial rotation and biases',
    model: { ...small, architecture: 'phi3', isTied: true, biases: ['qkv'], rope: { rotated } },
  },
  {
    name: 'phi3 with short rope factors',
    model: {
      ...small,
      architecture: 'phi3',
      contextLength: 8192,
      rope: { rotated, factors: 'longrope', scaling: { originalContext: 4096, attentionFactor: 1.19 } },
    },
  },
  {
    // Rows of 40 tokens and the context of 256 that llamaLoss opens are both beyond the original 32.
    name: 'phi3 with long rope factors',
    model: {
      ...small,
      architecture: 'phi3',
      rope: { factors: 'longrope', scaling: { type: 'longrope', originalContext: 32, attentionFactor: 1.19 } },
    },
  },
]

const scales = { logit: 3, embedding: 6, residual: 0.4, attention: 0.12 }
const granites: ModelVariant[] = [
  { name: 'granite', model: { ...small, architecture: 'granite', isTied: true, scales } },
  {
    name: 'granite with the logit scale only',
    model: { ...small, architecture: 'granite', scales: { logit: 0.5 }, biases: ['attentionOutput', 'ffn'] },
  },
  {
    name: 'granite without rotation',
    model: { ...small, architecture: 'granite', scales, rope: { isFinetuned: false } },
  },
]

const olmos: ModelVariant[] = [
  { name: 'olmo2', model: { ...small, architecture: 'olmo2' } },
  {
    name: 'olmo2 with windows and yarn, as olmo3 is',
    model: {
      ...small,
      architecture: 'olmo2',
      layerCount: 4,
      window,
      windowPattern: [true, true, true, false],
      rope: { base: 50_000, scaling: { type: 'yarn', factor: 4, originalContext: 64, attentionFactor: 1.2 } },
    },
  },
]

const experts: ModelVariant[] = [
  {
    name: 'qwen3moe',
    model: {
      ...small,
      architecture: 'qwen3moe',
      isTied: true,
      headSize,
      experts: { count: 4, used: 2, width: 32 },
      seed: 18,
    },
    isRouted: true,
  },
  {
    name: 'qwen3moe with every expert in use',
    model: { ...small, architecture: 'qwen3moe', experts: { count: 3, used: 3, width: 48 } },
  },
  {
    name: 'granitemoe',
    model: {
      ...small,
      architecture: 'granitemoe',
      ffnWidth: 32,
      isTied: true,
      scales,
      experts: { count: 4, used: 2 },
      seed: 1,
    },
    isRouted: true,
  },
  {
    name: 'granitemoe with shared experts',
    model: {
      ...small,
      architecture: 'granitemoe',
      ffnWidth: 32,
      scales,
      experts: { count: 3, used: 3, sharedWidth: 64 },
    },
  },
]

export const modelVariants: readonly ModelVariant[] = [
  ...llamas,
  ...qwens,
  ...gemmas,
  ...phis,
  ...granites,
  ...olmos,
  ...experts,
]

/** One narrow model of each architecture with the tokenizer of a real one; its vocabulary is as large as that. */
export const tokenizedVariants: readonly { vocabulary: VocabularyName; model: RandomModel }[] = (
  [
    ['llama', 'llama-bpe'],
    ['qwen2', 'qwen2'],
    ['qwen3', 'qwen2'],
    // The bundle has no vocabulary of gemma 2 or 3; theirs is SentencePiece too.
    ['gemma2', 'llama-spm'],
    ['gemma3', 'llama-spm'],
    ['phi3', 'phi-3'],
    ['granite', 'starcoder'],
    ['olmo2', 'gpt-2'],
    ['qwen3moe', 'qwen2'],
    ['granitemoe', 'starcoder'],
  ] as const
).map(([architecture, vocabulary]) => {
  const isRouted = architecture === 'qwen3moe' || architecture === 'granitemoe'
  const narrow = { width: 32, layerCount: 2, headCount: 2, kvHeadCount: 1, ffnWidth: 32, vocabSize: 0 }
  return {
    vocabulary,
    model: {
      ...narrow,
      architecture,
      isTied: architecture !== 'olmo2',
      scales: { logit: architecture.startsWith('granite') ? 2 : undefined },
      experts: isRouted ? { count: 4, used: 2, width: architecture === 'qwen3moe' ? 32 : undefined } : undefined,
    },
  }
})
