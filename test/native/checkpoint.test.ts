// Checkpoints: a resumed run continues bit for bit, a killed or full disk leaves the last complete one, a damaged one is refused.

import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { describe, startTrainer, temporaryFolder, test, trainerPath } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const modelPath = writeRandomLlama(join(folder, 'model.gguf'), smallShape)
const full = { modelPath, mode: 'full', microbatchTokens: 128, optimizer: plainAdam } satisfies Omit<
  LoadRequest,
  'kind'
>
const lora = {
  ...full,
  mode: 'lora',
  lora: { rank: 4, alpha: 8, seed: 2, targets: ['attn_q', 'attn_v', 'ffn_down'] },
} satisfies Omit<LoadRequest, 'kind'>

const batchOf = (step: number) => [
  randomMicrobatch({ rowLengths: [30, 41, 12], vocabSize: smallShape.vocabSize, seed: step }),
  randomMicrobatch({ rowLengths: [25, 60], vocabSize: smallShape.vocabSize, seed: step + 1000 }),
]

async function trainFrom(trainer: Trainer, first: number, last: number): Promise<number[]> {
  const losses = []
  for (let step = first; step <= last; step++) losses.push((await trainer.step(3e-3, batchOf(step))).loss)
  return losses
}

describe.each([
  ['full', full],
  ['lora', lora],
] as const)('%s training', (name, load) => {
  test.each([1, 2])('resumed from a checkpoint with %i threads continues bit for bit', async (threads) => {
    const place = join(folder, `resume-${name}-${threads}`)
    const whole = await startTrainer({ threads })
    await whole.load(load)
    const expected = await trainFrom(whole, 1, 12)
    await whole.close()

    const killed = await startTrainer({ threads })
    await killed.load(load)
    await trainFrom(killed, 1, 5)
    expect(await killed.saveCheckpoint(place)).toMatchObject({ step: 5 })
    // Killed in the middle of later work, with another checkpoint on its way.
    const doomed = [killed.step(3e-3, batchOf(6)), killed.step(3e-3, batchOf(7)), killed.saveCheckpoint(place)]
    if (killed.pid) process.kill(killed.pid, 'SIGKILL')
    const ends = await Promise.allSettled(doomed)
    expect(ends.some((end) => end.status === 'rejected')).toBe(true)

    const resumed = await startTrainer({ threads })
    await resumed.load(load)
    const { step } = await resumed.loadCheckpoint(place)
    expect([5, 7]).toContain(step)
    expect(await trainFrom(resumed, step + 1, 12)).toEqual(expected.slice(step))
    await resumed.close()
  })
})

describe('a checkpoint folder', () => {
  const saved = join(folder, 'saved')

  test('keeps the newest complete checkpoint and nothing else', async () => {
    const trainer = await startTrainer()
    await trainer.load(full)
    await trainFrom(trainer, 1, 1)
    await trainer.saveCheckpoint(saved)
    await trainFrom(trainer, 2, 2)
    const { sizeBytes } = await trainer.saveCheckpoint(saved)
    await trainer.close()
    const names = readdirSync(saved).sort()
    expect(names).toHaveLength(4)
    expect(names.filter((name) => name.endsWith('.f32'))).toHaveLength(3)
    expect(names).toContain('checkpoint.json')
    expect(sizeBytes).toBe(names.reduce((sum, name) => sum + readFileSync(join(saved, name)).length, 0))
  })

  const damage: [string, (place: string, file: string) => void][] = [
    ['a missing manifest', (place) => execFileSync('rm', [join(place, 'checkpoint.json')])],
    ['a cut manifest', (place) => truncateSync(join(place, 'checkpoint.json'), 40)],
    ['an empty manifest', (place) => truncateSync(join(place, 'checkpoint.json'), 0)],
    ['a manifest of another shape', (place) => writeFileSync(join(place, 'checkpoint.json'), '{"format":1,"step":-3}')],
    ['a missing value file', (_, file) => execFileSync('rm', [file])],
    ['a cut value file', (_, file) => truncateSync(file, 1000)],
    ['a longer value file', (_, file) => writeFileSync(file, 'x', { flag: 'a' })],
    [
      'one changed bit',
      (_, file) => {
        const bytes = readFileSync(file)
        bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000)
        writeFileSync(file, bytes)
      },
    ],
  ]
  test.each(damage)('with %s is refused and changes nothing', async (name, spoil) => {
    const place = join(folder, name.replaceAll(' ', '-'))
    cpSync(saved, place, { recursive: true })
    const file = readdirSync(place).find((entry) => entry.startsWith('variance'))
    spoil(place, join(place, file ?? ''))
    const trainer = await startTrainer()
    await trainer.load(full)
    const before = await trainer.evaluate(batchOf(1))
    await expect(trainer.loadCheckpoint(place)).rejects.toMatchObject({
      code: 'file-access',
      remedy: expect.any(String),
    })
    expect(await trainer.evaluate(batchOf(1))).toEqual(before)
    await trainer.close()
  })

  test('of another model, mode or optimiser setting is refused', async () => {
    const trainer = await startTrainer()
    const other = writeRandomLlama(join(folder, 'other.gguf'), { ...smallShape, layerCount: 1 })
    for (const load of [{ ...full, modelPath: other }, lora, { ...full, optimizer: { ...plainAdam, beta1: 0.8 } }]) {
      await trainer.load(load)
      await expect(trainer.loadCheckpoint(saved)).rejects.toMatchObject({ code: 'bad-input' })
    }
    await trainer.close()
  })
})

test('a disk that runs full during a checkpoint or export is reported and the older files stay whole', async () => {
  // A small tmpfs would need root; a file-size limit of the process fails the write in the same place.
  const place = join(folder, 'full-disk')
  const roomy = await startTrainer()
  await roomy.load(full)
  await trainFrom(roomy, 1, 2)
  await roomy.saveCheckpoint(place)
  await roomy.close()

  const limited = join(folder, 'limited.sh')
  writeFileSync(limited, `#!/bin/bash\nulimit -f 100\nexec "${trainerPath}"\n`, { mode: 0o755 })
  const trainer = await startTrainer({ executable: limited })
  await trainer.load(full)
  expect(await trainer.loadCheckpoint(place)).toMatchObject({ step: 2 })
  await trainFrom(trainer, 3, 3)
  await expect(trainer.saveCheckpoint(place)).rejects.toMatchObject({ code: 'disk-full' })
  const target = join(folder, 'kept.gguf')
  copyFileSync(modelPath, target)
  await expect(trainer.export({ what: 'model', path: target, type: 'f32' })).rejects.toMatchObject({
    code: 'disk-full',
  })
  expect(readFileSync(target).equals(readFileSync(modelPath))).toBe(true)
  expect(existsSync(`${target}.part`)).toBe(false)
  expect(await trainer.loadCheckpoint(place)).toMatchObject({ step: 2 })
  await trainer.close()
})

test('a folder that cannot be written is reported', async () => {
  const trainer = await startTrainer()
  await trainer.load(full)
  mkdirSync(join(folder, 'file-in-the-way'), { recursive: true })
  writeFileSync(join(folder, 'file-in-the-way', 'x'), '')
  await expect(trainer.saveCheckpoint(join(folder, 'file-in-the-way', 'x', 'y'))).rejects.toMatchObject({
    code: 'file-access',
  })
  await trainer.close()
})
