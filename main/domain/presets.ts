// Named tuning plans: the paper's, InstructLab's, one mixed phase, and two for a single workstation. Figures come from LAB
// (arXiv 2403.01081, table 3), InstructLab training 0.16 and arXiv 2412.13337; what those do not give is marked as ours.

import type { Branch } from '../contract/taxonomy.ts'
import type { PhasePlan, PresetName, TuningPlan } from '../contract/tuning.ts'

/** What a preset is fitted to. */
export interface PresetFacts {
  parameterCount: number
  /** The student's context; no phase asks for more. */
  contextLength: number
  /** Training rows by branch. Phases without any are left out. */
  rowsByBranch: Record<Branch, number>
}

export type PresetParts = Pick<TuningPlan, 'preset' | 'mode' | 'lora' | 'phases' | 'checkpointEverySteps'>

/** The plan parts of a preset for a student and a dataset. With no rows at all, every phase stays. */
export function presetParts(preset: PresetName, facts: PresetFacts): PresetParts {
  const parts = makers[preset](facts)
  const filled = parts.phases.filter((phase) => rowsOf(phase, facts) > 0)
  const phases = (filled.length > 0 ? filled : parts.phases).map((phase, place) => ({
    ...phase,
    replayShare: place === 0 ? 0 : phase.replayShare,
    contextTokens: Math.max(32, Math.min(phase.contextTokens, facts.contextLength)),
  }))
  return { ...parts, preset, phases }
}

type PhaseCommon = Omit<PhasePlan, 'name' | 'branches' | 'responses' | 'replayShare'>
type Shares = { kt2: number; st: number }

/** The three phases of LAB: short then long responses of knowledge and foundational skills, then compositional skills. */
function labPhases(common: { kt1: PhaseCommon; kt2: PhaseCommon; st: PhaseCommon }, shares: Shares): PhasePlan[] {
  const taught: Branch[] = ['knowledge', 'foundational_skills']
  return [
    { name: 'KT/1', branches: taught, responses: 'short', replayShare: 0, ...common.kt1 },
    { name: 'KT/2', branches: taught, responses: 'long', replayShare: shares.kt2, ...common.kt2 },
    { name: 'ST', branches: ['compositional_skills'], responses: 'all', replayShare: shares.st, ...common.st },
  ]
}

/** The papers give no replay share; ours: three new rows to one of KT/1, then as many old rows as new. */
const labShares: Shares = { kt2: 0.25, st: 0.5 }

const makers: Record<PresetName, (facts: PresetFacts) => Omit<PresetParts, 'preset'>> = {
  paper(facts) {
    const isLarge = facts.parameterCount >= 10e9
    const rate = {
      learningRate: isLarge ? 2e-5 : 1e-6,
      warmupSteps: isLarge ? 385 : 800,
      schedule: 'constant' as const,
      batchRows: 3840,
    }
    const kt1 = { ...rate, epochs: isLarge ? 5 : 4, contextTokens: 2048 }
    const kt2 = { ...rate, epochs: isLarge ? 7 : 4, contextTokens: 4096 }
    const st = { ...rate, epochs: 7, contextTokens: 4096 }
    return { mode: 'full', phases: labPhases({ kt1, kt2, st }, labShares), checkpointEverySteps: 500 }
  },
  instructlab() {
    const knowledge = {
      learningRate: 2e-5,
      warmupSteps: 25,
      schedule: 'constant' as const,
      batchRows: 128,
      epochs: 7,
      contextTokens: 4096,
    }
    const skills = { ...knowledge, learningRate: 6e-6, batchRows: 3840, epochs: 10 }
    const phases: PhasePlan[] = [
      { name: 'KT/1', branches: ['knowledge', 'foundational_skills'], responses: 'all', replayShare: 0, ...knowledge },
      { name: 'ST', branches: ['compositional_skills'], responses: 'all', replayShare: labShares.st, ...skills },
    ]
    return { mode: 'full', phases, checkpointEverySteps: 500 }
  },
  stacked(facts) {
    const batchRows = workstationBatch(totalRows(facts))
    const phase: PhasePlan = {
      name: 'stacked',
      branches: ['knowledge', 'foundational_skills', 'compositional_skills'],
      responses: 'all',
      replayShare: 0,
      epochs: workstationEpochs(totalRows(facts), batchRows),
      learningRate: fullRate(facts),
      batchRows,
      warmupSteps: 25,
      schedule: 'constant',
      contextTokens: 4096,
    }
    return { mode: 'full', phases: [phase], checkpointEverySteps: 200 }
  },
  'workstation-full': (facts) => ({ mode: 'full', ...workstation(facts, fullRate(facts)) }),
  'workstation-lora': (facts) => ({
    mode: 'lora',
    lora: { rank: 16, alpha: 32 },
    // LoRA wants about ten times the rate of full tuning (Biderman et al., arXiv 2405.09673).
    ...workstation(facts, Math.min(2e-3, 10 * fullRate(facts))),
  }),
}

function workstation(facts: PresetFacts, learningRate: number): Pick<PresetParts, 'phases' | 'checkpointEverySteps'> {
  const { knowledge, foundational_skills: foundational, compositional_skills: skills } = facts.rowsByBranch
  const half = Math.ceil((knowledge + foundational) / 2)
  const common = (rows: number): PhaseCommon => {
    const batchRows = workstationBatch(rows)
    const steps = { epochs: workstationEpochs(rows, batchRows), warmupSteps: 10, schedule: 'constant' as const }
    return { learningRate, batchRows, ...steps, contextTokens: 2048 }
  }
  const phases = labPhases({ kt1: common(half), kt2: common(half), st: common(skills) }, labShares)
  return { phases, checkpointEverySteps: 200 }
}

/** Small data wants small batches: enough steps an epoch to learn from. Ours. */
function workstationBatch(rows: number): number {
  if (rows < 2000) return 16
  return rows < 20_000 ? 32 : 128
}

/** About 300 steps a phase, between the paper's 4 and a bound. Ours. */
function workstationEpochs(rows: number, batchRows: number): number {
  return Math.min(12, Math.max(4, Math.ceil((300 * batchRows) / Math.max(1, rows))))
}

/** The paper's 2e-5, raised with the inverse root of the size for models below 1B: small models need, and bear, larger steps. Ours. */
function fullRate(facts: PresetFacts): number {
  const rate = 2e-5 * Math.sqrt(1e9 / Math.max(1, facts.parameterCount))
  return Number(Math.min(1e-3, Math.max(1e-6, rate)).toPrecision(2))
}

function rowsOf(phase: PhasePlan, facts: PresetFacts): number {
  return phase.branches.reduce((sum, branch) => sum + facts.rowsByBranch[branch], 0)
}

function totalRows(facts: PresetFacts): number {
  return Object.values(facts.rowsByBranch).reduce((sum, rows) => sum + rows, 0)
}
