// Writes a random llama model of any shape and weight type as GGUF, for tests of the trainer. The vocabulary is bytes and filler words.

import { writeFileSync } from 'node:fs'

export type WeightType = 'f32' | 'f16' | 'bf16' | 'q8_0'

export interface LlamaShape {
  width: number
  layerCount: number
  headCount: number
  kvHeadCount: number
  ffnWidth: number
  vocabSize: number
  contextLength?: number
  ropeBase?: number
  isTied?: boolean
  type?: WeightType
  seed?: number
}

export const smallShape: LlamaShape = {
  width: 64,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  ffnWidth: 96,
  vocabSize: 320,
  isTied: true,
}

const typeNumbers: Record<WeightType, number> = { f32: 0, f16: 1, q8_0: 8, bf16: 30 }

/** One tensor of the file, in ggml order: the contiguous dimension first. */
export interface TensorPlan {
  name: string
  shape: number[]
  type: WeightType
}

/** Writes the model and returns its path. */
export function writeRandomLlama(path: string, shape: LlamaShape): string {
  const tensors = planTensors(shape)
  const entries = planEntries(shape)
  const table: Buffer[] = []
  const bodies: Buffer[] = []
  const draw = normals(shape.seed ?? 7)
  let offset = 0
  for (const tensor of tensors) {
    const body = encode(tensor, draw)
    table.push(
      text(tensor.name),
      u32(tensor.shape.length),
      ...tensor.shape.map(u64),
      u32(typeNumbers[tensor.type]),
      u64(offset),
    )
    bodies.push(body)
    offset += body.length
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries,
    ...table,
  ])
  writeFileSync(path, Buffer.concat([pad(header), ...bodies]))
  return path
}

function planTensors(shape: LlamaShape): TensorPlan[] {
  const { width, ffnWidth, vocabSize } = shape
  const kvWidth = (width / shape.headCount) * shape.kvHeadCount
  const type = shape.type ?? 'f32'
  const tensors: TensorPlan[] = [
    { name: 'token_embd.weight', shape: [width, vocabSize], type },
    { name: 'output_norm.weight', shape: [width], type: 'f32' },
  ]
  if (!shape.isTied) tensors.push({ name: 'output.weight', shape: [width, vocabSize], type })
  for (let layer = 0; layer < shape.layerCount; layer++) {
    const add = (role: string, ...sides: number[]) =>
      tensors.push({ name: `blk.${layer}.${role}.weight`, shape: sides, type: sides.length === 1 ? 'f32' : type })
    add('attn_norm', width)
    add('attn_q', width, width)
    add('attn_k', width, kvWidth)
    add('attn_v', width, kvWidth)
    add('attn_output', width, width)
    add('ffn_norm', width)
    add('ffn_gate', width, ffnWidth)
    add('ffn_up', width, ffnWidth)
    add('ffn_down', ffnWidth, width)
  }
  return tensors
}

function planEntries(shape: LlamaShape): Buffer[] {
  const entries: Buffer[] = []
  const put = (key: string, kind: number, value: Buffer) => entries.push(Buffer.concat([text(key), u32(kind), value]))
  const count = (key: string, value: number) => put(key, 4, u32(value))
  put('general.architecture', 8, text('llama'))
  put('general.name', 8, text('random llama'))
  count('general.file_type', 0)
  count('llama.block_count', shape.layerCount)
  count('llama.context_length', shape.contextLength ?? 512)
  count('llama.embedding_length', shape.width)
  count('llama.feed_forward_length', shape.ffnWidth)
  count('llama.attention.head_count', shape.headCount)
  count('llama.attention.head_count_kv', shape.kvHeadCount)
  put('llama.attention.layer_norm_rms_epsilon', 6, f32(1e-5))
  put('llama.rope.freq_base', 6, f32(shape.ropeBase ?? 10000))
  count('llama.rope.dimension_count', shape.width / shape.headCount)
  count('llama.vocab_size', shape.vocabSize)
  const tokens = ['<unk>', '<s>', '</s>']
  for (let byte = 0; byte < 256; byte++) tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  while (tokens.length < shape.vocabSize) tokens.push(`\u2581w${tokens.length}`)
  const known = tokens.slice(0, shape.vocabSize)
  const array = (kind: number, values: Buffer[]) => Buffer.concat([u32(kind), u64(values.length), ...values])
  put('tokenizer.ggml.model', 8, text('llama'))
  put('tokenizer.ggml.tokens', 9, array(8, known.map(text)))
  put(
    'tokenizer.ggml.scores',
    9,
    array(
      6,
      known.map((_, index) => f32(-index)),
    ),
  )
  put(
    'tokenizer.ggml.token_type',
    9,
    array(
      5,
      known.map((_, index) => u32(index < 3 ? 3 : index < 259 ? 6 : 1)),
    ),
  )
  count('tokenizer.ggml.bos_token_id', 1)
  count('tokenizer.ggml.eos_token_id', 2)
  count('tokenizer.ggml.unknown_token_id', 0)
  return entries
}

/** Values in the tensor's type, padded to the alignment. */
function encode(tensor: TensorPlan, draw: () => number): Buffer {
  const count = tensor.shape.reduce((product, side) => product * side, 1)
  const isNorm = tensor.shape.length === 1
  const values = Float32Array.from({ length: count }, () => (isNorm ? 1 + 0.1 * draw() : 0.15 * draw()))
  if (tensor.type === 'f32') return pad(Buffer.from(values.buffer))
  if (tensor.type === 'q8_0') return pad(encodeQ8(values))
  const bytes = Buffer.alloc(count * 2)
  values.forEach((value, index) =>
    bytes.writeUInt16LE(tensor.type === 'f16' ? toHalf(value) : toBrain(value), index * 2),
  )
  return pad(bytes)
}

function encodeQ8(values: Float32Array): Buffer {
  const bytes = Buffer.alloc((values.length / 32) * 34)
  for (let block = 0; block < values.length / 32; block++) {
    const part = values.subarray(block * 32, block * 32 + 32)
    const step = part.reduce((top, value) => Math.max(top, Math.abs(value)), 0) / 127
    bytes.writeUInt16LE(toHalf(step), block * 34)
    part.forEach((value, index) => bytes.writeInt8(Math.round(value / step), block * 34 + 2 + index))
  }
  return bytes
}

/** Truncating conversions: the tests need valid values, not the nearest ones. */
function toHalf(value: number): number {
  const bits = bitsOf(value)
  const exponent = ((bits >>> 23) & 255) - 112
  if (exponent <= 0) return (bits >>> 16) & 0x8000
  return ((bits >>> 16) & 0x8000) | (exponent << 10) | ((bits >>> 13) & 0x3ff)
}
function toBrain(value: number): number {
  return bitsOf(value) >>> 16
}
function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0
}

function normals(seed: number): () => number {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)])
}
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}
