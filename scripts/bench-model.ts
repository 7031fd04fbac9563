// Writes a llama model of a bench shape with random F32 weights as GGUF, streamed: a bounded piece of noise is repeated, so that half a
// gigabyte takes a second. Holds no whole model in memory. The values only have to be finite and of a usual size.

import { closeSync, openSync, writeSync } from 'node:fs'
import { modelTensors } from '../main/demo/recipe.ts'
import type { BenchShape } from './bench-cases.ts'

const alignment = 32
/** A prime, so that the repetition does not line up with any tensor's rows. */
const noiseCount = 1_000_003

/** Writes the model to `path`. The vocabulary is bytes and filler words, which llama.cpp can tokenise any text with. */
export function writeBenchModel(path: string, shape: BenchShape): void {
  const tensors = modelTensors({ ...shape, contextLength: 0 }, shape.vocabSize)
  const metadata = planMetadata(shape)
  let offset = 0
  const table = tensors.flatMap(({ name, shape: sides }) => {
    const entry = [text(name), u32(sides.length), ...sides.map(u64), u32(0), u64(offset)]
    offset += padded(sizeOf(sides))
    return entry
  })
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata,
    ...table,
  ])
  const file = openSync(path, 'w')
  try {
    writeSync(file, Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length)]))
    const noise = makeNoise()
    for (const { shape: sides } of tensors) {
      if (sides.length === 1) writeSync(file, Buffer.from(new Float32Array(sides[0] ?? 0).fill(1).buffer))
      else writeNoise(file, noise, sizeOf(sides))
      writeSync(file, Buffer.alloc(padded(sizeOf(sides)) - sizeOf(sides)))
    }
  } finally {
    closeSync(file)
  }
}

function planMetadata(shape: BenchShape): Buffer[] {
  const tokens = ['<unk>', '<s>', '</s>']
  for (let byte = 0; byte < 256; byte++) tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  while (tokens.length < shape.vocabSize) tokens.push(`\u2581w${tokens.length}`)
  const kinds = tokens.map((_, index) => (index < 3 ? 3 : index < 259 ? 6 : 1)) // control, byte, normal
  return [
    entry('general.architecture', 8, text('llama')),
    entry('general.name', 8, text(`bench ${shape.name}`)),
    count('llama.block_count', shape.layerCount),
    count('llama.context_length', 4096),
    count('llama.embedding_length', shape.width),
    count('llama.feed_forward_length', shape.ffnWidth),
    count('llama.attention.head_count', shape.headCount),
    count('llama.attention.head_count_kv', shape.kvHeadCount),
    entry('llama.attention.layer_norm_rms_epsilon', 6, f32(1e-5)),
    entry('llama.rope.freq_base', 6, f32(10_000)),
    count('llama.rope.dimension_count', shape.width / shape.headCount),
    count('llama.vocab_size', shape.vocabSize),
    entry('tokenizer.ggml.model', 8, text('llama')),
    entry('tokenizer.ggml.tokens', 9, array(8, tokens.map(text))),
    entry('tokenizer.ggml.scores', 9, array(6, [Buffer.from(Float32Array.from(tokens, (_, at) => -at).buffer)])),
    entry('tokenizer.ggml.token_type', 9, array(5, [Buffer.from(Int32Array.from(kinds).buffer)])),
    count('tokenizer.ggml.bos_token_id', 1),
    count('tokenizer.ggml.eos_token_id', 2),
    count('tokenizer.ggml.unknown_token_id', 0),
  ]

  function array(kind: number, values: Buffer[]): Buffer {
    return Buffer.concat([u32(kind), u64(tokens.length), ...values])
  }
}

/** Triangular noise of deviation 0.02, as bytes of F32. */
function makeNoise(): Buffer {
  let state = 12_345
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return Buffer.from(Float32Array.from({ length: noiseCount }, () => (uniform() - uniform()) * 0.049).buffer)
}

function writeNoise(file: number, noise: Buffer, sizeBytes: number): void {
  for (let left = sizeBytes; left > 0; left -= noise.length) writeSync(file, noise, 0, Math.min(left, noise.length))
}

function sizeOf(sides: number[]): number {
  return 4 * sides.reduce((product, side) => product * side, 1)
}
function padded(sizeBytes: number): number {
  return Math.ceil(sizeBytes / alignment) * alignment
}
function entry(key: string, kind: number, value: Buffer): Buffer {
  return Buffer.concat([text(key), u32(kind), value])
}
function count(key: string, value: number): Buffer {
  return entry(key, 4, u32(value))
}
function u32(value: number): Buffer {
  return Buffer.from(Uint32Array.of(value).buffer)
}
function u64(value: number): Buffer {
  return Buffer.from(BigUint64Array.of(BigInt(value)).buffer)
}
function f32(value: number): Buffer {
  return Buffer.from(Float32Array.of(value).buffer)
}
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}
