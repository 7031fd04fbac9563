import { describe, expect, test } from 'vitest'
import { tuningPlan } from '../../../main/contract/plans.ts'
import { presetNames } from '../../../main/contract/tuning.ts'
import { type PresetFacts, presetParts } from '../../../main/domain/presets.ts'

const facts = (over: Partial<PresetFacts> = {}): PresetFacts => ({
  parameterCount: 7e9,
  contextLength: 32_768,
  rowsByBranch: { knowledge: 1000, foundational_skills: 400, compositional_skills: 600 },
  ...over,
})

describe('presets', () => {
  test.each(presetNames)('%s is a plan the contract accepts', (preset) => {
    const rest = { name: 'x', studentId: 's', datasetId: 'd', seed: 1, threads: 1, examIds: [] }
    expect(tuningPlan.safeParse({ ...presetParts(preset, facts()), ...rest }).error).toBeUndefined()
  })

  test("paper follows the paper's table for 7B and 13B", () => {
    const seven = presetParts('paper', facts())
    expect(seven.phases.map((phase) => phase.epochs)).toEqual([4, 4, 7])
    expect(seven.phases[0]).toMatchObject({
      learningRate: 1e-6,
      batchRows: 3840,
      warmupSteps: 800,
      contextTokens: 2048,
    })
    const thirteen = presetParts('paper', facts({ parameterCount: 13e9 }))
    expect(thirteen.phases.map((phase) => phase.epochs)).toEqual([5, 7, 7])
    expect(thirteen.phases[2]).toMatchObject({
      learningRate: 2e-5,
      warmupSteps: 385,
      contextTokens: 4096,
      schedule: 'constant',
    })
  })

  test('instructlab trains knowledge, then skills, with its two rates and batches', () => {
    expect(presetParts('instructlab', facts()).phases).toMatchObject([
      { name: 'KT/1', epochs: 7, learningRate: 2e-5, batchRows: 128 },
      { name: 'ST', epochs: 10, learningRate: 6e-6, batchRows: 3840 },
    ])
  })

  test('stacked is one phase of everything, without replay', () => {
    const { phases } = presetParts('stacked', facts())
    expect(phases).toHaveLength(1)
    expect(phases[0]).toMatchObject({
      name: 'stacked',
      replayShare: 0,
      branches: expect.arrayContaining(['knowledge', 'compositional_skills']),
    })
  })

  test('a smaller student gets a larger rate, and LoRA a larger one still', () => {
    const rate = (preset: 'workstation-full' | 'workstation-lora', parameterCount: number) =>
      presetParts(preset, facts({ parameterCount })).phases[0]?.learningRate ?? 0
    expect(rate('workstation-full', 3e6)).toBeGreaterThan(rate('workstation-full', 1e9))
    expect(rate('workstation-full', 1e9)).toBeCloseTo(2e-5)
    expect(rate('workstation-lora', 1e9)).toBeCloseTo(2e-4)
  })

  test('no phase asks for more context than the student has', () => {
    for (const phase of presetParts('paper', facts({ contextLength: 512 })).phases)
      expect(phase.contextTokens).toBe(512)
  })

  test('phases without rows are left out, and the first that stays replays nothing', () => {
    const rowsByBranch = { knowledge: 0, foundational_skills: 0, compositional_skills: 50 }
    expect(presetParts('workstation-full', facts({ rowsByBranch })).phases).toMatchObject([
      { name: 'ST', replayShare: 0 },
    ])
  })
})
