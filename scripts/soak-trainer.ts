// npm run soak:trainer: the trainer alone, pushed for minutes. Twenty kill -9 at random moments of a run whose final weights must equal the
// uninterrupted run's byte for byte; thirty random configurations whose peak memory must be what was planned; thousands of damaged models,
// each refused by name. `-- --files N` sets how many damaged models.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../main/contract/errors.ts'
import { openTrainer, type Trainer } from '../main/compute/trainer.ts'
import { ensureTrainer, findLibraryDir } from '../main/compute/trainer-build.ts'
import { type LoadRequest, loraTargets } from '../main/compute/trainer-protocol.ts'
import { modelVariants } from '../test/support/model-variants.ts'
import { type LlamaShape, smallShape, writeRandomLlama } from '../test/support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../test/support/random-microbatch.ts'
import { writeRandomModel } from '../test/support/random-model.ts'
import { root } from './steps.ts'

type Load = Omit<LoadRequest, 'kind'>

const folder = mkdtempSync(join(tmpdir(), 'labdesk-soak-trainer-'))
const executable = process.env.LABDESK_TRAINER ?? (await ensureTrainer({ root }))
const open = (threads: number) => openTrainer({ executable, libraryDir: findLibraryDir(root), threads })
const targets = [...loraTargets]

let state = 20_26
/** Uniform in [0, 1), the same at every run. */
function draw(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const pick = <T>(values: readonly T[]): T => values[Math.floor(draw() * values.length)] as T

const failures: string[] = []
function check(holds: boolean, what: string): void {
  if (holds) return
  failures.push(what)
  console.error(`failed: ${what}`)
}

/** A run of `steps` steps that saves every third one; killed `kills` times somewhere in between and continued. */
async function killAndResume(kills: number): Promise<void> {
  const shape: LlamaShape = { ...smallShape, width: 128, layerCount: 3, ffnWidth: 256 }
  const modelPath = writeRandomLlama(join(folder, 'killed.gguf'), shape)
  const load: Load = { modelPath, mode: 'full', microbatchTokens: 256, optimizer: { ...plainAdam, eightBit: false } }
  const steps = 60
  const batchOf = (step: number) => [
    randomMicrobatch({ rowLengths: [90, 60, 80], vocabSize: shape.vocabSize, seed: step }),
    randomMicrobatch({ rowLengths: [120, 40], vocabSize: shape.vocabSize, seed: step + 500 }),
  ]
  const finish = async (trainer: Trainer, from: number, name: string) => {
    const place = join(folder, `${name}-checkpoint`)
    for (let step = from + 1; step <= steps; step++) {
      await trainer.step(2e-3, batchOf(step))
      if (step % 3 === 0) await trainer.saveCheckpoint(place)
    }
    const path = join(folder, `${name}.gguf`)
    await trainer.export({ what: 'model', path, type: 'f32' })
    return path
  }
  const whole = await open(2)
  await whole.load(load)
  const started = performance.now()
  const expected = readFileSync(await finish(whole, 0, 'whole'))
  const runMs = performance.now() - started
  await whole.close()
  let met = 0
  for (;;) {
    const trainer = await open(1 + Math.floor(draw() * 3))
    await trainer.load(load)
    const place = join(folder, 'killed-checkpoint')
    const at = await trainer.loadCheckpoint(place).then(
      (reply) => reply.step,
      () => 0,
    )
    const work = finish(trainer, at, 'killed').catch((error: unknown) => error)
    if (met < kills) {
      await delay(draw() * Math.max(30, runMs / 8))
      if (trainer.pid) process.kill(trainer.pid, 'SIGKILL')
      met++
    }
    const done = await work
    await trainer.close()
    if (typeof done !== 'string') continue
    if (met < kills) {
      // It came to its end before it was met: once more from the start.
      rmSync(place, { recursive: true, force: true })
      continue
    }
    check(readFileSync(done).equals(expected), `the weights after ${met} kills differ from the uninterrupted run's`)
    console.log(`kills: ${met} at random moments, 1 to 3 threads; final weights byte-equal to the uninterrupted run's`)
    return
  }
}

function peakBytes(trainer: Trainer): number {
  const status = readFileSync(`/proc/${trainer.pid}/status`, 'utf8')
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN)
}

