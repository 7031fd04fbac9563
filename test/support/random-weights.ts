// Seeded normal numbers, and weights of about a given spread in ggml's storage types. Blocks of 4 to 6 bits are random but valid bytes.

/** Storage types of weights that the writer of random models knows. */
export type WeightType = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0' | 'q4_k' | 'q5_k' | 'q6_k'

/** ggml's numbers of the types. */
export const typeNumbers: Record<WeightType, number> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q8_0: 8,
  q4_k: 12,
  q5_k: 13,
  q6_k: 14,
  bf16: 30,
}

/** Standard deviation of a random model's weights. */
const spread = 0.15

/** `count` normal weights; `draw` gives standard normal numbers. */
export function drawWeights(type: WeightType, count: number, draw: () => number): Buffer {
  const block = blocks[type]
  if (block) return drawBlocks(block, count, draw)
  return encodeValues(
    type,
    Float32Array.from({ length: count }, () => spread * draw()),
  )
}

/** Values in a type that stores each of them. */
export function encodeValues(type: WeightType, values: Float32Array): Buffer {
  if (type === 'f32') return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  if (type === 'q8_0') return encodeQ8(values)
  const bytes = Buffer.alloc(values.length * 2)
  const convert = type === 'f16' ? toHalf : toBrain
  values.forEach((value, index) => bytes.writeUInt16LE(convert(value), index * 2))
  return bytes
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

interface BlockLayout {
  /** Weights of one block. */
  count: number
  sizeBytes: number
  /** Half-precision scales: byte offset -> value. The steps make random quants spread like the weights, minima centre them. */
  halves: Record<number, number>
}

// ggml-common.h: q4_0 {d, qs[16]}; q4_K and q5_K {d, dmin, scales[12], (qh[32],) qs}; q6_K {ql[128], qh[64], scales[16], d}.
// Spread per unit of d with uniform quants and scales: 4.6, 258, 527, 1366.
const blocks: Partial<Record<WeightType, BlockLayout>> = {
  q4_0: { count: 32, sizeBytes: 18, halves: { 0: spread / 4.6 } },
  q4_k: { count: 256, sizeBytes: 144, halves: { 0: spread / 258, 2: (7.5 * spread) / 258 } },
  q5_k: { count: 256, sizeBytes: 176, halves: { 0: spread / 527, 2: (15.5 * spread) / 527 } },
  q6_k: { count: 256, sizeBytes: 210, halves: { 208: spread / 1366 } },
}

function drawBlocks(layout: BlockLayout, count: number, draw: () => number): Buffer {
  if (count % layout.count) throw new Error(`${count} weights are no whole blocks of ${layout.count}`)
  const bytes = Buffer.alloc((count / layout.count) * layout.sizeBytes)
  // The low bits of a normal number's fraction are as good as uniform.
  for (let index = 0; index < bytes.length; index++) bytes[index] = Math.floor(Math.abs(draw()) * 1e6) & 255
  for (let at = 0; at < bytes.length; at += layout.sizeBytes)
    for (const [offset, value] of Object.entries(layout.halves)) bytes.writeUInt16LE(toHalf(value), at + Number(offset))
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

/** A source of standard normal numbers. */
export function normals(seed: number): () => number {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = Math.imul(state ^ (state >>> 15), state | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}
