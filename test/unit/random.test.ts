import { describe, expect, it } from 'vitest'
import { createRandom } from '../../main/domain/random.ts'
import { mean } from '../../main/domain/statistics.ts'

const draw = (seed: string | number, count: number) => {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => random.next())
}

describe('createRandom', () => {
  it('gives the same sequence for the same seed, on every machine', () => {
    expect(draw('lab', 5)).toEqual(draw('lab', 5))
    expect(draw(7, 5)).toEqual(draw('7', 5))
    expect(draw('lab', 3).map((number) => Math.floor(number * 1e9))).toMatchInlineSnapshot(`
      [
        17067684,
        346267123,
        863951005,
      ]
    `)
  })
  it('gives another sequence for another seed', () => {
    expect(draw('a', 3)).not.toEqual(draw('b', 3))
  })
  it('is uniform over whole numbers', () => {
    const random = createRandom('uniform')
    const counts = Array.from({ length: 10 }, () => 0)
    for (let draws = 0; draws < 100_000; draws++) counts[random.int(10)]! += 1
    // chi-square with 9 degrees of freedom: 27.9 is the 99.9 % point.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
    expect(chiSquare).toBeLessThan(27.9)
  })
  it('draws normal numbers with mean 0 and deviation 1', () => {
    const random = createRandom('normal')
    const numbers = Array.from({ length: 20_000 }, () => random.gaussian())
    expect(Math.abs(mean(numbers))).toBeLessThan(0.03)
    expect(Math.abs(mean(numbers.map((number) => number ** 2)) - 1)).toBeLessThan(0.03)
  })
  it('shuffles without losing, doubling or moving the given list', () => {
    const list = Array.from({ length: 50 }, (_, at) => at)
    const shuffled = createRandom('s').shuffle(list)
    expect(shuffled).not.toEqual(list)
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list)
    expect(list[0]).toBe(0)
  })
  it('puts every element at every place equally often', () => {
    const random = createRandom('places')
    const first = [0, 0, 0]
    for (let round = 0; round < 9000; round++) first[random.shuffle([0, 1, 2])[0]!]! += 1
    for (const count of first) expect(Math.abs(count - 3000)).toBeLessThan(200)
  })
  it('forks by name without advancing the parent', () => {
    const plain = createRandom('p')
    const forking = createRandom('p')
    const fork = forking.fork('child')
    expect(forking.next()).toBe(plain.next())
    expect(fork.next()).toBe(createRandom('p').fork('child').next())
    expect(fork.next()).not.toBe(createRandom('p').fork('other').next())
  })
  it('refuses an empty choice and an empty range', () => {
    expect(() => createRandom(1).pick([])).toThrow(RangeError)
    expect(() => createRandom(1).int(0)).toThrow(RangeError)
  })
})
