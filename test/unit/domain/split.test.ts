import { describe, expect, test } from 'vitest'
import { assignSplits } from '../../../main/domain/split.ts'

const rows = (leaf: string, count: number) => Array.from({ length: count }, (_, at) => ({ leaf, key: `${leaf} ${at}` }))
const heldKeys = (from: { leaf: string; key: string }[], options: { validationShare: number; seed: number }) => {
  const sides = assignSplits(from, options)
  return new Set(from.filter((_, at) => sides[at] === 'validation').map((row) => row.key))
}

describe('train and validation split', () => {
  test('every leaf gives its own share', () => {
    const held = heldKeys([...rows('a', 100), ...rows('b', 20)], { validationShare: 0.1, seed: 1 })
    expect([...held].filter((key) => key.startsWith('a'))).toHaveLength(10)
    expect([...held].filter((key) => key.startsWith('b'))).toHaveLength(2)
  })

  test('the order of rows does not matter', () => {
    const all = [...rows('a', 50), ...rows('b', 50)]
    const options = { validationShare: 0.2, seed: 3 }
    expect(heldKeys(all.toReversed(), options)).toEqual(heldKeys(all, options))
  })

  test('adding one row moves at most one other', () => {
    const options = { validationShare: 0.2, seed: 3 }
    const before = heldKeys(rows('a', 50), options)
    for (let extra = 50; extra < 60; extra++) {
      const after = heldKeys([...rows('a', 50), { leaf: 'a', key: `a ${extra}` }], options)
      expect([...before].filter((key) => !after.has(key)).length).toBeLessThanOrEqual(1)
    }
  })

  test('another seed holds out other rows', () => {
    const one = heldKeys(rows('a', 100), { validationShare: 0.1, seed: 1 })
    expect(heldKeys(rows('a', 100), { validationShare: 0.1, seed: 2 })).not.toEqual(one)
  })

  test('equal rows land on the same side', () => {
    const twice = [...rows('a', 30), ...rows('a', 30)]
    const sides = assignSplits(twice, { validationShare: 0.3, seed: 5 })
    expect(sides.slice(0, 30)).toEqual(sides.slice(30))
  })

  test('a leaf is never left without training rows, and a share of 0 holds nothing out', () => {
    expect(assignSplits(rows('a', 1), { validationShare: 0.5, seed: 1 })).toEqual(['train'])
    expect(assignSplits(rows('a', 9), { validationShare: 0, seed: 1 })).not.toContain('validation')
  })
})
