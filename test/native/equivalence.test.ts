// What must not change a step: how rows are packed, how microbatches are cut, whether activations are recomputed; and what must be
// bit-exact: the same request with the same number of threads.

import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect } from 'vitest'
import type { Microbatch, Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch, unpack } from '../support/random-microbatch.ts'
import { relativeDistance } from '../support/relative-distance.ts'
import { startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const rowLengths = [17, 40, 23, 31, 9]
const batch = randomMicrobatch({ rowLengths, vocabSize: smallShape.vocabSize, seed: 11 })
const modelPath = writeRandomLlama(join(folder, 'model.gguf'), smallShape)
const full = { modelPath, mode: 'full', microbatchTokens: 128, optimizer: plainAdam } satisfies Omit<
  LoadRequest,
  'kind'
>

let trainer: Trainer
beforeEach(async () => {
  trainer = await startTrainer()
})
afterEach(() => trainer.close())

async function gradientVector(of: Trainer, microbatches: Microbatch[]): Promise<{ loss: number; values: number[] }> {
  const { loss, values } = await of.gradients(microbatches)
  return { loss, values: values.flatMap((tensor) => Array.from(tensor)) }
}

test('packed rows see only themselves: losses equal those of the rows alone', async () => {
  await trainer.load(full)
  const packed = await trainer.evaluate([batch])
  const alone = await trainer.evaluate(unpack(batch))
  packed.forEach((row, index) => expect(row.lossSum).toBeCloseTo(alone[index]?.lossSum ?? Number.NaN, 3))
  expect(packed).toHaveLength(rowLengths.length)
})

test('a packed microbatch, its rows alone and any split of them have one gradient', async () => {
  await trainer.load(full)
  const packed = await gradientVector(trainer, [batch])
  const alone = await gradientVector(trainer, unpack(batch))
  expect(alone.loss).toBeCloseTo(packed.loss, 5)
  expect(relativeDistance(packed.values, alone.values)).toBeLessThan(1e-5)
})

test('small microbatches, two threads and recomputed activations leave the gradient as it is', async () => {
  await trainer.load(full)
  const plain = await gradientVector(trainer, [batch])
  const other = await startTrainer({ threads: 2 })
  await other.load({ ...full, microbatchTokens: 40, recompute: true })
  const recomputed = await gradientVector(other, unpack(batch))
  await other.close()
  expect(relativeDistance(plain.values, recomputed.values)).toBeLessThan(1e-5)
})

test('the loss is the weighted mean over all microbatches, not a mean of means', async () => {
  await trainer.load(full)
  const parts = unpack(batch)
  const rows = await trainer.evaluate(parts)
  const expected = rows.reduce((sum, row) => sum + row.lossSum, 0) / rows.reduce((sum, row) => sum + row.weightSum, 0)
  const reply = await trainer.step(0, parts)
  expect(reply.loss).toBeCloseTo(expected, 6)
  const inGroup = (group: number) => rows.filter((_, index) => batch.rowGroups[index] === group)
  for (const { group, lossSum } of reply.groups)
    expect(lossSum).toBeCloseTo(
      inGroup(group).reduce((sum, row) => sum + row.lossSum, 0),
      4,
    )
  expect(reply.groups.map(({ group }) => group)).toEqual([0, 1])
  expect(reply.tokens).toBe(rowLengths.reduce((sum, length) => sum + length, 0))
})

test.each([1, 2, 3])('with %i threads the same steps give the same bits', async (threads) => {
  const losses = []
  for (let run = 0; run < 2; run++) {
    const own = await startTrainer({ threads })
    await own.load({ ...full, optimizer: { ...plainAdam, weightDecay: 0.1 } })
    const replies = await Promise.all(Array.from({ length: 8 }, () => own.step(3e-3, unpack(batch))))
    losses.push(replies.map(({ loss, gradNorm }) => [loss, gradNorm]))
    await own.close()
  }
  expect(losses[1]).toEqual(losses[0])
})

test('models whose widths fit no vector have correct gradients too', async () => {
  const shape = { ...smallShape, width: 36, headCount: 3, kvHeadCount: 1, ffnWidth: 50, vocabSize: 331, isTied: false }
  const odd = randomMicrobatch({ rowLengths: [13, 100], vocabSize: 331, seed: 5 })
  const path = writeRandomLlama(join(folder, 'odd.gguf'), shape)
  const vectors = []
  for (const isa of ['portable', undefined] as const) {
    const own = await startTrainer(isa ? { isa } : {})
    await own.load({ ...full, modelPath: path })
    vectors.push(await gradientVector(own, [odd]))
    await own.close()
  }
  expect(relativeDistance(vectors[0]?.values ?? [], vectors[1]?.values ?? [])).toBeLessThan(1e-5)
})

test('training drives the loss of a small batch towards zero', async () => {
  await trainer.load({ ...full, init: { kind: 'random', seed: 4 } })
  const first = await trainer.step(3e-3, [batch])
  let last = first
  for (let index = 0; index < 150; index++) last = await trainer.step(3e-3, [batch])
  expect(first.loss).toBeGreaterThan(Math.log(smallShape.vocabSize) - 0.2)
  expect(first.loss).toBeLessThan(Math.log(smallShape.vocabSize) + 0.3)
  expect(last.loss).toBeLessThan(0.05)
})

test('random weights depend on the seed alone', async () => {
  const losses = []
  for (const seed of [1, 1, 2]) {
    await trainer.load({ ...full, init: { kind: 'random', seed } })
    losses.push((await trainer.step(0, [batch])).loss)
  }
  expect(losses[0]).toBe(losses[1])
  expect(losses[0]).not.toBe(losses[2])
})

test('weight decay shrinks the matrices and leaves the norms alone', async () => {
  const { readF32 } = await import('../support/gguf-patch.ts')
  await trainer.load({ ...full, optimizer: { beta1: 0, beta2: 0, eps: 1e6, weightDecay: 0.5, clipNorm: 0 } })
  await trainer.step(0.1, [batch])
  const path = join(folder, 'decayed.gguf')
  await trainer.export({ what: 'model', path, type: 'f32' })
  const ratio = (name: string) => (readF32(path, name)[0] ?? 0) / (readF32(modelPath, name)[0] ?? 0)
  expect(ratio('blk.0.attn_q.weight')).toBeCloseTo(0.95, 4)
  expect(ratio('blk.0.attn_norm.weight')).toBeCloseTo(1, 4)
})

test('clipping scales the gradient to the wished norm but reports the norm it had', async () => {
  await trainer.load({ ...full, optimizer: { ...plainAdam, clipNorm: 1e-3 } })
  const gradient = await gradientVector(trainer, [batch])
  const norm = Math.sqrt(gradient.values.reduce((sum, value) => sum + value * value, 0))
  expect((await trainer.step(1e-3, [batch])).gradNorm / norm).toBeCloseTo(1, 5)
})
