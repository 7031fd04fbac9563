// The frames spoken with the native trainer over its stdin and stdout, and nothing else about it.
// Frame = u32 LE length of JSON | u32 LE length of payload | JSON (UTF-8) | payload (raw bytes, little endian).
// Requests are answered in order, one reply each ({id, ok:...} or {id, error}); several may be in flight, so the trainer never waits
// for the host between steps. End of stdin = graceful stop. stderr carries log lines for people.

import type { ExportType, TrainingSize } from '../contract/tuning.ts'

/** How a model is opened for training. */
export interface LoadRequest {
  kind: 'load'
  /** GGUF of a supported architecture. */
  modelPath: string
  /** `full`: every weight trains (F32 master copies). `lora`: adapters on a frozen base kept in its own type. `frozen`: evaluate only. */
  mode: 'full' | 'lora' | 'frozen'
  /** `random` replaces every weight by a seeded initialisation (normal, std 0.02, residual outputs scaled by 1/sqrt(2 layers); norms 1). */
  init?: { kind: 'random'; seed: number }
  lora?: LoraRequest
  /** What stays as it is: the first `layers` layers; in full training also embedding and head. */
  freeze?: { layers?: number; embedding?: boolean }
  /** What training adds to plain cross entropy; all of it seeded. */
  regularise?: {
    seed: number
    /** Uniform noise of +-alpha / sqrt(row length * width) on the embeddings (NEFTune, Jain et al. 2023). */
    neftuneAlpha?: number
    /** Share of an adapter's inputs set to zero (LoRA only). */
    dropout?: number
    /** Weight of KL(base || model), in nats a counted token, beside the cross entropy (LoRA only). */
    klWeight?: number
  }
  /** Largest packed microbatch the graph is built for, in tokens; also the longest single row. */
  microbatchTokens: number
  optimizer: {
    beta1: number
    beta2: number
    eps: number
    weightDecay: number
    clipNorm: number
    /** Moments of one byte a value instead of four (Dettmers et al. 2022). */
    eightBit?: boolean
  }
  /** Recompute each layer's activations in the backward pass to save memory. */
  recompute?: boolean
}
export interface LoraRequest {
  rank: number
  alpha: number
  /** Scale alpha / sqrt(rank) instead of alpha / rank (rsLoRA, Kalajdzievski 2023). */
  rankStabilised?: boolean
  /**
   * A is fixed to the input directions that each base weight uses least (its smallest right singular vectors) and only B trains, so what
   * the base does with the others stays: learning something new without replay.
   */
  leastUsed?: boolean
  seed: number
  /** A fused tensor is adapted when any of what it fuses is named. */
  targets: LoraTarget[]
  /** An adapter GGUF to start from; it must have this rank, these targets and the alpha that gives this scale. */
  continueFrom?: string
}
/** Every tensor of a layer that can carry an adapter. */
export const loraTargets = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const
export type LoraTarget = (typeof loraTargets)[number]

export interface LoadReply extends TrainingSize {
  vocabSize: number
  /** Of `load`: where it computes, `cpu` or a device's name. */
  device?: string
  /** Of `load`: how closely the device agreed with the processor. */
  selfTest?: string
  /** Of `load`: why the wished device is not used. */
  notice?: string
}

export interface DevicesRequest {
  kind: 'devices'
}
export interface DevicesReply {
  devices: { name: string; description: string; kind: string; freeBytes: number; totalBytes: number }[]
}

/** The same answer without reading a weight: what `load` would take. */
export type PlanRequest = Omit<LoadRequest, 'kind'> & { kind: 'plan' }

/** One packed microbatch: rows laid end to end, each attending only to itself, positions restarting at 0. */
export interface MicrobatchHead {
  /** Token count of each row, summing to the microbatch's tokens. */
  rowLengths: number[]
  /** Group of each row (e.g. 0 new, 1 replay): losses are reported apart per group. */
  rowGroups: number[]
}

/**
 * One optimiser step. Payload per microbatch, in order: i32 tokens[n], then f32 weights[n]. weight[i] is the weight of the loss of
 * predicting tokens[i] from what precedes it in its row (weight of a row's first token must be 0).
 * Loss = sum(weight * cross entropy) / sum(weight) over ALL microbatches of the step (not a mean of means).
 */
export interface StepRequest {
  kind: 'step'
  learningRate: number
  microbatches: MicrobatchHead[]
}
export interface StepReply {
  /** 1-based optimiser step this was (continues after a checkpoint is loaded). */
  step: number
  loss: number
  gradNorm: number
  /** Per group: sum of weighted cross entropy (nats) and sum of weights. */
  groups: { group: number; lossSum: number; weightSum: number }[]
  tokens: number
  ms: number
}

