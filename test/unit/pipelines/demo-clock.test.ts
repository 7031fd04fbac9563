import { describe, expect, it } from 'vitest'
import { demoClock } from '../../../main/pipelines/demo.ts'

const step = { name: 'generate', seconds: 180 }
const plan = { step, before: [{ name: 'exams', seconds: 15 }], after: [{ name: 'tune', seconds: 300 }] }

describe('the time left of a demo run', () => {
  it('is the plan before anything was measured', () => {
    expect(demoClock(plan, {})(0, null)).toBe(480)
  })
  it('takes a step by its own rate and the later ones at the pace shown so far', () => {
    // 5 s of 15 planned, then a step of 180 that will take 40: 45 of 195.
    const left = demoClock(plan, { exams: 5 })(10, 30)
    expect(left).toBeCloseTo(30 + 300 * (45 / 195), 6)
  })
  it('counts what a step had spent before it was interrupted', () => {
    const left = demoClock(plan, { exams: 15, generate: 60 })(10, 20)
    expect(left).toBeCloseTo(20 + 300 * ((15 + 60 + 10 + 20) / 195), 6)
  })
  it('does not believe the rate of the first seconds', () => {
    expect(demoClock(plan, { exams: 15 })(1, 9999)).toBe(179 + 300)
  })
})
