import { describe, expect, test } from 'vitest'
import {
  countedTokens,
  maskAfterPrompt,
  type PackedRow,
  packInOrder,
  packMicrobatches,
} from '../../../main/domain/batching.ts'

const row = (first: number, length: number, group = 0): PackedRow => ({
  tokens: Int32Array.from({ length }, (_, at) => first + at),
  weights: Float32Array.from({ length }, (_, at) => (at === 0 ? 0 : 0.5)),
  group,
})

describe('loss mask', () => {
  test('counts what follows the prompt', () => {
    const masked = maskAfterPrompt(Int32Array.of(1, 5, 6, 7, 2), Int32Array.of(1, 5, 6))
    expect([...masked.weights]).toEqual([0, 0, 0, 1, 1])
    expect(countedTokens(masked)).toBe(2)
  })

  test('counts a token that the prompt and the answer share, since the prompt alone would be cut elsewhere', () => {
    expect([...maskAfterPrompt(Int32Array.of(1, 5, 99, 7), Int32Array.of(1, 5, 6)).weights]).toEqual([0, 0, 1, 1])
  })

  test('never counts the first token of a row, which nothing precedes', () => {
    expect([...maskAfterPrompt(Int32Array.of(4, 5), Int32Array.of()).weights]).toEqual([0, 1])
  })
})

describe('packing', () => {
  test('fills microbatches first-fit, longest first, and cuts no row', () => {
    const packed = packMicrobatches([row(0, 3), row(10, 6), row(20, 4), row(30, 5)], 10)
    expect(packed.map((head) => head.rowLengths)).toEqual([
      [6, 4],
      [5, 3],
    ])
  })

  test('lays rows end to end with their groups, weights beside their tokens', () => {
    expect(packMicrobatches([row(7, 2), row(40, 3, 1), row(50, 2)], 5)).toEqual([
      {
        rowLengths: [3, 2],
        rowGroups: [1, 0],
        tokens: Int32Array.of(40, 41, 42, 7, 8),
        weights: Float32Array.of(0, 0.5, 0.5, 0, 0.5),
      },
      { rowLengths: [2], rowGroups: [0], tokens: Int32Array.of(50, 51), weights: Float32Array.of(0, 0.5) },
    ])
  })

  test('is the same for the same rows', () => {
    const rows = [row(0, 3), row(10, 3), row(20, 3)]
    expect(packMicrobatches(rows, 7)).toEqual(packMicrobatches(rows, 7))
  })

  test('keeps the order where answers come row by row', () => {
    const packed = packInOrder([row(0, 3), row(10, 6), row(20, 4), row(30, 5)], 10)
    expect(packed.map((microbatch) => microbatch.rowLengths)).toEqual([
      [3, 6],
      [4, 5],
    ])
    expect(packed[0]?.tokens[0]).toBe(0)
  })

  test('refuses a row longer than a microbatch', () => {
    expect(() => packMicrobatches([row(0, 11)], 10)).toThrow(RangeError)
    expect(() => packInOrder([row(0, 11)], 10)).toThrow('a row of 11 tokens does not fit a microbatch of 10')
  })
})
