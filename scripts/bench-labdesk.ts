// Labdesk's own side of bench-train: a fresh trainer for each turn, fed random rows through the client the app uses. Times are the
// client's: they hold the way there and back.

import type { LoadRequest } from '../main/compute/trainer-protocol.ts'
import { type Microbatch, openTrainer } from '../main/compute/trainer.ts'
import { type BenchRow, type Failed, type LoraPlan, tokensOf, type Turn, type TurnLength } from './bench-cases.ts'
import { readPeakBytes } from './bench-process.ts'

export interface Trainable {
  executable: string
  libraryDir: string
  threads: number
}

export interface LabdeskWork {
  modelPath: string
  mode: LoadRequest['mode']
  lora?: LoraPlan | null
  rows: BenchRow[]
  vocabSize: number
  isAvx2?: boolean
  turn: TurnLength
}

/** What the trainer says of what it loaded, beside the turn. */
export interface LabdeskTurn extends Turn {
  trainableCount: number
  parameterCount: number
}

const optimizer: LoadRequest['optimizer'] = { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, clipNorm: 1 }

/** One turn of training steps, or of evaluations when the model is frozen. */
export async function runLabdesk(trainable: Trainable, work: LabdeskWork): Promise<LabdeskTurn | Failed> {
  try {
    return await measure(trainable, work)
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) }
  }
}

async function measure(trainable: Trainable, work: LabdeskWork): Promise<LabdeskTurn> {
  const { modelPath, mode, lora, rows, vocabSize, isAvx2, turn } = work
  const trainer = await openTrainer({ ...trainable, ...(isAvx2 ? { isa: 'avx2' as const } : {}) })
  try {
    const { trainableCount, parameterCount } = await trainer.load({
      modelPath,
      mode,
      ...(lora ? { lora: { ...lora, seed: 1 } } : {}),
      microbatchTokens: tokensOf(rows),
      optimizer,
    })
    const stepMs: number[] = []
    let start = 0
    // Step 0 is the warm-up.
    for (let step = 0; step <= turn.leastSteps || performance.now() - start < turn.seconds * 1000; step++) {
      const batch = makeMicrobatch({ rows, vocabSize, seed: step })
      const before = performance.now()
      if (mode === 'frozen') await trainer.evaluate([batch])
      else await trainer.step(1e-5, [batch])
      if (step === 0) start = performance.now()
      else stepMs.push(performance.now() - before)
    }
    const peakBytes = readPeakBytes(trainer.pid) ?? 0
    return { stepMs, tokensPerStep: tokensOf(rows), peakBytes, trainableCount, parameterCount }
  } finally {
    await trainer.close()
  }
}

/** Writes a Q8_0 copy of an F32 model, made by the trainer itself. */
export async function exportQ8(trainable: Trainable, modelPath: string, path: string): Promise<void> {
  const trainer = await openTrainer(trainable)
  try {
    await trainer.load({ modelPath, mode: 'frozen', microbatchTokens: 32, optimizer })
    await trainer.export({ what: 'model', path, type: 'q8_0' })
  } finally {
    await trainer.close()
  }
}

function makeMicrobatch({ rows, vocabSize, seed }: { rows: BenchRow[]; vocabSize: number; seed: number }): Microbatch {
  let state = seed * 7919 + 1
  const token = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * vocabSize)
  }
  return {
    rowLengths: rows.map(({ length }) => length),
    rowGroups: rows.map(() => 0),
    tokens: Int32Array.from({ length: tokensOf(rows) }, token),
    weights: Float32Array.from(
      rows.flatMap(({ length, counted }) => Array.from({ length }, (_, at) => (at < length - counted ? 0 : 1))),
    ),
  }
}
