// Phased tuning: plan, live progress, checkpoints.

import type { CheckpointId, DatasetId, EvaluationId, ExamId, JobId, ModelId, TuningId } from './ids.ts'
import type { Branch } from './taxonomy.ts'

export const phaseNames = ['KT/1', 'KT/2', 'ST'] as const
export type PhaseName = (typeof phaseNames)[number]
export const presetNames = ['workstation-full', 'workstation-lora', 'paper', 'instructlab', 'stacked'] as const
export type PresetName = (typeof presetNames)[number]

export interface PhasePlan {
  /** A phase name, or `stacked` for the one mixed phase. */
  name: PhaseName | 'stacked'
  branches: Branch[]
  /** `short` takes rows at or below the median response length of the leaf's branch, `long` those above, `all` both. */
  responses: 'short' | 'long' | 'all'
  /** Share of each batch's rows drawn from the replay buffer (rows of earlier phases); 0 switches replay off. */
  replayShare: number
  /** Rows of foundational leaves kept in skills phases too (as replay of what the base could do). */
  epochs: number
  learningRate: number
  /** Effective batch, in rows. */
  batchRows: number
  warmupSteps: number
  schedule: 'constant' | 'cosine' | 'linear'
  contextTokens: number
}

export interface LoraPlan {
  rank: number
  alpha: number
  /** Scale alpha / sqrt(rank) instead of alpha / rank (rsLoRA). */
  rankStabilised?: boolean
  /** Train only along the input directions that the base uses least: learning without replay. */
  leastUsed?: boolean
  /** Share of the adapter's inputs dropped at random, 0-1. */
  dropout?: number
}

/** What training adds to or leaves out of plain cross entropy; each absent by default. */
export interface TuningOptions {
  /** NEFTune: noise on the embeddings, about 5. */
  neftuneAlpha?: number
  /** Weight of the distance to the base (KL) beside the loss; LoRA only. */
  klWeight?: number
  /** The first layers that stay as they are. */
  frozenLayers?: number
  /** Full training: embedding and head stay as they are. */
  freezesEmbedding?: boolean
  /** Moments of one byte a value instead of four. */
  eightBitMoments?: boolean
  /** `gpu`: the first GPU found, if it computes the processor's gradients; else the processor. */
  device?: 'processor' | 'gpu'
}

export interface TuningPlan {
  name: string
  studentId: ModelId
  datasetId: DatasetId
  preset: PresetName
  mode: 'full' | 'lora'
  lora?: LoraPlan
  options?: TuningOptions
  phases: PhasePlan[]
  seed: number
  threads: number
  /** Optimiser steps between checkpoints; each epoch's end is always one. */
  checkpointEverySteps: number
  /** Exams that choose the best checkpoint of a phase and are reported after it. */
  examIds: ExamId[]
}

export type PhaseState = 'waiting' | 'running' | 'done' | 'failed'

export interface PhaseProgress {
  name: PhasePlan['name']
  state: PhaseState
  rowCount: number
  replayRowCount: number
  step: number
  totalSteps: number
  epoch: number
  bestCheckpointId: CheckpointId | null
}

export interface TuningRun {
  id: TuningId
  jobId: JobId
  plan: TuningPlan
  createdAtMs: number
  phases: PhaseProgress[]
  /** Final merged model once done. */
  resultModelId: ModelId | null
}

/** One optimiser step. `lossNew` and `lossReplay` are means over counted tokens of each kind; null when none were in the batch. */
export interface TuningStep {
  phase: PhasePlan['name']
  step: number
  loss: number
  lossNew: number | null
  lossReplay: number | null
  learningRate: number
  gradNorm: number
  tokens: number
  ms: number
}

export const warningKinds = ['loss-rising', 'gradient-exploding', 'nothing-learned', 'already-known'] as const
export type WarningKind = (typeof warningKinds)[number]

/** What a run's own steps say against it; advice only. `before` and `now`: losses in nats a token, or norms of gradients. */
export interface TuningWarning {
  kind: WarningKind
  phase: PhasePlan['name']
  step: number
  before: number
  now: number
}

export interface Checkpoint {
  id: CheckpointId
  tuningId: TuningId
  phase: PhasePlan['name']
  step: number
  epoch: number
  folder: string
  sizeBytes: number
  validationLoss: number | null
  /** Score of the phase's choosing exam, 0-1. */
  score: number | null
  isBest: boolean
  evaluationIds: EvaluationId[]
}

/** Answer of the estimator, before anything runs. */
export interface TuningEstimate {
  phases: { name: PhasePlan['name']; rows: number; tokens: number; steps: number; seconds: number }[]
  peakMemoryBytes: number
  diskBytes: number
  warnings: string[]
}

/** What a loaded model takes, by the trainer's own count; bytes. */
export interface TrainingSize {
  architecture: string
  layerCount: number
  parameterCount: number
  trainableCount: number
  contextLength: number
  /** Frozen weights in their own type, and the trained values in F32. */
  weightBytes: number
  /** The optimiser's moments. */
  stateBytes: number
  /** Activations, gradients and a chunk of logits. */
  passBytes: number
  /** Planned peak: the three together. */
  plannedBytes: number
  checkpointBytes: number
}

/** What training a model file takes; `probe` is three real steps on random tokens. */
export interface TrainPlan extends TrainingSize {
  probe: { tokensPerSecond: number; peakBytes: number | null; threads: number; isa: string } | null
}

/** The K types are llama.cpp's mixtures; rows that fill no block of 256 are kept in Q8_0. */
export const exportTypes = ['f32', 'f16', 'bf16', 'q8_0', 'q6_k', 'q5_k_m', 'q4_k_m'] as const
export type ExportType = (typeof exportTypes)[number]