/** A random model and setting, large enough that the plan and not the program itself decides. */
function randomSetting(index: number): Load {
  const headCount = pick([4, 6, 8])
  const shape: LlamaShape = {
    width: headCount * pick([32, 48, 64]),
    layerCount: pick([2, 4, 6]),
    headCount,
    kvHeadCount: pick([headCount, headCount / 2]),
    ffnWidth: pick([512, 768, 1024]),
    vocabSize: pick([4096, 12_000, 24_000]),
    isTied: draw() < 0.5,
    type: pick(['f32', 'f16', 'q8_0'] as const),
  }
  const modelPath = writeRandomLlama(join(folder, `random-${index}.gguf`), shape)
  const isLora = draw() < 0.5
  return {
    modelPath,
    mode: isLora ? 'lora' : 'full',
    ...(isLora ? { lora: { rank: pick([8, 16, 64]), alpha: 16, seed: 1, targets } } : {}),
    microbatchTokens: pick([256, 512, 1024]),
    recompute: draw() < 0.4,
    optimizer: { ...plainAdam, eightBit: draw() < 0.3 },
    ...(isLora && draw() < 0.3 ? { regularise: { seed: 1, klWeight: 0.1, dropout: 0.1 } } : {}),
  }
}

async function memoryAsPlanned(count: number): Promise<void> {
  let worst = 0
  for (let index = 0; index < count; index++) {
    const load = randomSetting(index)
    const threads = pick([1, 2, 3])
    const trainer = await open(threads)
    const idle = peakBytes(trainer)
    const { vocabSize, plannedBytes } = await trainer.load(load)
    const rows = [randomMicrobatch({ rowLengths: [load.microbatchTokens], vocabSize, seed: index, share: 1 })]
    for (let step = 0; step < 2; step++) await trainer.step(1e-4, rows)
    const off = peakBytes(trainer) / (idle + plannedBytes) - 1
    await trainer.close()
    rmSync(load.modelPath)
    worst = Math.max(worst, Math.abs(off))
    const said = `${Math.round(plannedBytes / 1e6)} MB, ${load.mode}, ${load.microbatchTokens} tokens, ${threads} threads, recompute ${load.recompute}`
    check(Math.abs(off) <= 0.1, `peak memory is ${(100 * off).toFixed(1)} % off its plan (${said})`)
  }
  console.log(`memory: ${count} random settings, worst ${(100 * worst).toFixed(1)} % off the plan`)
}

/** Bytes changed, cut, doubled or moved, mostly in the header, where they say something. */
function damage(file: Buffer): Buffer {
  const out = Buffer.from(file)
  const at = () => Math.floor(draw() * (draw() < 0.8 ? Math.min(6000, out.length) : out.length))
  const kind = Math.floor(draw() * 4)
  if (kind === 0) return out.subarray(0, at())
  if (kind === 1) for (let bytes = 0; bytes < 1 + draw() * 4; bytes++) out[at()] = Math.floor(draw() * 256)
  if (kind === 2) out.writeUInt32LE(pick([0, 1, 0x7fffffff, 0xffffffff, 0x80000000]), Math.min(at(), out.length - 4))
  if (kind === 3) out.copy(out, at(), at(), at() + 16)
  return out
}

async function refuseDamaged(count: number): Promise<void> {
  const models = modelVariants.map(({ model }, index) =>
    readFileSync(writeRandomModel(join(folder, `variant-${index}.gguf`), model)),
  )
  const path = join(folder, 'damaged.gguf')
  const outcomes = { loaded: 0, refused: 0 }
  const trainer = await open(1)
  for (let index = 0; index < count; index++) {
    writeFileSync(path, damage(pick(models)))
    const mode = pick(['full', 'lora', 'frozen'] as const)
    const load: Load = {
      modelPath: path,
      mode,
      ...(mode === 'lora' ? { lora: { rank: 4, alpha: 8, seed: 1, targets } } : {}),
      microbatchTokens: 64,
      optimizer: plainAdam,
    }
    try {
      const { vocabSize } = await trainer.load(load)
      outcomes.loaded++
      const rows = [randomMicrobatch({ rowLengths: [20, 30], vocabSize: Math.min(vocabSize, 64), seed: index })]
      await (mode === 'frozen' ? trainer.evaluate(rows) : trainer.step(1e-3, rows))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      check(error.code !== 'worker-died', `a damaged model (number ${index}) ended the trainer: ${error.detail ?? ''}`)
      if (error.code === 'worker-died') break
      check(error.message.length > 20 && error.remedy.length > 10, `an unclear refusal: ${error.message}`)
      outcomes.refused++
    }
  }
  await trainer.close()
  console.log(
    `damaged models: ${count}, ${outcomes.refused} refused by name, ${outcomes.loaded} still whole enough to load`,
  )
}

const files = Number(process.argv[process.argv.indexOf('--files') + 1]) || 5000
const only = process.argv[process.argv.indexOf('--only') + 1]
try {
  if (only !== 'memory' && only !== 'files') await killAndResume(20)
  if (only === 'files') console.log('damaged models only')
  else if (process.platform === 'linux') await memoryAsPlanned(30)
  else console.log('memory: skipped, the peak of a process is read from /proc')
  if (only !== 'memory') await refuseDamaged(files)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(failures.length === 0 ? 'all held' : `${failures.length} did not hold`)
process.exitCode = failures.length === 0 ? 0 : 1
