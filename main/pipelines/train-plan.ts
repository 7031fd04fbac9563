// What training a model file would take, asked of the trainer itself; on request three real steps say how fast it is here and what memory
// it really took. Needs no project and leaves nothing behind.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { TrainPlan } from '../contract/tuning.ts'
import { type LoadReply, loraTargets } from '../compute/trainer-protocol.ts'
import type { Microbatch, Trainer } from '../compute/trainer.ts'
import type { Lab } from './lab.ts'
import { labOptimizer } from './trainer-setup.ts'

export interface TrainWish {
  model: string
  mode: 'full' | 'lora'
  rank: number
  tokens: number
  threads: number
  recompute: boolean
  eightBit: boolean
  probe: boolean
}

const probeSteps = 3

/** Throws what the trainer throws: an unknown architecture, a damaged file, too little memory. */
export async function planTraining(lab: Lab, wish: TrainWish): Promise<TrainPlan> {
  const trainer = await lab.openTrainer({ threads: wish.threads, onLog: (line) => lab.log(`trainer: ${line}`) })
  try {
    const load = {
      modelPath: resolve(wish.model),
      mode: wish.mode,
      ...(wish.mode === 'lora'
        ? { lora: { rank: wish.rank, alpha: 2 * wish.rank, seed: 1, targets: [...loraTargets] } }
        : {}),
      microbatchTokens: wish.tokens,
      optimizer: { ...labOptimizer, eightBit: wish.eightBit },
      recompute: wish.recompute,
    }
    if (!wish.probe) return describe(await trainer.plan(load), null)
    const loaded = await trainer.load(load)
    return describe(loaded, await probe(trainer, loaded, wish))
  } finally {
    await trainer.close()
  }
}

function describe(reply: LoadReply, probed: TrainPlan['probe']): TrainPlan {
  const { architecture, layerCount, parameterCount, trainableCount, contextLength } = reply
  const { weightBytes, stateBytes, passBytes, plannedBytes, checkpointBytes } = reply
  const size = { architecture, layerCount, parameterCount, trainableCount, contextLength }
  return { ...size, weightBytes, stateBytes, passBytes, plannedBytes, checkpointBytes, probe: probed }
}

async function probe(trainer: Trainer, { vocabSize }: LoadReply, wish: TrainWish): Promise<TrainPlan['probe']> {
  const times: number[] = []
  for (let step = 0; step < probeSteps; step++)
    times.push((await trainer.step(0, [randomRow(wish.tokens, vocabSize, step)])).ms)
  // The first step also touches every page for the first time.
  const [quickest = Number.NaN] = times.slice(1).sort((a, b) => a - b)
  const tokensPerSecond = Math.round((wish.tokens * 1000) / quickest)
  return { tokensPerSecond, peakBytes: peakBytesOf(trainer.pid), threads: wish.threads, isa: trainer.isa }
}

function randomRow(length: number, vocabSize: number, step: number): Microbatch {
  const tokens = Int32Array.from({ length }, (_, index) => (index * 7919 + step * 104_729) % vocabSize)
  const weights = new Float32Array(length).fill(1)
  weights[0] = 0
  return { rowLengths: [length], rowGroups: [0], tokens, weights }
}

/** Peak resident memory of a process; null where the system does not tell. */
function peakBytesOf(pid: number | undefined): number | null {
  if (process.platform !== 'linux' || pid === undefined) return null
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return kilobytes === undefined ? null : 1024 * Number(kilobytes)
}