/**
 * One step of direct preference optimisation (Rafailov et al. 2023). Rows come in pairs, chosen before rejected, over all microbatches in
 * order; a pair's loss is -log sigmoid(beta * margin), the margin being how much more than the reference the model prefers the chosen row.
 */
export interface PreferenceStepRequest {
  kind: 'preferenceStep'
  learningRate: number
  beta: number
  microbatches: MicrobatchHead[]
  /** Weighted log probability of each row by the reference. Left out with LoRA, whose base is the reference. */
  references?: number[]
}
export interface PreferenceStepReply {
  step: number
  loss: number
  /** Mean margin in nats, before the step. */
  margin: number
  /** Share of pairs whose margin is above 0. */
  accuracy: number
  gradNorm: number
  tokens: number
  ms: number
}

/** Forward only; same payload as a step. Rows answer in order. `base`: as if the adapters were not there. */
export interface EvaluateRequest {
  kind: 'evaluate'
  base?: boolean
  microbatches: MicrobatchHead[]
}
export interface EvaluateReply {
  rows: { lossSum: number; weightSum: number }[]
}

/** Gradients without an optimiser step, for checks: payload of the reply = f32 gradients of all trainable tensors in `tensors` order. */
export interface GradientsRequest {
  kind: 'gradients'
  microbatches: MicrobatchHead[]
}
export interface GradientsReply {
  loss: number
  tensors: { name: string; shape: number[] }[]
}

/** Writes weights (or adapter), optimiser state and step count; the manifest `checkpoint.json` is written last, after fsync + rename. */
export interface SaveCheckpointRequest {
  kind: 'saveCheckpoint'
  folder: string
}
export interface LoadCheckpointRequest {
  kind: 'loadCheckpoint'
  folder: string
}
export interface CheckpointReply {
  step: number
  sizeBytes: number
}

/** `adapter`: LoRA GGUF. `model`: the full (or merged) model. Extra metadata strings are added to the GGUF under their keys. */
export interface ExportRequest {
  kind: 'export'
  what: 'adapter' | 'model'
  path: string
  type: ExportType
  metadata?: Record<string, string>
}
/**
 * Writes one adapter whose change of the weights is the weighted sum of the others': their ranks stand beside each other, so nothing is
 * rounded. Weights that add up to 1 average (a soup of checkpoints); 1 - t and t interpolate.
 */
export interface CombineRequest {
  kind: 'combineAdapters'
  adapters: { path: string; weight: number }[]
  /** Where the adapter is written. */
  path: string
}

export interface ExportReply {
  sizeBytes: number
}

/** Must be the first request. `libraryDir` holds libggml-base and friends (a bins folder of @node-llama-cpp). */
export interface OpenRequest {
  kind: 'open'
  libraryDir: string
  /** Worker threads. Results are the same bit for bit however many there are. */
  threads: number
  /**
   * Look for devices among that folder's backends, and train on the named one. It is used only after it computed the gradients of the
   * loaded model as the processor does; else `load` goes on on the processor and says so.
   */
  device?: {
    name?: string
    /** Products of F32 matrices in F32, where a backend would round their inputs to F16; slower. */
    exact?: boolean
    /** Also devices that are software, such as lavapipe; for tests. */
    allowsSoftware?: boolean
  }
  /** Force an instruction set for tests: 'avx512' | 'avx2' | 'portable'. Default: the best this machine has. */
  isa?: string
}
export interface OpenReply {
  protocol: 1
  ggmlVersion: string
  isa: string
  threads: number
}

export type TrainerRequest =
  | OpenRequest
  | LoadRequest
  | PlanRequest
  | DevicesRequest
  | StepRequest
  | PreferenceStepRequest
  | EvaluateRequest
  | GradientsRequest
  | SaveCheckpointRequest
  | LoadCheckpointRequest
  | ExportRequest
  | CombineRequest

/** Error codes the trainer may answer; translated to AppError by the client. */
export type TrainerErrorCode =
  | 'bad-request'
  | 'bad-gguf'
  | 'unsupported-architecture'
  | 'unsupported-type'
  | 'model-missing'
  | 'not-finite'
  | 'out-of-memory'
  | 'disk-full'
  | 'io'
  | 'library'
  | 'device-untrusted'
export interface TrainerErrorFrame {
  code: TrainerErrorCode
  message: string
  remedy: string
}
