// The trainer's gradients against finite differences of its own loss, tensor by tensor.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Microbatch, Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { movedAlong } from '../support/gguf-patch.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const batch = randomMicrobatch({ rowLengths: [19, 34, 11], vocabSize: smallShape.vocabSize, seed: 3 })
const common = { microbatchTokens: 128, optimizer: plainAdam }
const allTargets: NonNullable<LoadRequest['lora']>['targets'] = [
  'attn_q',
  'attn_k',
  'attn_v',
  'attn_output',
  'ffn_gate',
  'ffn_up',
  'ffn_down',
]

async function lossOf(trainer: Trainer, microbatch: Microbatch): Promise<number> {
  const rows = await trainer.evaluate([microbatch])
  return rows.reduce((sum, row) => sum + row.lossSum, 0) / rows.reduce((sum, row) => sum + row.weightSum, 0)
}

/**
 * Compares |g|^2 of every tensor with the change of the loss along g, differenced at two distances (Richardson), the file of the
 * tensors being rewritten for each point. Returns the worst relative error.
 */
async function worstError(options: { trainer: Trainer; path: string; load: (path: string) => Promise<unknown> }) {
  const { trainer, path, load } = options
  await load(path)
  const gradients = await trainer.gradients([batch])
  const file = readFileSync(path)
  const moved = join(folder, 'moved.gguf')
  let worst = { name: '', error: 0 }
  for (const [index, { name }] of gradients.tensors.entries()) {
    const direction = gradients.values[index] ?? new Float32Array()
    const square = direction.reduce((sum, value) => sum + value * value, 0)
    expect(square, name).toBeGreaterThan(0)
    const at = async (distance: number) => {
      writeFileSync(moved, movedAlong(file, { name, direction, step: distance / Math.sqrt(square) }))
      await load(moved)
      return lossOf(trainer, batch)
    }
    const slope = async (distance: number) => ((await at(distance)) - (await at(-distance))) / (2 * distance)
    const near = await slope(0.02)
    const far = await slope(0.04)
    const error = Math.abs((4 * near - far) / 3 / Math.sqrt(square) - 1)
    if (error > worst.error) worst = { name, error }
  }
  return worst
}

test.each([true, false])('full gradients equal finite differences for every tensor (tied head: %s)', async (isTied) => {
  const path = writeRandomLlama(join(folder, `full-${isTied}.gguf`), { ...smallShape, isTied })
  const trainer = await startTrainer()
  const load = (modelPath: string) => trainer.load({ modelPath, mode: 'full', ...common })
  const worst = await worstError({ trainer, path, load })
  await trainer.close()
  expect(worst.error, worst.name).toBeLessThan(1e-3)
})

test.each([false, true])(
  'LoRA gradients equal finite differences for every adapter (recompute: %s)',
  async (recompute) => {
    const base = writeRandomLlama(join(folder, `base-${recompute}.gguf`), smallShape)
    const trainer = await startTrainer()
    const lora = { rank: 4, alpha: 8, seed: 5, targets: allTargets }
    await trainer.load({ modelPath: base, mode: 'lora', lora, recompute, ...common })
    // B starts at zero, where A's gradient vanishes: train a little first.
    for (let index = 0; index < 20; index++) await trainer.step(2e-2, [batch])
    const path = join(folder, 'adapter.gguf')
    await trainer.export({ what: 'adapter', path, type: 'f32' })
    const load = (continueFrom: string) =>
      trainer.load({ modelPath: base, mode: 'lora', lora: { ...lora, continueFrom }, recompute, ...common })
    const worst = await worstError({ trainer, path, load })
    await trainer.close()
    expect(worst.error, worst.name).toBeLessThan(1e-3)
  },
)

test.each(['avx2', 'portable'] as const)('the %s kernels compute the same gradients as the best ones', async (isa) => {
  const modelPath = writeRandomLlama(join(folder, 'isa.gguf'), smallShape)
  const results = []
  for (const wanted of [undefined, isa]) {
    const trainer = await startTrainer(wanted ? { isa: wanted } : {})
    await trainer.load({ modelPath, mode: 'full', ...common })
    results.push(await trainer.gradients([batch]))
    await trainer.close()
  }
  const [best, other] = results
  for (const [index, tensor] of (best?.tensors ?? []).entries())
    expect(distance(best?.values[index], other?.values[index]), tensor.name).toBeLessThan(1e-5)
})

/** |a - b| / |a| */
function distance(a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number {
  expect(a.length).toBe(b.length)
  let off = 0
  let size = 0
  a.forEach((value, index) => {
    off += (value - (b[index] ?? 0)) ** 2
    size += value ** 2
  })
  return Math.sqrt(off / size)
}
