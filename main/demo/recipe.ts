// How the demo models are made: shapes, corpus seeds, schedule. Its hash is written into the models, so a model tells which recipe made it.

import { ggmlTypes, type GgufEntry } from '../domain/gguf.ts'
import { randomOf } from './random.ts'
import type { BpeVocabulary } from '../domain/bpe.ts'

export interface ModelShape {
  width: number
  layerCount: number
  headCount: number
  kvHeadCount: number
  ffnWidth: number
  contextLength: number
}
export interface TrainingPlan {
  shape: ModelShape
  /** Seeds the weights and names the rows. */
  seed: number
  stepCount: number
  rowsPerStep: number
  learningRate: number
  warmupSteps: number
  /** Share of the learning rate left at the end of the cosine. */
  finalShare: number
  /** The cosine's end, where it is not the last step. */
  cosineSteps?: number
  /** Weight of the loss on what the model is given, until `promptStepCount`; then none. */
  promptWeight: number
  promptStepCount: number
  /** Steps over which chunks grow from three facts to the full language. */
  curriculumSteps: number
  /** Weight of the last word of what the model writes: a verdict, a score, a letter. */
  closingWeight: number
  /** Share of reading drills among the rows at the first step, falling in a line to the last share over so many steps. */
  drills: { first: number; last: number; steps: number }
  /** First step of the student's finishing rows: sums and copying. */
  finishFromStep?: number
  microbatchTokens: number
}

export const specials = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
export const vocabularyPlan = { size: 1536, minCount: 60, rowCount: 6000, syllableCount: 150, seed: 'vocabulary' }

export const plans: Record<'teacher' | 'student', TrainingPlan> = {
  teacher: {
    shape: { width: 192, layerCount: 5, headCount: 6, kvHeadCount: 3, ffnWidth: 384, contextLength: 1024 },
    seed: 11,
    stepCount: 7000,
    rowsPerStep: 32,
    learningRate: 3e-3,
    warmupSteps: 50,
    finalShare: 0.01,
    promptWeight: 0.2,
    promptStepCount: 500,
    curriculumSteps: 600,
    closingWeight: 3,
    microbatchTokens: 2048,
    drills: { first: 0.6, last: 0.15, steps: 800 },
  },
  student: {
    shape: { width: 128, layerCount: 4, headCount: 4, kvHeadCount: 2, ffnWidth: 384, contextLength: 1024 },
    seed: 12,
    stepCount: 2300,
    rowsPerStep: 96,
    learningRate: 3e-3,
    warmupSteps: 50,
    finalShare: 0.02,
    promptWeight: 0.1,
    promptStepCount: 300,
    curriculumSteps: 1,
    closingWeight: 1,
    microbatchTokens: 2048,
    drills: { first: 0.2, last: 0, steps: 300 },
    finishFromStep: 1500,
  },
}

/** Is this row of the corpus a reading drill? */
export function isDrill({ drills, rowsPerStep }: TrainingPlan, index: number): boolean {
  const progress = Math.min(1, index / rowsPerStep / drills.steps)
  return randomOf(`drill?${index}`).chance(drills.first + (drills.last - drills.first) * progress)
}

/** Is this row one of the finishing rows? */
export function isFinishing({ finishFromStep, rowsPerStep }: TrainingPlan, index: number): boolean {
  return finishFromStep !== undefined && index >= finishFromStep * rowsPerStep
}

/** Learning rate of a step: a linear warm-up, then a cosine to the last step. */
export function learningRateAt(plan: TrainingPlan, step: number): number {
  const { learningRate, warmupSteps, stepCount, finalShare } = plan
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps
  const progress = (step - warmupSteps) / (stepCount - warmupSteps)
  return learningRate * (finalShare + (1 - finalShare) * 0.5 * (1 + Math.cos(Math.PI * progress)))
}

/** ChatML, as the corpus is written. */
export const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

/** Metadata of a demo model's GGUF. */
export function modelEntries(name: 'teacher' | 'student', vocabulary: BpeVocabulary, recipeHash: string): GgufEntry[] {
  const { shape } = plans[name]
  const count = (key: string, value: number): GgufEntry => ({ key, type: 'u32', value })
  const text = (key: string, value: string): GgufEntry => ({ key, type: 'string', value })
  return [
    text('general.architecture', 'llama'),
    text('general.name', `Labdesk demo ${name}`),
    text(
      'general.description',
      'A toy of a few million parameters for learning Labdesk; it knows only the language of the demo worlds.',
    ),
    text('general.license', 'apache-2.0'),
    count('general.file_type', ggmlTypes.f32),
    text('labdesk.recipe_hash', recipeHash),
    { key: 'labdesk.demo', type: 'bool', value: true },
    text('labdesk.role', name),
    text('labdesk.prompt_pack', 'compact'),
    count('llama.context_length', shape.contextLength),
    count('llama.embedding_length', shape.width),
    count('llama.block_count', shape.layerCount),
    count('llama.feed_forward_length', shape.ffnWidth),
    count('llama.attention.head_count', shape.headCount),
    count('llama.attention.head_count_kv', shape.kvHeadCount),
    { key: 'llama.attention.layer_norm_rms_epsilon', type: 'f32', value: 1e-5 },
    { key: 'llama.rope.freq_base', type: 'f32', value: 10000 },
    count('llama.rope.dimension_count', shape.width / shape.headCount),
    count('llama.vocab_size', vocabulary.tokens.length),
    text('tokenizer.ggml.model', 'gpt2'),
    text('tokenizer.ggml.pre', 'qwen2'),
    { key: 'tokenizer.ggml.tokens', type: 'array', of: 'string', value: vocabulary.tokens },
    {
      key: 'tokenizer.ggml.token_type',
      type: 'array',
      of: 'i32',
      value: vocabulary.tokens.map((_, id) => (id < specials.length ? 3 : 1)),
    },
    { key: 'tokenizer.ggml.merges', type: 'array', of: 'string', value: vocabulary.merges },
    count('tokenizer.ggml.eos_token_id', 2),
    count('tokenizer.ggml.padding_token_id', 0),
    { key: 'tokenizer.ggml.add_bos_token', type: 'bool', value: false },
    text('tokenizer.chat_template', chatTemplate),
  ]
}

/** Names and shapes (ggml order) of a model's tensors. The output head is the embedding. */
export function modelTensors(shape: ModelShape, vocabSize: number): { name: string; shape: number[] }[] {
  const { width, ffnWidth } = shape
  const kvWidth = (width / shape.headCount) * shape.kvHeadCount
  const layers = Array.from({ length: shape.layerCount }, (_, layer) =>
    Object.entries({
      attn_norm: [width],
      attn_q: [width, width],
      attn_k: [width, kvWidth],
      attn_v: [width, kvWidth],
      attn_output: [width, width],
      ffn_norm: [width],
      ffn_gate: [width, ffnWidth],
      ffn_up: [width, ffnWidth],
      ffn_down: [ffnWidth, width],
    }).map(([name, tensorShape]) => ({ name: `blk.${layer}.${name}.weight`, shape: tensorShape })),
  )
  return [
    { name: 'token_embd.weight', shape: [width, vocabSize] },
    ...layers.flat(),
    { name: 'output_norm.weight', shape: [width] },
  ]
}
