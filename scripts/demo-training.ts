// Trains one demo model from random weights with the product's own trainer. Rows, batches and schedule are pure functions of the recipe
// and the step, so an interrupted run goes on from its last checkpoint to the same end.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTrainer, type Microbatch, type Trainer } from '../main/compute/trainer.ts'
import { type BpeEncoder, type BpeVocabulary } from '../main/domain/bpe.ts'
import { withMetadata, writeGguf } from '../main/domain/gguf.ts'
import type { CorpusRow } from '../main/demo/corpus.ts'
import { initialWeights } from '../main/demo/initial-weights.ts'
import { learningRateAt, modelEntries, modelTensors, type TrainingPlan } from '../main/demo/recipe.ts'

export interface TrainingOptions {
  name: 'teacher' | 'student'
  plan: TrainingPlan
  vocabulary: BpeVocabulary
  encoder: BpeEncoder
  recipeHash: string
  /** Row by number; `difficulty` 0..1. */
  row: (index: number, difficulty: number) => CorpusRow & { stage?: string }
  /** Rows for the progress report, never trained on. */
  heldOut: (CorpusRow & { stage?: string })[]
  folder: string
  outputPath: string
  executable: string
  libraryDir: string
  threads: number
  checkpointSteps: number
  log: (line: string) => void
}

interface EncodedRow {
  tokens: number[]
  weights: number[]
}

/** Trains to the end of the plan, or on from the last checkpoint, and writes the GGUF. */
export async function trainDemoModel(options: TrainingOptions): Promise<void> {
  const { plan, folder, log } = options
  mkdirSync(folder, { recursive: true })
  const initialPath = join(folder, 'initial.gguf')
  writeFileSync(initialPath, initialModel(options))
  const trainer = await openTrainer({
    executable: options.executable,
    libraryDir: options.libraryDir,
    threads: options.threads,
    onLog: log,
  })
  const loaded = await trainer.load({
    modelPath: initialPath,
    mode: 'full',
    microbatchTokens: plan.microbatchTokens,
    optimizer: { beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.01, clipNorm: 1 },
  })
  log(`${options.name}: ${loaded.parameterCount} parameters, ${plan.stepCount} steps of ${plan.rowsPerStep} rows`)
  const done = await resume(trainer, folder)
  if (done > 0) log(`resumed after step ${done}`)
  await runSteps(trainer, options, done)
  const { sizeBytes } = await trainer.export({ what: 'model', path: options.outputPath, type: 'f16' })
  markModel(options.outputPath, options)
  log(`wrote ${options.outputPath}, ${sizeBytes} bytes`)
  await trainer.close()
}

/** Writes into a model what it is and which recipe made it. */
export function markModel(
  path: string,
  { name, vocabulary, recipeHash }: Pick<TrainingOptions, 'name' | 'vocabulary' | 'recipeHash'>,
): void {
  const marks = modelEntries(name, vocabulary, recipeHash).filter(({ key }) => key.startsWith('labdesk.'))
  writeFileSync(path, withMetadata(readFileSync(path), marks))
}

async function runSteps(trainer: Trainer, options: TrainingOptions, done: number): Promise<void> {
  const { plan, log } = options
  const startedAtMs = Date.now()
  let tokenCount = 0
  let window: { loss: number; gradNorm: number }[] = []
  let pending: Promise<void> = Promise.resolve()
  for (let step = done + 1; step <= plan.stepCount; step++) {
    const reply = trainer.step(learningRateAt(plan, step), makeBatch(options, step))
    await pending
    pending = reply.then((result) => {
      tokenCount += result.tokens
      window.push(result)
      if (step % 25 !== 0) return
      const seconds = (Date.now() - startedAtMs) / 1000
      const mean = (pick: (result: { loss: number; gradNorm: number }) => number): string =>
        (window.reduce((sum, each) => sum + pick(each), 0) / window.length).toFixed(4)
      const leftMinutes = (((seconds / (step - done)) * (plan.stepCount - step)) / 60).toFixed(1)
      log(
        `step ${step}/${plan.stepCount} loss ${mean((each) => each.loss)} grad ${mean((each) => each.gradNorm)} ${Math.round(tokenCount / seconds)} tokens/s ${(tokenCount / 1e6).toFixed(2)} M, ${leftMinutes} min left`,
      )
      window = []
    })
    if (step % options.checkpointSteps !== 0 && step !== plan.stepCount) continue
    await pending
    await keepCheckpoint(trainer, options, step)
  }
  await pending
}

