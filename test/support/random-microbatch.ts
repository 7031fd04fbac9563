// Random microbatches and plain optimiser settings, for tests and checks of the trainer.

import type { Microbatch } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'

export const plainAdam: LoadRequest['optimizer'] = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, clipNorm: 1 }

/** Rows of random tokens; about `share` of each row's tokens count, with weights between 0.5 and 1.5. */
export function randomMicrobatch(options: {
  rowLengths: number[]
  vocabSize: number
  seed: number
  share?: number
}): Microbatch {
  let state = options.seed * 7919 + 1
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const total = options.rowLengths.reduce((sum, length) => sum + length, 0)
  const tokens = new Int32Array(total)
  const weights = new Float32Array(total)
  let at = 0
  for (const length of options.rowLengths)
    for (let index = 0; index < length; index++, at++) {
      tokens[at] = Math.floor(draw() * options.vocabSize)
      if (index > 0 && draw() < (options.share ?? 0.7)) weights[at] = 0.5 + draw()
    }
  return { rowLengths: options.rowLengths, rowGroups: options.rowLengths.map((_, index) => index % 2), tokens, weights }
}

/** Each row of a microbatch as a microbatch of its own. */
export function unpack({ rowLengths, rowGroups, tokens, weights }: Microbatch): Microbatch[] {
  let at = 0
  return rowLengths.map((length, row) => {
    const [begin, end] = [at, (at += length)]
    return {
      rowLengths: [length],
      rowGroups: [rowGroups[row] ?? 0],
      tokens: tokens.slice(begin, end),
      weights: weights.slice(begin, end),
    }
  })
}
