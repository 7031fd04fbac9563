// Watches the steps of one phase and says once what looks wrong; the run goes on, since only its owner knows better.

import type { TuningStep } from '../contract/tuning.ts'
import { findWarnings, warningsAt, warningWords } from '../domain/early-warning.ts'
import { listSteps } from '../store/tuning.ts'
import type { Lab } from './lab.ts'
import type { PhaseWork } from './tune-phase.ts'

/** Is shown each step; answers whether it brought up something new. */
export type StepWatch = (step: TuningStep) => boolean

/** Opens the watch of a phase that goes on after `from` steps; what those brought up was said already. */
export function watchSteps(lab: Lab, { run, phase, context }: PhaseWork, from: number): StepWatch {
  const earlier = listSteps(lab.project().db, run, 0)
  const said = new Set(findWarnings(earlier).map(({ kind }) => kind))
  const phaseSteps = earlier.filter((step) => step.phase === phase.name && step.step <= from)
  return (step) => {
    phaseSteps.push(step)
    const found = warningsAt(phaseSteps).filter(({ kind }) => !said.has(kind))
    for (const warning of found) {
      said.add(warning.kind)
      const { message, remedy } = warningWords(warning)
      context.log(`${message} ${remedy}`)
    }
    return found.length > 0
  }
}
