// What leaves the trainer besides plain floats: the K mixtures, and adapters averaged, interpolated and continued.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Llama } from 'node-llama-cpp'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { readF32, readTensorTable } from '../support/gguf-patch.ts'
import { llamaLoss, openLlama } from '../support/llama-loss.ts'
import { type LlamaShape, smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { relativeDistance } from '../support/relative-distance.ts'
import { startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
const batch = randomMicrobatch({ rowLengths: [40, 21, 33], vocabSize: smallShape.vocabSize, seed: 8 })
const load = { microbatchTokens: 128, optimizer: plainAdam }
/** Rows of whole K blocks. */
const wide: LlamaShape = { ...smallShape, width: 256, ffnWidth: 512, layerCount: 4 }
const base = writeRandomLlama(join(folder, 'base.gguf'), smallShape)
const lora = (seed: number, rank = 4): LoadRequest['lora'] => ({
  rank,
  alpha: 8,
  seed,
  targets: ['attn_q', 'attn_v', 'attn_output', 'ffn_down'],
})

let llama: Llama
let trainer: Trainer
beforeAll(async () => {
  llama = await openLlama()
  trainer = await startTrainer({ threads: 2 })
})
afterAll(async () => {
  await trainer.close()
  await llama.dispose()
  remove()
})

const trainerLoss = async () => (await trainer.evaluate([batch])).reduce((sum, row) => sum + row.lossSum, 0)

const mixtures = [
  { type: 'q6_k', plain: 14, large: 14, within: 0.025 },
  { type: 'q5_k_m', plain: 13, large: 14, within: 0.05 },
  { type: 'q4_k_m', plain: 12, large: 14, within: 0.1 },
] as const

test.each(mixtures)(
  'a model exported as $type has the types of llama.cpp’s mixture and nearly its numbers',
  async (mixture) => {
    const modelPath = writeRandomLlama(join(folder, 'wide.gguf'), wide)
    await trainer.load({ ...load, modelPath, mode: 'full' })
    for (let step = 0; step < 2; step++) await trainer.step(1e-3, [batch])
    const path = join(folder, `${mixture.type}.gguf`)
    const { sizeBytes } = await trainer.export({ what: 'model', path, type: mixture.type })
    expect(statSync(path).size).toBe(sizeBytes)
    const types = new Map(readTensorTable(readFileSync(path)).map(({ name, type }) => [name, type]))
    expect(types.get('blk.1.attn_q.weight')).toBe(mixture.plain)
    expect(types.get('blk.2.ffn_down.weight')).toBe(mixture.large)
    expect(types.get('blk.1.ffn_down.weight')).toBe(mixture.plain)
    expect(types.get('token_embd.weight')).toBe(mixture.large)
    expect(types.get('blk.0.attn_norm.weight')).toBe(0)
    const trained = join(folder, 'trained.gguf')
    await trainer.export({ what: 'model', path: trained, type: 'f32' })
    // Read back: the numbers are near the ones that were trained, and llama.cpp computes with the same ones.
    await trainer.load({ ...load, modelPath: path, mode: 'lora', lora: lora(1) })
    const again = join(folder, 'again.gguf')
    await trainer.export({ what: 'model', path: again, type: 'f32' })
    for (const name of ['blk.1.attn_q.weight', 'blk.2.ffn_down.weight', 'token_embd.weight'])
      expect(relativeDistance(readF32(trained, name), readF32(again, name)), name).toBeLessThan(mixture.within)
    const loss = await trainerLoss()
    expect(Math.abs((await llamaLoss({ llama, modelPath: again, batches: [batch] })) / loss - 1)).toBeLessThan(1e-4)
    expect(Math.abs((await llamaLoss({ llama, modelPath: path, batches: [batch] })) / loss - 1)).toBeLessThan(0.2)
    expect((await trainer.step(1e-3, [batch])).gradNorm).toBeGreaterThan(0)
  },
)

/** An adapter after some steps from its own seed; the merged model beside it. */
async function adapterOf(seed: number, rank?: number): Promise<{ path: string; merged: string }> {
  await trainer.load({ ...load, modelPath: base, mode: 'lora', lora: lora(seed, rank) })
  for (let step = 0; step < 8; step++) await trainer.step(1e-2, [batch])
  const [path, merged] = [join(folder, `adapter-${seed}.gguf`), join(folder, `merged-${seed}.gguf`)]
  await trainer.export({ what: 'adapter', path, type: 'f32' })
  await trainer.export({ what: 'model', path: merged, type: 'f32' })
  return { path, merged }
}

test('adapters of different ranks are averaged exactly, and the average loads everywhere', async () => {
  const [one, two] = [await adapterOf(1, 4), await adapterOf(2, 6)]
  const path = join(folder, 'average.gguf')
  await trainer.combineAdapters({
    adapters: [
      { path: one.path, weight: 0.25 },
      { path: two.path, weight: 0.75 },
    ],
    path,
  })
  const together: LoadRequest['lora'] = { ...lora(1, 10), alpha: 10, continueFrom: path } as NonNullable<
    LoadRequest['lora']
  >
  await trainer.load({ ...load, modelPath: base, mode: 'lora', lora: together })
  const loss = await trainerLoss()
  expect(
    Math.abs((await llamaLoss({ llama, modelPath: base, adapterPath: path, batches: [batch] })) / loss - 1),
  ).toBeLessThan(1e-4)
  const merged = join(folder, 'merged-average.gguf')
  await trainer.export({ what: 'model', path: merged, type: 'f32' })
  const [first, second] = [readF32(one.merged, 'blk.1.attn_v.weight'), readF32(two.merged, 'blk.1.attn_v.weight')]
  const mean = first.map((value, index) => 0.25 * value + 0.75 * (second[index] ?? 0))
  expect(relativeDistance(mean, readF32(merged, 'blk.1.attn_v.weight'))).toBeLessThan(1e-6)
})

test('weight 1 alone is the adapter itself, weight 0 the base', async () => {
  const one = await adapterOf(3)
  const own = await trainerLoss()
  const path = join(folder, 'alone.gguf')
  for (const weight of [1, 0]) {
    await trainer.combineAdapters({ adapters: [{ path: one.path, weight }], path })
    await trainer.load({
      ...load,
      modelPath: base,
      mode: 'lora',
      lora: { ...lora(1), alpha: 4, continueFrom: path } as NonNullable<LoadRequest['lora']>,
    })
    const bare = (await trainer.evaluate([batch], { base: true })).reduce((sum, row) => sum + row.lossSum, 0)
    expect(await trainerLoss()).toBeCloseTo(weight === 1 ? own : bare, 3)
  }
})

test('adapters of other models, and files that are none, are refused by name', async () => {
  const one = await adapterOf(4)
  const other = writeRandomLlama(join(folder, 'other.gguf'), { ...smallShape, width: 128 })
  await trainer.load({ ...load, modelPath: other, mode: 'lora', lora: lora(1) })
  const foreign = join(folder, 'foreign.gguf')
  await trainer.export({ what: 'adapter', path: foreign, type: 'f32' })
  for (const path of [foreign, base])
    await expect(
      trainer.combineAdapters({
        adapters: [
          { path: one.path, weight: 1 },
          { path, weight: 1 },
        ],
        path: join(folder, 'never.gguf'),
      }),
    ).rejects.toMatchObject({ code: 'bad-gguf', message: expect.stringContaining(path) })
})
