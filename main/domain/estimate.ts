// The one estimator of memory, time and disk of a tuning, from the model's shape. Memory follows what the trainer allocates (weights,
// optimiser state, kept activations, one chunk of logits); time is floating-point work over speed, measured speed where there is one.

import type { PhasePlan, TuningEstimate, TuningPlan } from '../contract/tuning.ts'

/** Shape of a llama-like model, from its GGUF header. */
export interface ModelShape {
  parameterCount: number
  layerCount: number
  /** Width of the residual stream. */
  width: number
  keyValueWidth: number
  feedForwardWidth: number
  headCount: number
  vocabSize: number
  fileBytes: number
}

/** Rows of logits computed at a time. */
const headChunkRows = 256

/** Parameters that train. LoRA sits on all seven linears of a layer: rank * (in + out) each. */
export function trainableCount(shape: ModelShape, lora: { rank: number } | undefined): number {
  if (!lora) return shape.parameterCount
  const { width: d, keyValueWidth: kv, feedForwardWidth: ff } = shape
  return lora.rank * shape.layerCount * (9 * d + 2 * kv + 3 * ff)
}

/**
 * Planned peak of the trainer in bytes. The base and the optimiser's state are there once; each thread works on microbatches of its
 * own, so activations, gradients and a chunk of logits are there once a thread.
 */
export function trainerMemoryBytes(
  shape: ModelShape,
  plan: Pick<TuningPlan, 'mode' | 'lora' | 'threads'>,
  { microbatchTokens, recompute }: { microbatchTokens: number; recompute: boolean },
): number {
  const { width: d, keyValueWidth: kv, feedForwardWidth: ff, headCount, layerCount } = shape
  const lora = plan.mode === 'lora' ? (plan.lora ?? { rank: 16 }) : undefined
  const trained = trainableCount(shape, lora)
  // F32 values and two moments; LoRA keeps the base beside them as it is on disk.
  const weights = (lora ? shape.fileBytes : 0) + 12 * trained
  const layer = 3 * d + 2 * kv + 2 * ff + headCount + 7 * (lora?.rank ?? 0)
  const kept = layerCount * d + (recompute ? 1 : layerCount) * layer
  const working = 9 * d + 2 * kv + 4 * ff + 3 * (lora?.rank ?? 0)
  const replica = 4 * (microbatchTokens * (kept + working) + headChunkRows * shape.vocabSize + trained)
  return weights + plan.threads * replica
}

/** Bytes of one checkpoint: F32 weights (or adapter) and two F32 moments. */
export function checkpointBytes(shape: ModelShape, plan: Pick<TuningPlan, 'mode' | 'lora'>): number {
  return 12 * trainableCount(shape, plan.mode === 'lora' ? (plan.lora ?? { rank: 16 }) : undefined)
}

/** Sustained FLOP/s of one thread before anything was measured: graphs of small models reach 80e9 with AVX-512 and 45e9 with AVX2. */
const flopsPerThread = 60e9

export interface Speed {
  threads: number
  /** Tokens per second of an earlier tuning of the same student in the same mode; null when none ran. */
  measuredTokensPerSecond: number | null
}

/** Tokens trained per second. Full: forward 2P, backward 4P; LoRA needs no weight gradients of the base: 4P. */
export function tokensPerSecond(shape: ModelShape, mode: TuningPlan['mode'], speed: Speed): number {
  if (speed.measuredTokensPerSecond !== null) return speed.measuredTokensPerSecond
  const perToken = (mode === 'full' ? 6 : 4) * shape.parameterCount
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
  shape: ModelShape
  studentContext: number
  loads: PhaseLoad[]
  speed: Speed
  memoryFreeBytes: number
  diskFreeBytes: number
}

/** Time, memory and disk of a plan, and what is wrong with it in plain words. */
export function estimateTuning(request: EstimateRequest): TuningEstimate {
  const { plan, shape, loads } = request
  const rate = tokensPerSecond(shape, plan.mode, request.speed)
  const phases = loads.map((load) => {
    const replayed = load.replayRowCount > 0 ? 1 / (1 - load.phase.replayShare) : 1
    const tokens = Math.round(load.newRowCount * replayed * load.phase.epochs * load.meanRowTokens)
    return { name: load.phase.name, rows: load.newRowCount, tokens, steps: load.totalSteps, seconds: tokens / rate }
  })
  const longestContext = Math.max(...plan.phases.map((phase) => phase.contextTokens))
  const peakMemoryBytes = trainerMemoryBytes(shape, plan, { microbatchTokens: longestContext, recompute: false })
  // Kept: best and last of each phase, one being written, the start of the next phase, and the exported model.
  const diskBytes = checkpointBytes(shape, plan) * (2 * plan.phases.length + 1) + 8 * shape.parameterCount
  return { phases, peakMemoryBytes, diskBytes, warnings: warnings(request, peakMemoryBytes, diskBytes) }
}

function warnings(request: EstimateRequest, memoryBytes: number, diskBytes: number): string[] {
  const found: string[] = []
  if (memoryBytes > request.memoryFreeBytes) {
    const remedy =
      request.plan.mode === 'full'
        ? 'Use LoRA, fewer threads or a shorter context.'
        : 'Use fewer threads, a shorter context or a smaller student.'
    found.push(
      `Needs about ${gigabytes(memoryBytes)} of memory, ${gigabytes(request.memoryFreeBytes)} are free. ${remedy}`,
    )
  }
  if (diskBytes > request.diskFreeBytes) {
    found.push(
      `Needs about ${gigabytes(diskBytes)} of disk, ${gigabytes(request.diskFreeBytes)} are free. Free some space first.`,
    )
  }
  for (const load of request.loads) found.push(...phaseWarnings(load, request.studentContext))
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
