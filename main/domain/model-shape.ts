// The dimensions of a llama-like model that decide its cost, read from its GGUF header.

import { type GgufFile, ggufValue } from './gguf.ts'
import type { ModelShape } from './estimate.ts'

/** Shape of a model; `known` are what the file itself is known to have. Dimensions a header leaves out are guessed from the others. */
export function readModelShape(
  header: GgufFile,
  known: { parameterCount: number; vocabSize: number; fileBytes: number },
): ModelShape {
  const architecture = String(ggufValue(header, 'general.architecture') ?? 'llama')
  const count = (key: string, otherwise: number) => {
    const value = Number(ggufValue(header, `${architecture}.${key}`) ?? otherwise)
    return Number.isFinite(value) && value > 0 ? value : otherwise
  }
  const width = count('embedding_length', 1024)
  const headCount = count('attention.head_count', Math.max(1, Math.round(width / 64)))
  const keyValueHeads = count('attention.head_count_kv', headCount)
  return {
    ...known,
    width,
    headCount,
    layerCount: count('block_count', 1),
    keyValueWidth: (width / headCount) * keyValueHeads,
    feedForwardWidth: count('feed_forward_length', 4 * width),
  }
}
