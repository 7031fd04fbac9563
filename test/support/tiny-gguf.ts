// Writes a random llama-architecture GGUF of about half a megabyte with a byte vocabulary, for tests that need a real model file.
// One embedding dimension is constant, so the output layer carries a bias per token: lines and answers end soon instead of never.

import { writeFileSync } from 'node:fs'

export interface TinyModel {
  seed?: number
  contextLength?: number
  chatTemplate?: string | null
  architecture?: string
  /** Bias by token text, about a quarter of a logit bias; new line, space and end of text get one by default. */
  bias?: Record<string, number>
  /** Extra metadata, e.g. `labdesk.prompt_pack`; numbers become 32-bit counts. */
  metadata?: Record<string, string | number>
}

export const chatMl =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

const width = 64
const layers = 2
const heads = 4
const hidden = 128

const u32 = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}
const u64 = (value: number) => {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}
const f32 = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeFloatLE(value)
  return buffer
}
const text = (value: string) => {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

interface Vocabulary {
  tokens: string[]
  types: number[]
}
function vocabulary(): Vocabulary {
  const tokens = ['<unk>', '<s>', '</s>', '<|im_start|>', '<|im_end|>']
  const types = [2, 3, 3, 3, 3]
  const add = (token: string, type: number) => {
    tokens.push(token)
    types.push(type)
  }
  for (let byte = 0; byte < 256; byte++) add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 6)
  add('\u2581', 1)
  for (const letter of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?\'-:;()"') add(letter, 1)
  for (const word of ['\u2581the', '\u2581a', 'he', 'th', 'in', 'er', 'an', 're', 'on', '\u2581to', '\u2581and'])
    add(word, 1)
  return { tokens, types }
}

/** Writes the model and returns its path. */
export function writeTinyGguf(path: string, model: TinyModel = {}): string {
  const { tokens, types } = vocabulary()
  const metadata = metadataOf(model, tokens, types)
  const shapes = tensorShapes(tokens.length)
  const header: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(shapes.length), u64(metadata.length), ...metadata]
  let offset = 0
  for (const { name, shape } of shapes) {
    header.push(text(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset))
    offset += Math.ceil((size(shape) * 4) / 32) * 32
  }
  const head = Buffer.concat(header)
  const body = [head, Buffer.alloc((32 - (head.length % 32)) % 32)]
  const draw = randomSource(model.seed ?? 1)
  const bias: Record<string, number> = {
    '<0x0A>': 1.2,
    '</s>': 1.2,
    '\u2581': 0.6,
    '<unk>': -5,
    '<s>': -5,
    '<|im_start|>': -5,
    ...model.bias,
  }
  for (const { name, shape } of shapes) {
    const values = tensorValues(name, shape, draw)
    if (name === 'output.weight')
      tokens.forEach((token, row) => (values[row * width] = bias[token] ?? (types[row] === 6 ? -5 : 0)))
    const bytes = Buffer.from(values.buffer)
    body.push(bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32))
  }
  writeFileSync(path, Buffer.concat(body))
  return path
}

function metadataOf(model: TinyModel, tokens: string[], types: number[]): Buffer[] {
  const architecture = model.architecture ?? 'llama'
  const pairs: Buffer[] = []
  const put = (key: string, type: number, value: Buffer) => pairs.push(Buffer.concat([text(key), u32(type), value]))
  const putText = (key: string, value: string) => put(key, 8, text(value))
  const putCount = (key: string, value: number) => put(key, 4, u32(value))
  const putArray = (key: string, type: number, values: Buffer[]) =>
    put(key, 9, Buffer.concat([u32(type), u64(values.length), ...values]))
  putText('general.architecture', architecture)
  putText('general.name', 'tiny-random')
  putCount('general.file_type', 0)
  putCount(`${architecture}.context_length`, model.contextLength ?? 512)
  putCount(`${architecture}.embedding_length`, width)
  putCount(`${architecture}.block_count`, layers)
  putCount(`${architecture}.feed_forward_length`, hidden)
  putCount(`${architecture}.attention.head_count`, heads)
  putCount(`${architecture}.attention.head_count_kv`, heads)
  put(`${architecture}.attention.layer_norm_rms_epsilon`, 6, f32(1e-5))
  putCount(`${architecture}.rope.dimension_count`, width / heads)
  putCount(`${architecture}.vocab_size`, tokens.length)
  putText('tokenizer.ggml.model', 'llama')
  putArray('tokenizer.ggml.tokens', 8, tokens.map(text))
  putArray(
    'tokenizer.ggml.scores',
    6,
    tokens.map((_, index) => f32(types[index] === 1 ? -index / 100 : 0)),
  )
  putArray('tokenizer.ggml.token_type', 5, types.map(u32))
  putCount('tokenizer.ggml.bos_token_id', 1)
  putCount('tokenizer.ggml.eos_token_id', 2)
  putCount('tokenizer.ggml.eot_token_id', 4)
  putCount('tokenizer.ggml.unknown_token_id', 0)
  put('tokenizer.ggml.add_bos_token', 7, Buffer.from([1]))
  if (model.chatTemplate !== null) putText('tokenizer.chat_template', model.chatTemplate ?? chatMl)
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    if (typeof value === 'number') putCount(key, value)
    else putText(key, value)
  }
  return pairs
}

interface Shape {
  name: string
  /** ggml order: the contiguous dimension first. */
  shape: number[]
}
function tensorShapes(vocabSize: number): Shape[] {
  const shapes: Shape[] = [
    { name: 'token_embd.weight', shape: [width, vocabSize] },
    { name: 'output_norm.weight', shape: [width] },
    { name: 'output.weight', shape: [width, vocabSize] },
  ]
  for (let layer = 0; layer < layers; layer++) {
    const of = (name: string, ...shape: number[]) => shapes.push({ name: `blk.${layer}.${name}.weight`, shape })
    of('attn_norm', width)
    for (const name of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) of(name, width, width)
    of('ffn_norm', width)
    of('ffn_gate', width, hidden)
    of('ffn_up', width, hidden)
    of('ffn_down', hidden, width)
  }
  return shapes
}

function tensorValues(name: string, shape: number[], draw: () => number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(size(shape))
  if (name.includes('norm')) return values.fill(1)
  // A quiet output layer: the biases decide when a line ends even at temperature 0, where a loud one would repeat itself for ever.
  const scale = name === 'token_embd.weight' ? 1 : name === 'output.weight' ? 0.6 : 0.3
  for (let index = 0; index < values.length; index++) values[index] = draw() * scale
  // The constant dimension: large and equal in every embedding, so that it survives the layers.
  if (name === 'token_embd.weight') for (let row = 0; row < shape[1]!; row++) values[row * width] = 1.5
  return values
}

function size(shape: number[]): number {
  return shape.reduce((product, side) => product * side, 1)
}

/** Uniform in [-0.5, 0.5). */
function randomSource(seed: number): () => number {
  let state = Math.imul(seed, 2654435761) >>> 0
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state / 2 ** 32 - 0.5
  }
}
