// What training can add or leave out: frozen parts, rank-stabilised adapters, dropout, noise, distance to the base, preferences, moments
// of one byte; and the plan that says beforehand what it takes.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect } from 'vitest'
import type { Microbatch, Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { readF32 } from '../support/gguf-patch.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch, unpack } from '../support/random-microbatch.ts'
import { relativeDistance } from '../support/relative-distance.ts'
import { startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const batch = randomMicrobatch({ rowLengths: [17, 40, 23, 31], vocabSize: smallShape.vocabSize, seed: 11 })
const modelPath = writeRandomLlama(join(folder, 'model.gguf'), smallShape)
type Load = Omit<LoadRequest, 'kind'>
const full: Load = { modelPath, mode: 'full', microbatchTokens: 128, optimizer: plainAdam }
const lora: Load = {
  ...full,
  mode: 'lora',
  lora: {
    rank: 4,
    alpha: 8,
    seed: 5,
    targets: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'],
  },
}

let trainer: Trainer
beforeEach(async () => {
  trainer = await startTrainer()
})
afterEach(() => trainer.close())

async function gradients(of: Trainer, microbatches: Microbatch[]): Promise<Float32Array> {
  const { values } = await of.gradients(microbatches)
  return Float32Array.from(values.flatMap((tensor) => Array.from(tensor)))
}

const sumOf = (rows: { lossSum: number }[]) => rows.reduce((sum, row) => sum + row.lossSum, 0)

// Narrow models compute packs beside each other, wide ones share every operator.
const wide = writeRandomLlama(join(folder, 'wide.gguf'), { ...smallShape, width: 288, headCount: 6, kvHeadCount: 2 })
const fivePacks = [1, 2, 3, 4, 5].map((seed) =>
  randomMicrobatch({ rowLengths: [60, 50], vocabSize: smallShape.vocabSize, seed }),
)

test.each([
  { load: full, model: 'narrow' },
  { load: lora, model: 'narrow' },
  { load: full, model: 'wide' },
  { load: lora, model: 'wide' },
])('any number of threads gives the same bits ($load.mode, $model)', async ({ load, model }) => {
  const found = []
  for (const threads of [1, 2, 3, 7]) {
    const own = await startTrainer({ threads })
    await own.load({
      ...load,
      modelPath: model === 'wide' ? wide : modelPath,
      regularise: { seed: 3, neftuneAlpha: 1, ...(load.mode === 'lora' ? { dropout: 0.2 } : {}) },
    })
    for (let step = 0; step < 3; step++) await own.step(1e-2, fivePacks)
    const rows = await own.evaluate(fivePacks)
    found.push([Buffer.from((await gradients(own, fivePacks)).buffer).toString('base64'), rows])
    await own.close()
  }
  for (const other of found.slice(1)) expect(other).toEqual(found[0])
})

test('a step over many packs is the sum of its packs', async () => {
  await trainer.load(full)
  const all = await gradients(trainer, fivePacks)
  const weightOf = ({ weights }: Microbatch) => weights.reduce((sum, weight) => sum + weight, 0)
  const total = fivePacks.reduce((sum, pack) => sum + weightOf(pack), 0)
  const summed = new Float32Array(all.length)
  for (const pack of fivePacks) {
    const own = await gradients(trainer, [pack])
    for (const [index, value] of own.entries()) summed[index] = (summed[index] ?? 0) + value * (weightOf(pack) / total)
  }
  expect(relativeDistance(summed, all)).toBeLessThan(1e-5)
})

test('frozen layers, embedding and head keep every bit, and the rest trains as it would', async () => {
  await trainer.load(full)
  const whole = await trainer.gradients([batch])
  await trainer.load({ ...full, freeze: { layers: 1, embedding: true } })
  const part = await trainer.gradients([batch])
  expect(part.tensors.some(({ name }) => name.startsWith('blk.0.') || name.startsWith('token_embd'))).toBe(false)
  for (const [index, { name }] of part.tensors.entries()) {
    const same = whole.tensors.findIndex((tensor) => tensor.name === name)
    expect(relativeDistance(part.values[index] ?? [], whole.values[same]), name).toBeLessThan(1e-6)
  }
  await trainer.step(1e-2, [batch])
  const path = join(folder, 'partly.gguf')
  await trainer.export({ what: 'model', path, type: 'f32' })
  for (const name of ['token_embd.weight', 'blk.0.attn_q.weight', 'blk.0.ffn_norm.weight'])
    expect(Buffer.from(readF32(path, name).buffer).equals(Buffer.from(readF32(modelPath, name).buffer)), name).toBe(
      true,
    )
  expect(
    relativeDistance(readF32(modelPath, 'blk.1.attn_q.weight'), readF32(path, 'blk.1.attn_q.weight')),
  ).toBeGreaterThan(0)
})

test('a rank-stabilised adapter is one with the alpha that gives its scale', async () => {
  await trainer.load({ ...lora, lora: { ...lora.lora, rankStabilised: true } as Load['lora'] })
  const stabilised = await trainer.step(1e-2, [batch]).then(() => trainer.evaluate([batch]))
  // 8 / sqrt(4) = 16 / 4
  await trainer.load({ ...lora, lora: { ...lora.lora, alpha: 16 } as Load['lora'] })
  const plain = await trainer.step(1e-2, [batch]).then(() => trainer.evaluate([batch]))
  expect(sumOf(stabilised)).toBe(sumOf(plain))
})

test('an adapter on the least used directions leaves what the base uses most, and learns all the same', async () => {
  const targets = ['attn_q', 'ffn_down'] as const
  const wish = { ...lora, lora: { ...lora.lora, targets: [...targets], rank: 8, leastUsed: true } as Load['lora'] }
  const { trainableCount } = await trainer.load(wish)
  expect(trainableCount).toBe(2 * 8 * (64 + 64))
  const start = join(folder, 'least-start.gguf')
  await trainer.export({ what: 'adapter', path: start, type: 'f32' })
  const before = sumOf(await trainer.evaluate([batch]))
  for (let step = 0; step < 30; step++) await trainer.step(2e-2, [batch])
  expect(sumOf(await trainer.evaluate([batch]))).toBeLessThan(0.9 * before)
  const path = join(folder, 'least.gguf')
  await trainer.export({ what: 'adapter', path, type: 'f32' })
  for (const [role, width] of [
    ['attn_q', 64],
    ['ffn_down', 96],
  ] as const) {
    const name = `blk.1.${role}.weight`
    const a = readF32(path, `${name}.lora_a`)
    expect(relativeDistance(a, readF32(start, `${name}.lora_a`))).toBe(0)
    const weight = readF32(modelPath, name)
    // A unit vector of chance is stretched by the root mean square of the singular values.
    const usual = Math.sqrt(weight.reduce((sum, value) => sum + value * value, 0) / width)
    for (let row = 0; row < 8; row++) {
      const direction = a.subarray(row * width, (row + 1) * width)
      expect(Math.hypot(...direction)).toBeCloseTo(1, 4)
      const image = Array.from({ length: 64 }, (_, out) =>
        direction.reduce((sum, value, index) => sum + value * (weight[out * width + index] ?? 0), 0),
      )
      expect(Math.hypot(...image)).toBeLessThan(0.3 * usual)
    }
  }
})

test.each(['dropout', 'neftuneAlpha'] as const)(
  '%s is seeded, differs from step to step, and does not mind packing',
  async (name) => {
    const load = { ...lora, regularise: { seed: 9, [name]: name === 'dropout' ? 0.3 : 20 } }
    // B starts at zero, where the adapters do nothing.
    const trained = async (wish: Load) => {
      await trainer.load(wish)
      await trainer.step(2e-2, [batch])
      return gradients(trainer, [batch])
    }
    const plain = await trained(lora)
    const noisy = await trained(load)
    expect(relativeDistance(plain, noisy)).toBeGreaterThan(1e-3)
    expect(relativeDistance(noisy, await trained(load))).toBe(0)
    expect(
      relativeDistance(noisy, await trained({ ...load, regularise: { ...load.regularise, seed: 10 } })),
    ).toBeGreaterThan(1e-3)
    await trained(load)
    const unpacked = await gradients(trainer, unpack(batch))
    expect(relativeDistance(noisy, unpacked)).toBeLessThan(1e-5)
    await trainer.step(0, [batch])
    expect(relativeDistance(noisy, await gradients(trainer, [batch]))).toBeGreaterThan(1e-3)
  },
)

test('recomputing a layer draws the same dropout again', async () => {
  const found = []
  for (const recompute of [false, true]) {
    await trainer.load({ ...lora, recompute, regularise: { seed: 9, dropout: 0.3 } })
    await trainer.step(2e-2, [batch])
    found.push(await gradients(trainer, [batch]))
  }
  expect(relativeDistance(found[0] ?? [], found[1])).toBeLessThan(1e-6)
})

test('the distance to the base pulls a trained model back towards it', async () => {
  const after = async (klWeight: number) => {
    await trainer.load({ ...lora, regularise: { seed: 1, klWeight } })
    for (let step = 0; step < 30; step++) await trainer.step(1e-2, [batch])
    return sumOf(await trainer.evaluate([batch])) - sumOf(await trainer.evaluate([batch], { base: true }))
  }
  const [free, held] = [await after(0), await after(20)]
  expect(free).toBeLessThan(0)
  expect(held).toBeLessThan(0)
  expect(held).toBeGreaterThan(free / 2)
})

test('at the base, the distance to it has no gradient', async () => {
  await trainer.load(lora)
  const plain = await gradients(trainer, [batch])
  await trainer.load({ ...lora, regularise: { seed: 1, klWeight: 5 } })
  expect(relativeDistance(plain, await gradients(trainer, [batch]))).toBeLessThan(1e-5)
})

test('preferences: the loss is log 2 at the start, and training widens the margin', async () => {
  const beta = 0.5
  await trainer.load(lora)
  const first = await trainer.preferenceStep({ learningRate: 1e-2, beta }, [batch])
  expect(first.loss).toBeCloseTo(Math.log(2), 5)
  expect(first.margin).toBeCloseTo(0, 3)
  let last = first
  for (let step = 0; step < 25; step++) last = await trainer.preferenceStep({ learningRate: 1e-2, beta }, [batch])
  expect(last.step).toBe(26)
  expect(last.loss).toBeLessThan(0.2)
  expect(last.margin).toBeGreaterThan(1)
  expect(last.accuracy).toBe(1)
})

test('the gradient of a preference is that of the chosen row less that of the rejected one', async () => {
  const beta = 0.5
  await trainer.load({ ...lora, optimizer: { ...plainAdam, clipNorm: 0 } })
  await trainer.step(1e-2, [batch])
  const pair = randomMicrobatch({ rowLengths: [22, 30], vocabSize: smallShape.vocabSize, seed: 4 })
  const rows = await trainer.evaluate([pair])
  const base = await trainer.evaluate([pair], { base: true })
  const gain = (row: number) => (base[row]?.lossSum ?? 0) - (rows[row]?.lossSum ?? 0)
  const pull = beta / (1 + Math.exp(beta * (gain(0) - gain(1))))
  const alone = await Promise.all(unpack(pair).map((row) => gradients(trainer, [row])))
  const expected = (alone[0] ?? new Float32Array()).map(
    (value, index) => pull * (value * (rows[0]?.weightSum ?? 0) - (alone[1]?.[index] ?? 0) * (rows[1]?.weightSum ?? 0)),
  )
  const norm = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0))
  const reply = await trainer.preferenceStep({ learningRate: 0, beta }, [pair])
  expect(reply.gradNorm / norm).toBeCloseTo(1, 4)
  expect(reply.margin).toBeCloseTo(gain(0) - gain(1), 3)
})

