// Figures with honest intervals: proportions (Wilson), differences of proportions (Newcombe), and simple summaries of numbers.
// Every interval is clipped to what is possible; no observation gives the whole range rather than NaN.

import type { Interval } from '../contract/exams.ts'

/** Two-sided 95 % of the normal distribution. */
const z95 = 1.959_963_984_540_054

/** Wilson score interval of `correct` out of `total`, within [0, 1]. Wilson 1927; Newcombe 1998, method 3. */
export function wilsonInterval(correct: number, total: number, z: number = z95): Interval {
  if (total <= 0) return { low: 0, high: 1 }
  const share = correct / total
  const zz = z * z
  const centre = share + zz / (2 * total)
  const reach = z * Math.sqrt((share * (1 - share)) / total + zz / (4 * total * total))
  const scale = 1 + zz / total
  return {
    low: correct === 0 ? 0 : Math.max(0, (centre - reach) / scale),
    high: correct === total ? 1 : Math.min(1, (centre + reach) / scale),
  }
}

/** The same questions answered by two models. */
export interface PairedCounts {
  bothCorrect: number
  firstOnly: number
  secondOnly: number
  neither: number
}

export interface Difference {
  /** First minus second. */
  difference: number
  interval: Interval
}

/**
 * Difference of two proportions measured on the same questions, within [-1, 1].
 * Newcombe 1998 (Statistics in Medicine 17, 2635), method 10: Wilson limits joined with a continuity-corrected correlation.
 */
export function pairedDifference(counts: PairedCounts, z: number = z95): Difference {
  const { bothCorrect, firstOnly, secondOnly, neither } = counts
  const total = bothCorrect + firstOnly + secondOnly + neither
  if (total <= 0) return { difference: 0, interval: { low: -1, high: 1 } }
  return joinIntervals({
    first: { correct: bothCorrect + firstOnly, total },
    second: { correct: bothCorrect + secondOnly, total },
    correlation: pairedCorrelation(counts, total),
    z,
  })
}

interface Proportion {
  correct: number
  total: number
}

function joinIntervals(of: { first: Proportion; second: Proportion; correlation: number; z: number }): Difference {
  const p1 = of.first.correct / of.first.total
  const p2 = of.second.correct / of.second.total
  const one = wilsonInterval(of.first.correct, of.first.total, of.z)
  const two = wilsonInterval(of.second.correct, of.second.total, of.z)
  const reach = (a: number, b: number) => Math.sqrt(Math.max(0, a * a - 2 * of.correlation * a * b + b * b))
  const difference = p1 - p2
  return {
    difference,
    interval: {
      low: Math.max(-1, difference - reach(p1 - one.low, two.high - p2)),
      high: Math.min(1, difference + reach(one.high - p1, p2 - two.low)),
    },
  }
}

function pairedCorrelation({ bothCorrect, firstOnly, secondOnly, neither }: PairedCounts, total: number): number {
  const margins =
    (bothCorrect + firstOnly) * (secondOnly + neither) * (bothCorrect + secondOnly) * (firstOnly + neither)
  if (margins === 0) return 0
  const product = bothCorrect * neither - firstOnly * secondOnly
  const corrected = product > 0 ? Math.max(product - total / 2, 0) : product
  return corrected / Math.sqrt(margins)
}

/** Arithmetic mean; NaN for no numbers. */
export function mean(numbers: readonly number[]): number {
  let sum = 0
  for (const number of numbers) sum += number
  return sum / numbers.length
}

/** The middle number, or the mean of the two middle ones; NaN for no numbers. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** Quantile with linear interpolation (Hyndman-Fan type 7); `share` in [0, 1]; NaN for no numbers. */
export function quantile(numbers: readonly number[], share: number): number {
  if (numbers.length === 0) return Number.NaN
  const sorted = [...numbers].sort((a, b) => a - b)
  const place = Math.min(1, Math.max(0, share)) * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}
