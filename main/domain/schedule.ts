// Learning rates of a phase: linear warm-up, then constant (the paper's choice: decay in a phase hurts the next), cosine or linear
// towards zero, which the step after the last would reach, so that no step trains nothing. A pure function of the step, so a resumed run sees the same rates.

import type { PhasePlan } from '../contract/tuning.ts'

export type Schedule = Pick<PhasePlan, 'learningRate' | 'warmupSteps' | 'schedule'>

/** Rate of 1-based `step` out of `totalSteps`. Warm-up reaches the full rate at step `warmupSteps` and is cut to the phase's length. */
export function learningRateAt(step: number, totalSteps: number, plan: Schedule): number {
  const warmup = Math.min(plan.warmupSteps, totalSteps)
  if (step <= warmup) return plan.learningRate * (step / warmup)
  if (plan.schedule === 'constant') return plan.learningRate
  const peak = Math.max(1, warmup)
  const done = (step - peak) / (totalSteps - peak + 1)
  return plan.learningRate * (plan.schedule === 'linear' ? 1 - done : 0.5 * (1 + Math.cos(Math.PI * done)))
}
