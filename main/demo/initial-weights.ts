// The weights a demo model starts from: seeded normal noise, with one circuit laid out by formula. Heads of the first layer look at the
// previous token, heads of the next two find where the present token stood before and offer what followed it there ("induction").
// Small models take tens of millions of tokens to discover this; laid out, copying from a text is there to be refined at once.

import type { ModelShape } from './recipe.ts'
import { randomOf, type Random } from './random.ts'

type Tensors = Map<string, Float32Array>

/** Spread of the embedding; every token also shares one constant, which position heads read. */
const embeddingSpread = 0.05
const sharedConstant = 0.25
/** Rotary pairs that turn fast enough to tell neighbours apart, and the strength of attention to the previous token. */
const positionPairs = 4
const positionStrength = 1.8
/** Rotary pairs that turn too slowly to disturb a comparison of contents begin here. */
const contentPairs = 8
const ropeBase = 10000

/** Every tensor's first values, by name; shapes in ggml order (inputs first), so row `o` of a matrix holds output `o`. */
export function initialWeights(
  tensors: readonly { name: string; shape: number[] }[],
  shape: ModelShape,
  seed: number,
): Tensors {
  const random = randomOf(`weights:${seed}`)
  const weights: Tensors = new Map(tensors.map((tensor) => [tensor.name, drawTensor(tensor, shape, random)]))
  const carrier = layPreviousTokenHead(weights, shape, random)
  for (const layer of [1, 2]) layInductionHead(weights, shape, { layer, carrier, random })
  return weights
}

function drawTensor(
  { name, shape: dimensions }: { name: string; shape: number[] },
  shape: ModelShape,
  random: Random,
): Float32Array {
  const values = new Float32Array(dimensions.reduce((product, length) => product * length, 1))
  if (name.includes('norm')) return values.fill(1)
  const isEmbedding = name.startsWith('token_embd')
  const isResidual = name.includes('attn_output') || name.includes('ffn_down')
  const spread = isEmbedding ? embeddingSpread : isResidual ? 0.02 / Math.sqrt(2 * shape.layerCount) : 0.02
  for (let i = 0; i < values.length; i++) values[i] = gaussian(random) * spread
  if (isEmbedding) for (let row = 0; row < values.length; row += shape.width) values[row] = sharedConstant
  return values
}

/** What the previous-token head carries: `read` takes it from a token, `written` puts it into the stream. [head size][width] */
interface Carrier {
  read: Float32Array[]
  written: Float32Array[]
}

function layPreviousTokenHead(weights: Tensors, shape: ModelShape, random: Random): Carrier {
  const { width } = shape
  const size = width / shape.headCount
  const query = matrix(weights, 'blk.0.attn_q.weight')
  const key = matrix(weights, 'blk.0.attn_k.weight')
  for (let pair = 0; pair < size / 2; pair++) {
    const turn = ropeBase ** ((-2 * pair) / size)
    const strength = pair < positionPairs ? positionStrength : 0
    for (const [at, value] of [Math.cos(turn), -Math.sin(turn)].entries()) {
      query.fill(0, (2 * pair + at) * width, (2 * pair + at + 1) * width)
      query[(2 * pair + at) * width] = strength * value
      key.fill(0, (2 * pair + at) * width, (2 * pair + at + 1) * width)
    }
    key[2 * pair * width] = strength
  }
  const read = Array.from({ length: size }, () => directions(width, 1 / Math.sqrt(width), random))
  const written = Array.from({ length: size }, () => directions(width, embeddingSpread / Math.sqrt(size), random))
  const value = matrix(weights, 'blk.0.attn_v.weight')
  const output = matrix(weights, 'blk.0.attn_output.weight')
  for (let dimension = 0; dimension < size; dimension++) {
    value.set(read[dimension] as Float32Array, dimension * width)
    for (let row = 0; row < width; row++) output[row * width + dimension] = written[dimension]?.[row] ?? 0
  }
  return { read, written }
}

function layInductionHead(
  weights: Tensors,
  shape: ModelShape,
  { layer, carrier, random }: { layer: number; carrier: Carrier; random: Random },
): void {
  const { width } = shape
  const size = width / shape.headCount
  const query = matrix(weights, `blk.${layer}.attn_q.weight`)
  const key = matrix(weights, `blk.${layer}.attn_k.weight`)
  const value = matrix(weights, `blk.${layer}.attn_v.weight`)
  const output = matrix(weights, `blk.${layer}.attn_output.weight`)
  // Two of the carried dimensions per slow pair; the other layer compares the other half.
  for (let at = 0; at < size; at++) {
    const carried = (at - 2 * contentPairs + (layer - 1) * (size - 2 * contentPairs)) % size
    const isContent = at >= 2 * contentPairs
    for (let i = 0; i < width; i++) {
      query[at * width + i] = isContent && i > 0 ? 3 * (carrier.read[carried]?.[i] ?? 0) : 0
      key[at * width + i] = isContent && i > 0 ? 12 * (carrier.written[carried]?.[i] ?? 0) : 0
    }
  }
  for (let dimension = 0; dimension < size; dimension++) {
    const copied = directions(width, 1 / Math.sqrt(width), random)
    value.set(copied, dimension * width)
    for (let row = 0; row < width; row++) output[row * width + dimension] = 0.5 * (copied[row] ?? 0)
  }
}

/** A random vector that does not see the shared constant. */
function directions(width: number, spread: number, random: Random): Float32Array {
  return Float32Array.from({ length: width }, (_, at) => (at === 0 ? 0 : gaussian(random) * spread))
}

function matrix(weights: Tensors, name: string): Float32Array {
  const values = weights.get(name)
  if (!values) throw new RangeError(`the model has no tensor ${name}`)
  return values
}

/** Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}
