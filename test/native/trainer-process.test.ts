// The trainer as a child process: how it starts, ends and dies, and how it is built.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { openTrainer } from '../../main/compute/trainer.ts'
import { ensureTrainer, findLibraryDir } from '../../main/compute/trainer-build.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { root, startTrainer, temporaryFolder, test, trainerPath } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const modelPath = writeRandomLlama(join(folder, 'model.gguf'), smallShape)
const full = { modelPath, mode: 'full', microbatchTokens: 256, optimizer: plainAdam } satisfies Omit<
  LoadRequest,
  'kind'
>
/** A host that gives a trainer hours of work and tells its process id. */
const orphanScript = `
  import { openTrainer } from ${JSON.stringify(join(root, 'main/compute/trainer.ts'))}
  import { plainAdam, randomMicrobatch } from ${JSON.stringify(join(root, 'test/support/random-microbatch.ts'))}
  const trainer = await openTrainer(${JSON.stringify({ executable: trainerPath ?? '', libraryDir: findLibraryDir(root), threads: 1 })})
  await trainer.load({ modelPath: ${JSON.stringify(modelPath)}, mode: 'full', microbatchTokens: 256, optimizer: plainAdam })
  const batch = randomMicrobatch({ rowLengths: [100, 80, 70], vocabSize: ${smallShape.vocabSize}, seed: 2 })
  trainer.step(1e-4, Array.from({ length: 20000 }, () => batch)).catch(() => undefined)
  setTimeout(() => console.log(trainer.pid), 200)
`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(process.platform === 'linux' ? readFileSync(`/proc/${pid}/status`, 'utf8') : '')
  } catch {
    return false
  }
}

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

test('a trainer whose host was killed does not finish its step', async () => {
  const holder = spawn(process.execPath, ['--input-type=module', '-e', orphanScript], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(holder.stdout, 'data')) as [Buffer]
  const pid = Number(String(said))
  process.kill(pid, 0)
  holder.kill('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false)
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

test('a trainer that is given up rejects open requests as cancelled and ends at once', async () => {
  const trainer = await startTrainer()
  await trainer.load(full)
  const steps = Promise.allSettled(Array.from({ length: 500 }, () => trainer.step(1e-4, [batch])))
  trainer.abandon()
  expect((await steps).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } })
  await trainer.close()
  await expect(trainer.step(1e-4, [batch])).rejects.toMatchObject({ code: 'cancelled' })
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
