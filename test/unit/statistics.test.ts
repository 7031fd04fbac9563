import { describe, expect, it } from 'vitest'
import { createRandom } from '../../main/domain/random.ts'
import { mean, median, pairedDifference, quantile, wilsonInterval } from '../../main/domain/statistics.ts'

describe('wilsonInterval', () => {
  it("equals Newcombe's published limits", () => {
    // Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
    for (const [correct, total, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval(correct, total)
      expect(interval.low).toBeCloseTo(low, 4)
      expect(interval.high).toBeCloseTo(high, 4)
    }
  })
  it('stays within 0 and 1 and admits everything without observations', () => {
    expect(wilsonInterval(0, 0)).toEqual({ low: 0, high: 1 })
    expect(wilsonInterval(10, 10).high).toBe(1)
    expect(wilsonInterval(0, 10).low).toBe(0)
  })
})

describe('differences of proportions', () => {
  it('is narrower for pairs that agree than for as many that do not', () => {
    const agreeing = pairedDifference({ bothCorrect: 60, firstOnly: 10, secondOnly: 2, neither: 28 })
    const apart = pairedDifference({ bothCorrect: 43, firstOnly: 27, secondOnly: 19, neither: 11 })
    expect(agreeing.difference).toBeCloseTo(apart.difference, 10)
    expect(agreeing.interval.low).toBeGreaterThan(apart.interval.low)
    expect(agreeing.interval.high).toBeLessThan(apart.interval.high)
  })
  it('equals the limits of independent samples where answers are unrelated', () => {
    // Newcombe 1998, Statistics in Medicine 17, 873-890, method 10: the same figure from both intervals without a correlation.
    const { difference, interval } = pairedDifference({ bothCorrect: 56, firstOnly: 14, secondOnly: 24, neither: 6 })
    const one = wilsonInterval(70, 100)
    const two = wilsonInterval(80, 100)
    expect(difference).toBeCloseTo(-0.1, 10)
    expect(interval.low).toBeCloseTo(-0.1 - Math.hypot(0.7 - one.low, two.high - 0.8), 10)
    expect(interval.high).toBeCloseTo(-0.1 + Math.hypot(one.high - 0.7, 0.8 - two.low), 10)
  })
  it('covers the true difference about 95 times in 100', () => {
    const random = createRandom('coverage')
    const rounds = 4000
    let covered = 0
    for (let round = 0; round < rounds; round++) {
      const counts = { bothCorrect: 0, firstOnly: 0, secondOnly: 0, neither: 0 }
      for (let question = 0; question < 40; question++) {
        const luck = random.next()
        if (luck < 0.4) counts.bothCorrect++
        else if (luck < 0.7) counts.firstOnly++
        else if (luck < 0.8) counts.secondOnly++
        else counts.neither++
      }
      const { interval } = pairedDifference(counts)
      if (interval.low <= 0.2 && 0.2 <= interval.high) covered++
    }
    expect(covered / rounds).toBeGreaterThan(0.94)
    expect(covered / rounds).toBeLessThan(0.985)
  })
  it('changes sign with the order and admits everything without observations', () => {
    const one = pairedDifference({ bothCorrect: 5, firstOnly: 9, secondOnly: 1, neither: 5 })
    const other = pairedDifference({ bothCorrect: 5, firstOnly: 1, secondOnly: 9, neither: 5 })
    expect(one.interval.low).toBeCloseTo(-other.interval.high, 10)
    expect(pairedDifference({ bothCorrect: 0, firstOnly: 0, secondOnly: 0, neither: 0 }).interval).toEqual({
      low: -1,
      high: 1,
    })
  })
})

describe('summaries', () => {
  it('interpolates quantiles and finds the median of even counts', () => {
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2)
    expect(quantile([10, 20], 0.1)).toBeCloseTo(11, 10)
    expect(quantile([], 0.5)).toBeNaN()
  })
  it('takes the mean', () => {
    expect(mean([1, 2, 3, 6])).toBe(3)
  })
})
