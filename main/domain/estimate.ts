// The one estimator of time and disk of a tuning, and of what is wrong with a plan. Memory is the trainer's own figure: one formula, in
// native/, serves planner, command line and the trainer's refusals. Time is floating-point work over speed, measured where there is one.

import type { PhasePlan, TuningEstimate, TuningPlan } from '../contract/tuning.ts'

/** The trainer's answer to what a plan takes, bytes. */
export interface TrainerPlan {
  plannedBytes: number
  checkpointBytes: number
}

/** Of the student. */
export interface StudentSize {
  parameterCount: number
  vocabSize: number
  contextLength: number
}

/** Sustained FLOP/s of one thread before anything was measured: whole steps reach 190e9 with AVX-512 and 100e9 with AVX2 on current servers. */
const flopsPerThread = 80e9

export interface Speed {
  threads: number
  /** Tokens per second of an earlier tuning of the same student in the same mode; null when none ran. */
  measuredTokensPerSecond: number | null
}

/** Tokens trained per second. Full: forward 2P, backward 4P; LoRA needs no weight gradients of the base: 4P. */
export function tokensPerSecond(parameterCount: number, mode: TuningPlan['mode'], speed: Speed): number {
  if (speed.measuredTokensPerSecond !== null) return speed.measuredTokensPerSecond
  const perToken = (mode === 'full' ? 6 : 4) * parameterCount
  return (speed.threads * flopsPerThread) / perToken
}

/** Rough tokens of a text for a tokenizer of `vocabSize`: small vocabularies cut finer. */
export function roughTokens(characters: number, vocabSize: number): number {
  return Math.ceil(characters / (vocabSize < 8000 ? 3 : 4))
}

/** Rows of one phase as the planner composed them. */
export interface PhaseLoad {
  phase: PhasePlan
  newRowCount: number
  replayRowCount: number
  totalSteps: number
  /** Mean tokens of a row, template included. */
  meanRowTokens: number
  /** Rows longer than the phase's context, which will be set aside. */
  tooLongCount: number
}

export interface EstimateRequest {
  plan: TuningPlan
  student: StudentSize
  trainer: TrainerPlan
  loads: PhaseLoad[]
  speed: Speed
  memoryFreeBytes: number
  diskFreeBytes: number
}

/** Time, memory and disk of a plan, and what is wrong with it in plain words. */
export function estimateTuning(request: EstimateRequest): TuningEstimate {
  const { plan, student, trainer, loads } = request
  const rate = tokensPerSecond(student.parameterCount, plan.mode, request.speed)
  const phases = loads.map((load) => {
    const replayed = load.replayRowCount > 0 ? 1 / (1 - load.phase.replayShare) : 1
    const tokens = Math.round(load.newRowCount * replayed * load.phase.epochs * load.meanRowTokens)
    return { name: load.phase.name, rows: load.newRowCount, tokens, steps: load.totalSteps, seconds: tokens / rate }
  })
  // Kept: best and last of each phase, one being written, the start of the next phase, and the exported model.
  const diskBytes = trainer.checkpointBytes * (2 * plan.phases.length + 1) + 8 * student.parameterCount
  return { phases, peakMemoryBytes: trainer.plannedBytes, diskBytes, warnings: warnings(request, diskBytes) }
}

function warnings(request: EstimateRequest, diskBytes: number): string[] {
  const found: string[] = []
  const memoryBytes = request.trainer.plannedBytes
  if (memoryBytes > request.memoryFreeBytes) {
    const remedy =
      request.plan.mode === 'full' ? 'Use LoRA or a shorter context.' : 'Use a shorter context or a smaller student.'
    found.push(
      `Needs about ${gigabytes(memoryBytes)} of memory, ${gigabytes(request.memoryFreeBytes)} are free. ${remedy}`,
    )
  }
  if (diskBytes > request.diskFreeBytes) {
    found.push(
      `Needs about ${gigabytes(diskBytes)} of disk, ${gigabytes(request.diskFreeBytes)} are free. Free some space first.`,
    )
  }
  for (const load of request.loads) found.push(...phaseWarnings(load, request.student.contextLength))
  return found
}

function phaseWarnings(load: PhaseLoad, studentContext: number): string[] {
  const { phase } = load
  const found: string[] = []
  if (load.newRowCount === 0) return [`${phase.name} has no rows to train on and will be passed over.`]
  if (phase.batchRows > load.newRowCount) {
    found.push(
      `${phase.name}: a batch of ${phase.batchRows} rows is more than its ${load.newRowCount} rows, so an epoch is one step.`,
    )
  }
  if (phase.warmupSteps >= load.totalSteps) {
    found.push(
      `${phase.name}: warm-up takes all of its ${load.totalSteps} steps; the full learning rate is never used.`,
    )
  }
  if (phase.contextTokens > studentContext) {
    found.push(`${phase.name}: ${phase.contextTokens} tokens of context are more than the student's ${studentContext}.`)
  }
  if (load.tooLongCount > 0) {
    found.push(`${phase.name}: about ${load.tooLongCount} rows are longer than its context and will be set aside.`)
  }
  return found
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e10 ? 1 : 0)} GB`
}