test('preferences in full training need references, and agree with LoRA’s own when they are the same', async () => {
  await trainer.load(full)
  const rows = await trainer.evaluate([batch])
  await expect(trainer.preferenceStep({ learningRate: 0, beta: 0.1 }, [batch])).rejects.toMatchObject({
    code: 'bad-input',
  })
  const references = rows.map(({ lossSum }) => -lossSum)
  const reply = await trainer.preferenceStep({ learningRate: 0, beta: 0.1, references }, [batch])
  expect(reply.loss).toBeCloseTo(Math.log(2), 5)
  const odd = randomMicrobatch({ rowLengths: [9], vocabSize: smallShape.vocabSize, seed: 2 })
  await expect(trainer.preferenceStep({ learningRate: 0, beta: 0.1, references: [0] }, [odd])).rejects.toMatchObject({
    code: 'bad-input',
  })
})

test('moments of one byte train like those of four, take a quarter of the memory, and resume bit for bit', async () => {
  const optimizer = { ...plainAdam, beta2: 0.999 }
  const after: Record<string, number> = {}
  for (const eightBit of [false, true]) {
    const { stateBytes } = await trainer.load({ ...full, optimizer: { ...optimizer, eightBit } })
    for (let step = 0; step < 60; step++) await trainer.step(3e-3, [batch])
    after[`loss ${eightBit}`] = (await trainer.step(0, [batch])).loss
    after[`bytes ${eightBit}`] = stateBytes
  }
  expect(after['loss true']).toBeLessThan(1.5 * (after['loss false'] ?? 0) + 0.05)
  expect(after['bytes true']).toBeLessThan(0.27 * (after['bytes false'] ?? 0))
  const checkpoint = join(folder, 'eight-bit')
  await trainer.saveCheckpoint(checkpoint)
  const going = await trainer.step(1e-3, [batch]).then(() => trainer.step(1e-3, [batch]))
  await trainer.load({ ...full, optimizer: { ...optimizer, eightBit: true } })
  await trainer.loadCheckpoint(checkpoint)
  const resumed = await trainer.step(1e-3, [batch]).then(() => trainer.step(1e-3, [batch]))
  expect([resumed.loss, resumed.gradNorm]).toEqual([going.loss, going.gradNorm])
  await trainer.load(full)
  await expect(trainer.loadCheckpoint(checkpoint)).rejects.toMatchObject({ code: 'bad-input' })
})

test('dropout and the distance to the base are refused without a frozen base', async () => {
  for (const wish of [{ dropout: 0.1 }, { klWeight: 1 }])
    await expect(trainer.load({ ...full, regularise: { seed: 1, ...wish } })).rejects.toMatchObject({
      code: 'bad-input',
    })
})

test.each([full, { ...full, recompute: true }, lora, { ...lora, recompute: true }])(
  'a plan says what a load then takes, without reading a weight ($mode, recompute $recompute)',
  async (load) => {
    // The header alone: the weights are cut off.
    const path = join(folder, 'headless.gguf')
    const planned = await trainer.plan(load)
    const { device, ...loaded } = await trainer.load(load)
    expect(device).toBe('cpu')
    expect(planned).toEqual(loaded)
    expect(planned.plannedBytes).toBe(planned.weightBytes + planned.stateBytes + planned.passBytes)
    expect(readFileSync(modelPath).length).toBeGreaterThan(0)
    await expect(trainer.plan({ ...load, modelPath: path })).rejects.toMatchObject({ code: 'model-missing' })
  },
)
