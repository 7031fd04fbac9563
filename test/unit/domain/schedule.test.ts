import { describe, expect, test } from 'vitest'
import { learningRateAt, type Schedule } from '../../../main/domain/schedule.ts'

const plan = (over: Partial<Schedule> = {}): Schedule => ({
  learningRate: 0.1,
  warmupSteps: 4,
  schedule: 'constant',
  ...over,
})

describe('learning rate', () => {
  test('rises linearly and reaches the full rate at the end of warm-up', () => {
    expect([1, 2, 3, 4, 5].map((step) => learningRateAt(step, 100, plan()))).toEqual([
      0.025,
      0.05,
      0.1 * 0.75,
      0.1,
      0.1,
    ])
  })

  test('constant stays to the last step', () => {
    expect(learningRateAt(100, 100, plan())).toBe(0.1)
  })

  test('linear and cosine fall to just above zero and pass half the rate half-way', () => {
    for (const schedule of ['linear', 'cosine'] as const) {
      const decay = plan({ schedule, warmupSteps: 0 })
      expect(learningRateAt(1, 100, decay)).toBe(0.1)
      expect(learningRateAt(51, 100, decay)).toBeCloseTo(0.05, 10)
      expect(learningRateAt(100, 100, decay)).toBeGreaterThan(0)
      expect(learningRateAt(100, 100, decay)).toBeLessThan(0.0011)
    }
  })

  test('a phase of one step trains at the full rate whatever its schedule', () => {
    for (const schedule of ['constant', 'linear', 'cosine'] as const)
      expect(learningRateAt(1, 1, plan({ schedule, warmupSteps: 0 }))).toBe(0.1)
  })

  test('a warm-up longer than the phase reaches the full rate on the last step', () => {
    expect(learningRateAt(10, 10, plan({ warmupSteps: 800 }))).toBe(0.1)
  })

  test('no warm-up starts at the full rate', () => {
    expect(learningRateAt(1, 10, plan({ warmupSteps: 0 }))).toBe(0.1)
  })
})
