import { describe, expect, test } from 'vitest'
import type { PhasePlan } from '../../../main/contract/tuning.ts'
import { composePhases, type MixRow, newGroup, planBatches, validationRows } from '../../../main/domain/mixing.ts'

const phase = (over: Partial<PhasePlan>): PhasePlan => ({
  name: 'KT/1',
  branches: ['knowledge'],
  responses: 'all',
  replayShare: 0,
  epochs: 3,
  learningRate: 1e-4,
  batchRows: 8,
  warmupSteps: 0,
  schedule: 'constant',
  contextTokens: 64,
  ...over,
})
const row = (index: number, branch: MixRow['branch'], responseLength: number): MixRow => ({
  index,
  branch,
  responseLength,
  split: 'train',
})

describe('what a phase trains on', () => {
  const rows: MixRow[] = [
    ...[10, 20, 30, 40].map((length, at) => row(at, 'knowledge', length)),
    ...[1, 2, 3].map((length, at) => row(4 + at, 'foundational_skills', length)),
    ...[5, 6].map((length, at) => row(7 + at, 'compositional_skills', length)),
    { ...row(9, 'knowledge', 1000), split: 'validation' },
  ]
  const taught: PhasePlan['branches'] = ['knowledge', 'foundational_skills']
  const lab = [
    phase({ name: 'KT/1', branches: taught, responses: 'short' }),
    phase({ name: 'KT/2', branches: taught, responses: 'long', replayShare: 0.5 }),
    phase({ name: 'ST', branches: ['compositional_skills'], replayShare: 0.5 }),
  ]

  test('short and long responses part at the median of their own branch', () => {
    const [kt1, kt2] = composePhases(rows, lab)
    expect(kt1?.newRows).toEqual([0, 1, 4, 5])
    expect(kt2?.newRows).toEqual([2, 3, 6])
  })

  test('the replay buffer holds what earlier phases trained on, and nothing that is new now', () => {
    const [kt1, kt2, st] = composePhases(rows, lab)
    expect(kt1?.replayRows).toEqual([])
    expect(kt2?.replayRows).toEqual([0, 1, 4, 5])
    expect(st?.replayRows).toEqual([0, 1, 2, 3, 4, 5, 6])
    const again = composePhases(rows, [phase({}), phase({ replayShare: 0.5 })])
    expect(again[1]?.replayRows).toEqual([])
  })

  test('a replay share of 0 switches replay off', () => {
    expect(
      composePhases(
        rows,
        lab.map((plan) => ({ ...plan, replayShare: 0 })),
      )[2]?.replayRows,
    ).toEqual([])
  })

  test('validation rows are of the branches the phase teaches and never trained on', () => {
    expect(validationRows(rows, phase({}))).toEqual([9])
    expect(validationRows(rows, phase({ branches: ['compositional_skills'] }))).toEqual([])
  })
})

describe('batches', () => {
  const rows = { newRows: Array.from({ length: 21 }, (_, at) => at), replayRows: [100, 101, 102, 103, 104] }
  const make = (over: Partial<PhasePlan> = {}, seed = 7, phaseIndex = 1) =>
    planBatches({ rows, phase: phase({ replayShare: 0.25, ...over }), phaseIndex, seed })
  const all = (plan = make()) => Array.from({ length: plan.totalSteps }, (_, at) => plan.batch(at + 1))

  test('an epoch shows every new row once, in an order of its own', () => {
    const plan = make()
    const epochs = [0, 1, 2].map((epoch) =>
      all(plan)
        .slice(epoch * plan.stepsPerEpoch, (epoch + 1) * plan.stepsPerEpoch)
        .flat()
        .filter((drawn) => drawn.group === newGroup)
        .map((drawn) => drawn.index),
    )
    for (const epoch of epochs) expect(epoch.toSorted((a, b) => a - b)).toEqual(rows.newRows)
    expect(epochs[0]).not.toEqual(epochs[1])
    expect(plan.totalSteps).toBe(3 * plan.stepsPerEpoch)
  })

  test('replay rows make up their share and the batch keeps its size', () => {
    for (const batch of all().slice(0, 3)) {
      expect(batch).toHaveLength(8)
      expect(batch.filter((drawn) => drawn.group !== newGroup)).toHaveLength(2)
    }
  })

  test('a smaller last batch keeps the share', () => {
    const plan = make()
    const last = plan.batch(plan.stepsPerEpoch)
    expect(last.filter((drawn) => drawn.group === newGroup)).toHaveLength(3)
    expect(last.filter((drawn) => drawn.group !== newGroup)).toHaveLength(1)
  })

  test('replay rows are used evenly over the whole phase', () => {
    const counts = new Map<number, number>()
    for (const drawn of all().flat())
      if (drawn.index >= 100) counts.set(drawn.index, (counts.get(drawn.index) ?? 0) + 1)
    expect(counts.size).toBe(5)
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1)
  })

  test('a batch is a function of rows, phase, seed and step, in whatever order steps are asked for', () => {
    const forwards = all()
    const fresh = make()
    for (const step of [12, 3, 7, 1, 12]) expect(fresh.batch(step)).toEqual(forwards[step - 1])
    expect(all(make({}, 8))).not.toEqual(forwards)
    expect(all(make({}, 7, 2))).not.toEqual(forwards)
  })

  test('without a buffer the whole batch is new', () => {
    const plan = planBatches({
      rows: { newRows: rows.newRows, replayRows: [] },
      phase: phase({ replayShare: 0.5 }),
      phaseIndex: 0,
      seed: 1,
    })
    expect(plan.batch(1)).toHaveLength(8)
    expect(plan.stepsPerEpoch).toBe(3)
  })

  test('a phase without rows has no steps', () => {
    const plan = planBatches({ rows: { newRows: [], replayRows: [1] }, phase: phase({}), phaseIndex: 0, seed: 1 })
    expect(plan.totalSteps).toBe(0)
  })

  test('epochs are counted from 1 and end on their last step', () => {
    const plan = make()
    expect([1, plan.stepsPerEpoch, plan.stepsPerEpoch + 1].map(plan.epochOf)).toEqual([1, 1, 2])
    expect(plan.isEpochEnd(plan.stepsPerEpoch)).toBe(true)
    expect(plan.isEpochEnd(1)).toBe(false)
  })
})
