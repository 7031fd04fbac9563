// Edits of a tuning plan before it is started. Pure: every change gives a new plan; limits are the contract's own.

import { tuningPlan } from '../../main/contract/plans.ts'
import type { PhasePlan, TuningPlan } from '../../main/contract/tuning.ts'

/** The numbers of a phase one can edit. */
export type PhaseNumber = 'replayShare' | 'epochs' | 'learningRate' | 'batchRows' | 'warmupSteps' | 'contextTokens'

/** Changes one phase. */
export function withPhase(plan: TuningPlan, index: number, fields: Partial<PhasePlan>): TuningPlan {
  return { ...plan, phases: plan.phases.map((phase, at) => (at === index ? { ...phase, ...fields } : phase)) }
}

/** Leaves one phase out; the last one stays. */
export function withoutPhase(plan: TuningPlan, index: number): TuningPlan {
  return plan.phases.length > 1 ? { ...plan, phases: plan.phases.filter((_, at) => at !== index) } : plan
}

/** Switches replay off in every phase, or back to what the preset gave. */
export function withReplay(plan: TuningPlan, isOn: boolean, preset: TuningPlan): TuningPlan {
  const shareOf = (name: PhasePlan['name']) => preset.phases.find((phase) => phase.name === name)?.replayShare ?? 0
  return { ...plan, phases: plan.phases.map((phase) => ({ ...phase, replayShare: isOn ? shareOf(phase.name) : 0 })) }
}

/** Changes the mode; LoRA needs a rank and an alpha, and takes what only it can do along when it is left. */
export function withMode(plan: TuningPlan, mode: TuningPlan['mode']): TuningPlan {
  const { lora, options, ...rest } = plan
  if (mode === 'lora') return { ...plan, mode, lora: lora ?? { rank: 16, alpha: 32 } }
  const { klWeight: _, ...kept } = options ?? {}
  return { ...rest, mode, ...(options ? { options: kept } : {}) }
}

/** Reads a typed number such as `2e-5`; null when it is none. */
export function readNumber(text: string): number | null {
  const value = Number(text.trim())
  return text.trim() === '' || !Number.isFinite(value) ? null : value
}

/** Fields the engine would refuse, as `phases.1.epochs`; empty when the plan can be started. */
export function brokenFields(plan: TuningPlan): string[] {
  const parsed = tuningPlan.safeParse(plan)
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'))
}
