// What the trainer exports is what llama.cpp computes: node-llama-cpp loads the files and finds the trainer's loss on the same rows.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Llama } from 'node-llama-cpp'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { readTensorTable } from '../support/gguf-patch.ts'
import { llamaLoss as llamaLossOf, openLlama } from '../support/llama-loss.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { typeNumbers, type WeightType } from '../support/random-weights.ts'
import { startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
const batch = randomMicrobatch({ rowLengths: [40, 21, 33], vocabSize: smallShape.vocabSize, seed: 8 })
const targets: NonNullable<LoadRequest['lora']>['targets'] = ['attn_q', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_down']
const lora = { rank: 8, alpha: 16, seed: 3, targets }

let llama: Llama
let trainer: Trainer
beforeAll(async () => {
  llama = await openLlama()
  trainer = await startTrainer()
})
afterAll(async () => {
  await trainer.close()
  await llama.dispose()
  remove()
})

async function llamaLoss(modelPath: string, adapterPath?: string): Promise<number> {
  return llamaLossOf({ llama, modelPath, adapterPath, batches: [batch] })
}

async function trainerLoss(): Promise<number> {
  return (await trainer.evaluate([batch])).reduce((sum, row) => sum + row.lossSum, 0)
}

async function train(steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await trainer.step(5e-3, [batch])
}

const load = { microbatchTokens: 128, optimizer: plainAdam }

test.each([true, false])('a trained model has the same loss in llama.cpp (tied head: %s)', async (isTied) => {
  const modelPath = writeRandomLlama(join(folder, 'full.gguf'), { ...smallShape, isTied, ropeBase: 50_000 })
  await trainer.load({ ...load, modelPath, mode: 'full' })
  await train(5)
  const path = join(folder, 'trained.gguf')
  await trainer.export({ what: 'model', path, type: 'f32' })
  expect((await llamaLoss(path)) / (await trainerLoss())).toBeCloseTo(1, 3)
})

test.each(['f16', 'bf16', 'q8_0'] as const)('a model exported as %s loads and loses little', async (type) => {
  const modelPath = writeRandomLlama(join(folder, 'source.gguf'), smallShape)
  await trainer.load({ ...load, modelPath, mode: 'full' })
  await train(3)
  const path = join(folder, `${type}.gguf`)
  const { sizeBytes } = await trainer.export({ what: 'model', path, type, metadata: { 'labdesk.note': 'naïve ✓' } })
  const file = readFileSync(path)
  expect(file.length).toBe(sizeBytes)
  expect(file.includes('naïve ✓')).toBe(true)
  for (const { name, shape, type: stored } of readTensorTable(file))
    expect(stored, name).toBe(shape.length === 1 ? 0 : typeNumbers[type])
  expect(Math.abs((await llamaLoss(path)) / (await trainerLoss()) - 1)).toBeLessThan(type === 'f16' ? 1e-3 : 1e-2)
  // Read back, the converted weights are the ones llama.cpp uses.
  await trainer.load({ ...load, modelPath: path, mode: 'frozen' })
  expect(Math.abs((await llamaLoss(path)) / (await trainerLoss()) - 1)).toBeLessThan(type === 'q8_0' ? 1e-2 : 1e-3)
})

test.each<WeightType>(['f32', 'f16', 'bf16', 'q8_0'])(
  'an adapter on a %s base has the same loss in llama.cpp',
  async (type) => {
    const modelPath = writeRandomLlama(join(folder, 'base.gguf'), { ...smallShape, type })
    await trainer.load({ ...load, modelPath, mode: 'lora', lora })
    const before = await trainerLoss()
    await train(12)
    const after = await trainerLoss()
    expect(after).toBeLessThan(before * 0.9)
    const path = join(folder, 'adapter.gguf')
    await trainer.export({ what: 'adapter', path, type: 'f32' })
    // llama.cpp's CPU product quantises the activations beside Q8_0 weights.
    expect(Math.abs((await llamaLoss(modelPath, path)) / after - 1)).toBeLessThan(type === 'q8_0' ? 1e-2 : 1e-3)

    const merged = join(folder, 'merged.gguf')
    await trainer.export({ what: 'model', path: merged, type: 'f32' })
    expect(Math.abs((await llamaLoss(merged)) / after - 1)).toBeLessThan(1e-3)

    await trainer.load({ ...load, modelPath, mode: 'lora', lora: { ...lora, continueFrom: path } })
    expect(await trainerLoss()).toBe(after)
  },
)

test('an export keeps the tokenizer and every other entry of the model byte for byte', async () => {
  const modelPath = writeRandomLlama(join(folder, 'kept.gguf'), smallShape)
  await trainer.load({ ...load, modelPath, mode: 'full' })
  const path = join(folder, 'kept-out.gguf')
  await trainer.export({ what: 'model', path, type: 'f32' })
  const [source, out] = [readFileSync(modelPath), readFileSync(path)]
  const vocabulary = source.subarray(source.indexOf('tokenizer.ggml.model'), source.indexOf('token_embd.weight') - 40)
  expect(out.includes(vocabulary)).toBe(true)
  const table = readTensorTable(source)
  for (const spot of readTensorTable(out)) {
    const from = table.find(({ name }) => name === spot.name)
    const size = spot.shape.reduce((product, side) => product * side, 4)
    const values = (file: Buffer, offset = 0) => file.subarray(offset, offset + size)
    expect(values(out, spot.offset).equals(values(source, from?.offset)), spot.name).toBe(true)
  }
})

test('an adapter of another rank, alpha or model is refused as a start', async () => {
  const modelPath = writeRandomLlama(join(folder, 'start.gguf'), smallShape)
  await trainer.load({ ...load, modelPath, mode: 'lora', lora })
  const continueFrom = join(folder, 'start-adapter.gguf')
  await trainer.export({ what: 'adapter', path: continueFrom, type: 'f32' })
  for (const wrong of [{ rank: 4 }, { alpha: 7 }, { targets: targets.slice(1) }, { continueFrom: modelPath }])
    await expect(
      trainer.load({ ...load, modelPath, mode: 'lora', lora: { ...lora, continueFrom, ...wrong } }),
    ).rejects.toMatchObject({ code: 'bad-gguf' })
})
