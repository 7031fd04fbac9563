// Which tensors a random model of each architecture has, as llama.cpp's src/models/<architecture>.cpp creates them, and their random values.

import type { StoredTensor } from './gguf-writer.ts'
import type { RandomModel } from './random-model.ts'
import { drawWeights, encodeValues, normals, typeNumbers } from './random-weights.ts'

interface TensorPlan {
  name: string
  /** ggml order: the contiguous dimension first. */
  shape: number[]
  kind: 'weight' | 'router' | 'norm' | 'bias' | 'ropeFactor'
}

/** All tensors of the model in the order of the file. */
export function drawTensors(model: RandomModel): StoredTensor[] {
  const draw = normals(model.seed ?? 7)
  const layers = Array.from({ length: model.layerCount }, (_, layer) =>
    planLayer(model).map((tensor) => ({ ...tensor, name: `blk.${layer}.${tensor.name}` })),
  )
  return [...planEnds(model), ...layers.flat()].map((tensor) => drawTensor(tensor, model, draw))
}

function drawTensor({ name, shape, kind }: TensorPlan, model: RandomModel, draw: () => number): StoredTensor {
  const count = shape.reduce((product, side) => product * side, 1)
  // Routers stay F32 in quantised models too.
  const role = name.replace(/^blk\.\d+\./, '').replace('.weight', '')
  const type = kind === 'weight' ? (model.roleTypes?.[role] ?? model.type ?? 'f32') : 'f32'
  if (kind === 'weight' || kind === 'router')
    return { name, shape, type: typeNumbers[type], bytes: drawWeights(type, count, draw) }
  const value = { norm: () => 1 + 0.1 * draw(), bias: () => 0.1 * draw(), ropeFactor: () => 1 + 3 * Math.abs(draw()) }
  const values = Float32Array.from({ length: count }, value[kind])
  return { name, shape, type: typeNumbers.f32, bytes: encodeValues('f32', values) }
}

/** The tensors outside of the layers. */
function planEnds({ width, vocabSize, rope, biases, isTied, ...model }: RandomModel): TensorPlan[] {
  const tensors: TensorPlan[] = [
    { name: 'token_embd.weight', shape: [width, vocabSize], kind: 'weight' },
    { name: 'output_norm.weight', shape: [width], kind: 'norm' },
  ]
  if (!isTied) tensors.push({ name: 'output.weight', shape: [width, vocabSize], kind: 'weight' })
  if (biases?.includes('head')) tensors.push({ name: 'output.bias', shape: [vocabSize], kind: 'bias' })
  const factors = { llama3: ['rope_freqs'], longrope: ['rope_factors_long', 'rope_factors_short'] }
  const rotated = rope?.rotated ?? model.headSize ?? width / model.headCount
  for (const name of rope?.factors ? factors[rope.factors] : [])
    tensors.push({ name: `${name}.weight`, shape: [rotated / 2], kind: 'ropeFactor' })
  return tensors
}

/** The tensors of one layer, without `blk.N.`. */
function planLayer(model: RandomModel): TensorPlan[] {
  const { architecture, width } = model
  const norm = (name: string): TensorPlan => ({ name: `${name}.weight`, shape: [width], kind: 'norm' })
  const hasPostNorms = architecture === 'gemma2' || architecture === 'gemma3' || architecture === 'olmo2'
  const hasPreNorms = architecture !== 'olmo2'
  return [
    ...(hasPreNorms ? [norm('attn_norm')] : []),
    ...planAttention(model),
    ...(hasPostNorms ? [norm('post_attention_norm')] : []),
    ...(hasPreNorms ? [norm('ffn_norm')] : []),
    ...(model.experts ? planExperts(model, model.experts) : planFfn(model)),
    ...(hasPostNorms ? [norm('post_ffw_norm')] : []),
  ]
}

function planAttention(model: RandomModel): TensorPlan[] {
  const { architecture, width, headCount, kvHeadCount } = model
  const headSize = model.headSize ?? width / headCount
  const [queryWidth, kvWidth] = [headCount * headSize, kvHeadCount * headSize]
  const tensors =
    architecture === 'phi3'
      ? linear('attn_qkv', [width, queryWidth + 2 * kvWidth], model.biases?.includes('qkv'))
      : [
          ...linear('attn_q', [width, queryWidth], model.biases?.includes('qkv')),
          ...linear('attn_k', [width, kvWidth], model.biases?.includes('qkv')),
          ...linear('attn_v', [width, kvWidth], model.biases?.includes('qkv')),
        ]
  tensors.push(...linear('attn_output', [queryWidth, width], model.biases?.includes('attentionOutput')))
  // One weight per dimension of a head, shared by all heads; in olmo2 one per dimension of all heads together.
  const isWhole = architecture === 'olmo2'
  if (isWhole || architecture === 'qwen3' || architecture === 'qwen3moe' || architecture === 'gemma3')
    tensors.push(
      { name: 'attn_q_norm.weight', shape: [isWhole ? queryWidth : headSize], kind: 'norm' },
      { name: 'attn_k_norm.weight', shape: [isWhole ? kvWidth : headSize], kind: 'norm' },
    )
  return tensors
}

function planFfn({ architecture, width, ffnWidth, biases }: RandomModel): TensorPlan[] {
  const hasBias = biases?.includes('ffn')
  // phi3 keeps the gate in the first half of ffn_up's rows.
  const isFused = architecture === 'phi3'
  return [
    ...(isFused ? [] : linear('ffn_gate', [width, ffnWidth], hasBias)),
    ...linear('ffn_up', [width, isFused ? 2 * ffnWidth : ffnWidth], hasBias),
    ...linear('ffn_down', [ffnWidth, width], hasBias),
  ]
}

/** Experts are stacked along the third dimension; granitemoe's are as wide as feed_forward_length. */
function planExperts(model: RandomModel, experts: NonNullable<RandomModel['experts']>): TensorPlan[] {
  const { width } = model
  const expertWidth = experts.width ?? model.ffnWidth
  const tensors: TensorPlan[] = [
    { name: 'ffn_gate_inp.weight', shape: [width, experts.count], kind: 'router' },
    ...linear('ffn_gate_exps', [width, expertWidth, experts.count]),
    ...linear('ffn_up_exps', [width, expertWidth, experts.count]),
    ...linear('ffn_down_exps', [expertWidth, width, experts.count]),
  ]
  if (experts.sharedWidth)
    tensors.push(
      ...linear('ffn_gate_shexp', [width, experts.sharedWidth]),
      ...linear('ffn_up_shexp', [width, experts.sharedWidth]),
      ...linear('ffn_down_shexp', [experts.sharedWidth, width]),
    )
  return tensors
}

/** A matrix [in, out], perhaps with the bias of its rows. */
function linear(role: string, shape: number[], hasBias = false): TensorPlan[] {
  const weight: TensorPlan = { name: `${role}.weight`, shape, kind: 'weight' }
  return hasBias ? [weight, { name: `${role}.bias`, shape: shape.slice(1, 2), kind: 'bias' }] : [weight]
}
