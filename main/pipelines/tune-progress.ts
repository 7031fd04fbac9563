// What a tuning says of its progress: steps of all phases together, and in words what it does right now.

import type { PhaseWork } from './tune-phase.ts'

/** Reports the phase as being at `step`; `doing` names what is done there other than training. */
export function reportPhase(work: PhaseWork, step: number, doing?: string): void {
  const { context, batches, phase, stepsBefore, stepsInAll } = work
  const place = `${phase.name}: step ${step} of ${batches.totalSteps}, epoch ${batches.epochOf(step)} of ${phase.epochs}`
  const label = doing === undefined ? place : `${place}, ${doing}`
  context.progress({ done: stepsBefore + step, total: stepsInAll, label, ratePerSecond: null, etaSeconds: null })
}

/** Counts answers as they come and reports them at `step`. */
export function reportAnswers(work: PhaseWork, step: number): (count: number) => void {
  let answered = 0
  return (count) => {
    answered += count
    reportPhase(work, step, `${answered} exam questions answered`)
  }
}
