// Checks the trainer's gradients against differences of its own loss, the file that holds the tensors being rewritten for each point.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Microbatch, Trainer } from '../../main/compute/trainer.ts'
import { movedAlong } from './gguf-patch.ts'

export interface DifferencePlan {
  trainer: Trainer
  /** The GGUF of the trained tensors: a model, or an adapter. */
  path: string
  /** Loads such a file into the trainer. */
  load: (path: string) => Promise<unknown>
  batch: Microbatch
  /** Where the moved tensors are written. */
  folder: string
  /** The tensors to check, of all that train; all by default. */
  choose?: (names: string[]) => string[]
  /** How far a tensor is moved, as the length of the change. */
  distance?: number
}

/**
 * Compares |g|^2 of every tensor with the change of the loss along g, differenced at two distances (Richardson). Returns the worst
 * relative error; a tensor without a gradient counts as infinitely wrong.
 */
export async function worstError(plan: DifferencePlan): Promise<{ name: string; error: number }> {
  const { trainer, path, load, batch, distance = 0.02 } = plan
  await load(path)
  const gradients = await trainer.gradients([batch])
  const names = gradients.tensors.map(({ name }) => name)
  const file = readFileSync(path)
  const moved = join(plan.folder, 'moved.gguf')
  let worst = { name: 'none', error: 0 }
  for (const name of plan.choose?.(names) ?? names) {
    const direction = gradients.values[names.indexOf(name)] ?? new Float32Array()
    const square = direction.reduce((sum, value) => sum + value * value, 0)
    const at = async (step: number) => {
      writeFileSync(moved, movedAlong(file, { name, direction, step: step / Math.sqrt(square) }))
      await load(moved)
      return meanLoss(trainer, batch)
    }
    const slope = async (step: number) => ((await at(step)) - (await at(-step))) / (2 * step)
    const error = square > 0 ? await slopeError(slope, distance, Math.sqrt(square)) : Number.POSITIVE_INFINITY
    if (!(error <= worst.error)) worst = { name, error }
  }
  return worst
}

async function slopeError(slope: (step: number) => Promise<number>, distance: number, length: number): Promise<number> {
  const near = await slope(distance)
  const far = await slope(2 * distance)
  return Math.abs((4 * near - far) / 3 / length - 1)
}

async function meanLoss(trainer: Trainer, batch: Microbatch): Promise<number> {
  const rows = await trainer.evaluate([batch])
  return rows.reduce((sum, row) => sum + row.lossSum, 0) / rows.reduce((sum, row) => sum + row.weightSum, 0)
}
