import { describe, expect, test } from 'vitest'
import type { TuningStep } from '../../../main/contract/tuning.ts'
import { findWarnings, warningsAt, warningWords } from '../../../main/domain/early-warning.ts'
import { createRandom } from '../../../main/domain/random.ts'

type Shape = { loss: number; gradNorm: number }

/** `count` steps whose loss and norm scatter by `noise` (a share, log-normal) around what `shape` says of each step. */
function series(
  count: number,
  shape: (step: number) => Shape,
  { noise = 0.15, seed = 1, phase = 'KT/1' as const } = {},
) {
  const random = createRandom(seed)
  const scatter = (value: number) => value * Math.exp(noise * random.gaussian())
  return Array.from({ length: count }, (_, at): TuningStep => {
    const { loss, gradNorm } = shape(at + 1)
    const drawn = scatter(loss)
    return {
      phase,
      step: at + 1,
      loss: drawn,
      lossNew: drawn,
      lossReplay: null,
      learningRate: 1e-4,
      gradNorm: scatter(gradNorm),
      tokens: 1000,
      ms: 100,
    }
  })
}
const kindsOf = (steps: TuningStep[]) => findWarnings(steps).map(({ kind }) => kind)
const falling = (step: number): Shape => ({ loss: 0.4 + 2.5 / Math.sqrt(step), gradNorm: 0.5 + 4 / Math.sqrt(step) })

describe('a run that goes as runs go says nothing', () => {
  test.each([
    ['falling', falling],
    ['falling to nothing', (step: number) => ({ loss: 0.001 + 3 * 0.99 ** step, gradNorm: 0.01 + 2 * 0.99 ** step })],
    ['hardly falling, as of a large model', (step: number) => ({ loss: 1.1 - step * 1e-4, gradNorm: 0.3 })],
    ['on a plateau', () => ({ loss: 1.4, gradNorm: 1 })],
  ])('%s, over many seeds and kinds of noise', (_, shape) => {
    for (const noise of [0.05, 0.2, 0.4])
      for (let seed = 0; seed < 30; seed++) expect(kindsOf(series(400, shape, { noise, seed }))).toEqual([])
  })

  test('with one broken batch', () => {
    const steps = series(200, falling)
    Object.assign(steps[120] as TuningStep, { loss: 9, gradNorm: 300 })
    Object.assign(steps[121] as TuningStep, { loss: 5, gradNorm: 90 })
    expect(kindsOf(steps)).toEqual([])
  })

  test('when a new phase begins with a higher loss than the last one ended with', () => {
    const first = series(150, (step) => ({ loss: 0.3 + 2 / step, gradNorm: 0.2 }))
    const second = series(150, (step) => ({ loss: 1 + 2 / step, gradNorm: 3 })).map((step) => ({
      ...step,
      phase: 'ST' as const,
    }))
    expect(kindsOf([...first, ...second])).toEqual([])
  })

  test('before there is anything to judge', () => {
    expect(findWarnings([])).toEqual([])
    expect(warningsAt([])).toEqual([])
    expect(kindsOf(series(12, (step) => ({ loss: step, gradNorm: 10 ** step })))).toEqual([])
  })
})

describe('a run that goes wrong says so, once', () => {
  test('a learning rate that is too high: the loss falls, then climbs', () => {
    const steps = series(300, (step) => ({ loss: step < 60 ? 3 - step * 0.02 : 1.8 + (step - 60) * 0.03, gradNorm: 1 }))
    const [warning, ...others] = findWarnings(steps)
    expect(others).toEqual([])
    expect(warning).toMatchObject({ kind: 'loss-rising', phase: 'KT/1' })
    expect(warning?.step).toBeGreaterThan(90)
    expect(warning?.step).toBeLessThan(160)
    expect(warning?.now).toBeGreaterThan(warning?.before ?? 0)
  })

  test('a learning rate so high that the harm is done within a few steps', () => {
    const steps = series(100, (step) => ({ loss: Math.min(45, 5 * 1.5 ** (step - 2)), gradNorm: 20 }), { noise: 0.25 })
    const [warning] = findWarnings(steps)
    expect(warning).toMatchObject({ kind: 'loss-rising' })
    expect(warning?.step).toBeLessThan(40)
    expect(warning?.before).toBeLessThan(10)
  })

  test('gradients that explode are named within three steps', () => {
    const steps = series(200, (step) => ({ loss: 1.5, gradNorm: step < 100 ? 0.8 : 0.8 * 3 ** (step - 99) }))
    const warning = findWarnings(steps).find(({ kind }) => kind === 'gradient-exploding')
    expect(warning?.step).toBeGreaterThanOrEqual(102)
    expect(warning?.step).toBeLessThanOrEqual(105)
    expect(warning?.before).toBeCloseTo(0.8, 0)
  })

  test('gradients of zero: nothing that trains reaches the loss', () => {
    expect(findWarnings(series(50, () => ({ loss: 2, gradNorm: 0 })))).toMatchObject([
      { kind: 'nothing-learned', step: 5, now: 0 },
    ])
  })

  test('rows that the student knows already, and no word of its small gradients', () => {
    expect(findWarnings(series(50, () => ({ loss: 0.004, gradNorm: 1e-8 })))).toMatchObject([
      { kind: 'already-known', step: 5 },
    ])
  })

  test('each phase is judged by itself, a kind is told at its first', () => {
    const known = series(30, () => ({ loss: 0.01, gradNorm: 0.01 }))
    const both = [...series(30, falling), ...known.map((step) => ({ ...step, phase: 'KT/2' as const }))]
    expect(findWarnings([...both, ...known.map((step) => ({ ...step, phase: 'ST' as const }))])).toMatchObject([
      { kind: 'already-known', phase: 'KT/2', step: 5 },
    ])
  })
})

test('every warning has words with its place and figures, and a remedy', () => {
  for (const kind of ['loss-rising', 'gradient-exploding', 'nothing-learned', 'already-known'] as const) {
    const { message, remedy } = warningWords({ kind, phase: 'ST', step: 40, before: 1.23456, now: 2.5 })
    expect(message).toMatch(/^ST, step 40: .*\.$/)
    expect(remedy).toMatch(/\.$/)
  }
  expect(warningWords({ kind: 'loss-rising', phase: 'ST', step: 40, before: 1.23456, now: 2.5 }).message).toContain(
    'from 1.23 to 2.50',
  )
})