async function keepCheckpoint(trainer: Trainer, options: TrainingOptions, step: number): Promise<void> {
  const { folder, log } = options
  await trainer.saveCheckpoint(join(folder, `step-${String(step).padStart(6, '0')}`))
  for (const old of checkpointsIn(folder).slice(0, -2)) rmSync(join(folder, old), { recursive: true })
  await trainer.export({ what: 'model', path: join(folder, 'latest.part.gguf'), type: 'f16' })
  markModel(join(folder, 'latest.part.gguf'), options)
  renameSync(join(folder, 'latest.part.gguf'), join(folder, 'latest.gguf'))
  log(`step ${step} held out: ${await report(trainer, options)}`)
}

async function resume(trainer: Trainer, folder: string): Promise<number> {
  const last = checkpointsIn(folder).findLast((name) => existsSync(join(folder, name, 'checkpoint.json')))
  return last ? (await trainer.loadCheckpoint(join(folder, last))).step : 0
}

function checkpointsIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .sort()
}

function initialModel({ name, plan, vocabulary, recipeHash }: TrainingOptions): Uint8Array {
  const tensors = modelTensors(plan.shape, vocabulary.tokens.length)
  const weights = initialWeights(tensors, plan.shape, plan.seed)
  return writeGguf(
    modelEntries(name, vocabulary, recipeHash),
    tensors.map((tensor) => ({ ...tensor, elements: weights.get(tensor.name) ?? new Float32Array() })),
  )
}

function makeBatch(options: TrainingOptions, step: number): Microbatch[] {
  const { plan } = options
  const difficulty = Math.min(1, step / plan.curriculumSteps)
  const promptWeight = step <= plan.promptStepCount ? plan.promptWeight : 0
  const rows = Array.from({ length: plan.rowsPerStep }, (_, at) =>
    encodeRow(options.encoder, options.row((step - 1) * plan.rowsPerStep + at, difficulty), {
      promptWeight,
      closingWeight: plan.closingWeight,
    }),
  )
  return packRows(rows, plan.microbatchTokens)
}

/** Tokens of a row and what each weighs: what is given, what is written, and the last word written (a verdict, a score, a letter). */
export function encodeRow(
  encoder: BpeEncoder,
  row: CorpusRow,
  { promptWeight, closingWeight = 1 }: { promptWeight: number; closingWeight?: number },
): EncodedRow {
  const tokens: number[] = []
  const weights: number[] = []
  for (const { prompt, response } of row.turns) {
    const given = encoder.encode(prompt)
    const written = encoder.encode(response)
    tokens.push(...given, ...written)
    for (let i = 0; i < given.length; i++) weights.push(promptWeight)
    for (let i = 0; i < written.length; i++) weights.push(i === written.length - 2 ? closingWeight : 1)
  }
  weights[0] = 0
  return { tokens, weights }
}

/** First fit, longest first. Rows that do not fit a microbatch are refused by the trainer. */
export function packRows(rows: EncodedRow[], microbatchTokens: number): Microbatch[] {
  const bins: { rows: EncodedRow[]; used: number }[] = []
  for (const row of rows.toSorted((a, b) => b.tokens.length - a.tokens.length)) {
    const bin = bins.find(({ used }) => used + row.tokens.length <= microbatchTokens)
    if (bin) {
      bin.rows.push(row)
      bin.used += row.tokens.length
    } else bins.push({ rows: [row], used: row.tokens.length })
  }
  return bins.map((bin) => ({
    rowLengths: bin.rows.map((row) => row.tokens.length),
    rowGroups: bin.rows.map(() => 0),
    tokens: Int32Array.from(bin.rows.flatMap((row) => row.tokens)),
    weights: Float32Array.from(bin.rows.flatMap((row) => row.weights)),
  }))
}

/** Mean loss per written token, by stage. */
async function report(trainer: Trainer, { heldOut, encoder, plan }: TrainingOptions): Promise<string> {
  const byStage = new Map<string, { loss: number; weight: number }>()
  for (const row of heldOut) {
    const [result] = await trainer.evaluate(
      packRows([encodeRow(encoder, row, { promptWeight: 0 })], plan.microbatchTokens),
    )
    const sums = byStage.get(row.stage ?? 'all') ?? { loss: 0, weight: 0 }
    byStage.set(row.stage ?? 'all', {
      loss: sums.loss + (result?.lossSum ?? 0),
      weight: sums.weight + (result?.weightSum ?? 0),
    })
  }
  return [...byStage].map(([stage, { loss, weight }]) => `${stage} ${(loss / weight).toFixed(3)}`).join(', ')
}
