import { describe, expect, test } from 'vitest'
import type { DatasetId, ModelId } from '../../../main/contract/ids.ts'
import type { PhasePlan, TuningPlan } from '../../../main/contract/tuning.ts'
import { type EstimateRequest, estimateTuning } from '../../../main/domain/estimate.ts'

const student = { parameterCount: 134_515_008, vocabSize: 49152, contextLength: 2048 }
const trainer = { plannedBytes: 3e9, checkpointBytes: 1.6e9 }
const phase: PhasePlan = {
  name: 'KT/1',
  branches: ['knowledge'],
  responses: 'all',
  replayShare: 0,
  epochs: 4,
  learningRate: 1e-5,
  batchRows: 16,
  warmupSteps: 10,
  schedule: 'constant',
  contextTokens: 512,
}
const plan: TuningPlan = {
  name: 'x',
  studentId: 's' as ModelId,
  datasetId: 'd' as DatasetId,
  preset: 'workstation-full',
  mode: 'full',
  phases: [phase],
  seed: 1,
  threads: 2,
  checkpointEverySteps: 100,
  examIds: [],
}
const load = { phase, newRowCount: 400, replayRowCount: 0, totalSteps: 100, meanRowTokens: 50, tooLongCount: 0 }
const request = (over: Partial<EstimateRequest> = {}): EstimateRequest => ({
  plan,
  student,
  trainer,
  loads: [load],
  memoryFreeBytes: 64e9,
  diskFreeBytes: 5e11,
  speed: {
    threads: 2,
    measuredTokensPerSecond: null,
  },
  ...over,
})

describe('the estimator', () => {
  test('guesses the speed within a factor of two and a half of what was measured', () => {
    const [estimated] = estimateTuning(request()).phases
    const rate = (estimated?.tokens ?? 0) / (estimated?.seconds ?? 1)
    expect(rate).toBeGreaterThan(100)
    expect(rate).toBeLessThan(600)
  })

  test('counts replay and epochs in tokens, and believes a measured speed over its own', () => {
    const loads = [{ ...load, phase: { ...phase, replayShare: 0.5 }, replayRowCount: 10 }]
    const speed = { threads: 2, measuredTokensPerSecond: 1000 }
    expect(estimateTuning(request({ loads, speed })).phases).toEqual([
      { name: 'KT/1', rows: 400, tokens: 160_000, steps: 100, seconds: 160 },
    ])
  })

  test('has no warnings for a plan that fits', () => {
    expect(estimateTuning(request()).warnings).toEqual([])
  })

  test('says what does not fit and what to do', () => {
    const tight = request({ memoryFreeBytes: 1e9, diskFreeBytes: 1e9 })
    expect(estimateTuning(tight).warnings.join(' ')).toMatch(/of memory.*LoRA.*of disk/)
    const bad = {
      ...load,
      phase: { ...phase, batchRows: 1000, warmupSteps: 800, contextTokens: 4096 },
      tooLongCount: 3,
    }
    expect(estimateTuning(request({ loads: [bad] })).warnings).toHaveLength(4)
    expect(estimateTuning(request({ loads: [{ ...load, newRowCount: 0 }] })).warnings).toEqual([
      expect.stringContaining('passed over'),
    ])
  })
})
