// The trainer as a child process: how it starts, ends and dies, and how it is built.

import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { openTrainer } from '../../main/compute/trainer.ts'
import { ensureTrainer, findLibraryDir } from '../../main/compute/trainer-build.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { root, startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const modelPath = writeRandomLlama(join(folder, 'model.gguf'), smallShape)
const full = { modelPath, mode: 'full', microbatchTokens: 256, optimizer: plainAdam } satisfies Omit<
  LoadRequest,
  'kind'
>
const batch = randomMicrobatch({ rowLengths: [100, 80, 70], vocabSize: smallShape.vocabSize, seed: 2 })

test('pipelined requests are answered in order', async () => {
  const trainer = await startTrainer()
  const order: number[] = []
  await Promise.all([
    trainer.load(full),
    ...Array.from({ length: 20 }, async () => order.push((await trainer.step(1e-3, [batch])).step)),
  ])
  await trainer.close()
  expect(order).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
})

test('closing lets the requests already made finish, and a closed trainer refuses more', async () => {
  const trainer = await startTrainer()
  const work = Promise.all([trainer.load(full), trainer.step(1e-3, [batch]), trainer.step(1e-3, [batch])])
  await trainer.close()
  expect((await work)[2].step).toBe(2)
  await expect(trainer.step(1e-3, [batch])).rejects.toMatchObject({ code: 'worker-died' })
  await trainer.close()
})

test('SIGTERM ends it with status 0 after the step in hand', async () => {
  const trainer = await startTrainer()
  await trainer.load(full)
  const steps = Array.from({ length: 2000 }, () => trainer.step(1e-4, [batch]))
  await steps[0]
  if (trainer.pid) process.kill(trainer.pid, 'SIGTERM')
  const ends = await Promise.allSettled(steps)
  const done = ends.filter((end) => end.status === 'fulfilled').length
  expect(done).toBeGreaterThan(0)
  expect(done).toBeLessThan(2000)
  const reasons = new Set(ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason.message)] : [])))
  expect([...reasons]).toEqual([expect.stringContaining('status 0')])
  await trainer.close()
})

test('SIGTERM ends an idle trainer at once', async () => {
  const trainer = await startTrainer()
  await trainer.load(full)
  const started = performance.now()
  if (trainer.pid) process.kill(trainer.pid, 'SIGTERM')
  await trainer.close()
  expect(performance.now() - started).toBeLessThan(2000)
})

test('a killed trainer rejects what was open with worker-died', async () => {
  const trainer = await startTrainer()
  await trainer.load(full)
  const steps = [trainer.step(1e-3, [batch]), trainer.step(1e-3, [batch]), trainer.evaluate([batch])]
  if (trainer.pid) process.kill(trainer.pid, 'SIGKILL')
  for (const end of await Promise.allSettled(steps))
    if (end.status === 'rejected')
      expect(end.reason).toMatchObject({ code: 'worker-died', message: expect.stringContaining('SIGKILL') })
  await expect(trainer.evaluate([batch])).rejects.toMatchObject({ code: 'worker-died' })
  await trainer.close()
})

test('aborting rejects open requests as cancelled and ends the process', async () => {
  const controller = new AbortController()
  const trainer = await startTrainer({ signal: controller.signal })
  await trainer.load(full)
  const steps = Promise.allSettled(Array.from({ length: 500 }, () => trainer.step(1e-4, [batch])))
  controller.abort()
  expect((await steps).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } })
  await trainer.close()
  await expect(startTrainer({ signal: controller.signal })).rejects.toThrow()
})

test('an executable that is missing, or dies with a message, is reported with it', async () => {
  const options = { libraryDir: findLibraryDir(root), threads: 1 }
  await expect(openTrainer({ ...options, executable: join(folder, 'none') })).rejects.toMatchObject({
    code: 'trainer-missing',
  })
  const dying = join(folder, 'dying.sh')
  writeFileSync(dying, '#!/bin/sh\necho "the disk caught fire" >&2\nexit 7\n', { mode: 0o755 })
  const lines: string[] = []
  await expect(openTrainer({ ...options, executable: dying, onLog: (line) => lines.push(line) })).rejects.toMatchObject(
    {
      code: 'worker-died',
      message: expect.stringContaining('status 7'),
      detail: expect.stringContaining('the disk caught fire'),
    },
  )
  expect(lines).toEqual(['the disk caught fire'])
})

test('without a compiler the build names the tool and what to install', async () => {
  const bare = join(folder, 'bare')
  mkdirSync(join(bare, 'native'), { recursive: true })
  for (const part of ['CMakeLists.txt', 'include', 'kernels', 'src'])
    cpSync(join(root, 'native', part), join(bare, 'native', part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(bare, 'node_modules'))
  const path = process.env.PATH
  process.env.PATH = join(folder, 'empty')
  try {
    await expect(ensureTrainer({ root: bare })).rejects.toMatchObject({
      code: 'trainer-missing',
      message: expect.stringContaining('git'),
      remedy: expect.stringContaining('cmake'),
    })
  } finally {
    process.env.PATH = path
  }
})

test('an installation without sources uses the trainer it ships, also beside an asar archive', async () => {
  const shipped = join(folder, 'app.asar.unpacked', 'native', 'build')
  mkdirSync(shipped, { recursive: true })
  await expect(ensureTrainer({ root: join(folder, 'app.asar') })).rejects.toMatchObject({ code: 'trainer-missing' })
  const executable = join(shipped, process.platform === 'win32' ? 'labdesk-trainer.exe' : 'labdesk-trainer')
  writeFileSync(executable, '')
  chmodSync(executable, 0o755)
  expect(await ensureTrainer({ root: join(folder, 'app.asar') })).toBe(executable)
})
