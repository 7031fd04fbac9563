// How a tuning's plan becomes the trainer's: which weights, which adapter, which optimiser. The one place that knows LAB's AdamW.

import { totalmem } from 'node:os'
import type { TuningPlan } from '../contract/tuning.ts'
import type { Trainer } from '../compute/trainer.ts'
import { type LoadReply, type LoadRequest, loraTargets } from '../compute/trainer-protocol.ts'
import type { Lab } from './lab.ts'

/** LAB section 4: AdamW 0.9/0.95, no weight decay. */
export const labOptimizer: LoadRequest['optimizer'] = {
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-8,
  weightDecay: 0,
  clipNorm: 1,
}

/** Above this share of the machine's memory, activations are computed twice rather than kept. */
const recomputeAboveShare = 0.6

export interface TrainerStart {
  /** Weights to begin from: the student, or in full tuning the model an earlier phase ended in. */
  modelPath: string
  /** LoRA: the adapter an earlier phase ended in. */
  adapterPath?: string
  /** Longest row, and room of a microbatch. */
  microbatchTokens: number
}

/** Starts a trainer and loads what a phase begins from, with a fresh optimiser. The caller closes it. `say` gets words for the user. */
export async function openPlanTrainer(
  lab: Lab,
  plan: TuningPlan,
  { start, say }: { start: TrainerStart; say?: (line: string) => void },
): Promise<Trainer> {
  const device = plan.options?.device ?? 'processor'
  const onLog = (line: string) => lab.log(`trainer: ${line}`)
  const trainer = await lab.openTrainer({ threads: plan.threads, device, onLog })
  try {
    const loaded = await trainer.load((await chooseLoad(trainer, loadOf(plan, start))).load)
    if (device === 'gpu') say?.(placeOf(loaded))
    return trainer
  } catch (thrown) {
    await trainer.close()
    throw thrown
  }
}

function placeOf({ device, notice, selfTest }: LoadReply): string {
  if (notice) return notice
  if (!device || device === 'cpu') return 'No GPU that can train was found; training runs on the processor.'
  return `Training runs on ${device}: ${selfTest ?? ''}.`
}

/** What a plan takes by the trainer's own count, on the way it would be run. */
export async function askTrainerPlan(lab: Lab, plan: TuningPlan, start: TrainerStart): Promise<LoadReply> {
  const trainer = await lab.openTrainer({ threads: plan.threads })
  try {
    return (await chooseLoad(trainer, loadOf(plan, start))).planned
  } finally {
    await trainer.close()
  }
}

type Load = Omit<LoadRequest, 'kind'>

/** Keeps activations where memory allows, else has them computed twice. */
async function chooseLoad(trainer: Trainer, load: Load): Promise<{ load: Load; planned: LoadReply }> {
  const planned = await trainer.plan(load)
  if (planned.plannedBytes <= recomputeAboveShare * totalmem()) return { load, planned }
  const sparing = { ...load, recompute: true }
  return { load: sparing, planned: await trainer.plan(sparing) }
}

function loadOf(plan: TuningPlan, start: TrainerStart): Load {
  const { neftuneAlpha, klWeight, frozenLayers, freezesEmbedding, eightBitMoments } = plan.options ?? {}
  const isLora = plan.mode === 'lora'
  return {
    modelPath: start.modelPath,
    mode: plan.mode,
    ...(isLora ? { lora: loraOf(plan, start.adapterPath) } : {}),
    freeze: { layers: frozenLayers ?? 0, embedding: !isLora && (freezesEmbedding ?? false) },
    regularise: {
      seed: plan.seed,
      neftuneAlpha: neftuneAlpha ?? 0,
      dropout: isLora ? (plan.lora?.dropout ?? 0) : 0,
      klWeight: isLora ? (klWeight ?? 0) : 0,
    },
    microbatchTokens: start.microbatchTokens,
    optimizer: { ...labOptimizer, eightBit: eightBitMoments ?? false },
  }
}

function loraOf(plan: TuningPlan, continueFrom: string | undefined): LoadRequest['lora'] {
  const { rank, alpha, rankStabilised, leastUsed } = plan.lora ?? { rank: 16, alpha: 32 }
  return {
    rank,
    alpha,
    rankStabilised: rankStabilised ?? false,
    leastUsed: leastUsed ?? false,
    seed: plan.seed,
    targets: [...loraTargets],
    ...(continueFrom === undefined ? {} : { continueFrom }),
  }
}
