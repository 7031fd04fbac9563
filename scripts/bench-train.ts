// npm run bench:train: Labdesk's trainer against PyTorch and llama.cpp's finetune, and its own curves. Markdown on stdout, progress on stderr.
// Every turn is a fresh process with the same threads; rounds go over the engines in turn, so that a busy spell meets them all. Linux only.
// --quick, --cases a,b (names or how they begin), --threads N, --rounds N, --trainer PATH, --python PATH, --blas DIR, --json FILE, --svg FILE
// (a full run writes docs/bench-train.svg by itself).

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureTrainer, findLibraryDir } from '../main/compute/trainer-build.ts'
import { allCases, type BenchCase, type BenchShape, type Engine, type Failed, m15, type Turn } from './bench-cases.ts'
import { type CurvePoint, type CurveValue, measureCurves, pointsOf } from './bench-curves.ts'
import { exportQ8, runLabdesk, type Trainable } from './bench-labdesk.ts'
import { buildFinetune, type LlamaProgram, runFinetune } from './bench-llama.ts'
import { writeBenchModel } from './bench-model.ts'
import { plotCurves } from './bench-plot.ts'
import { waitForQuiet } from './bench-process.ts'
import { type CaseResult, caseTables, curveTables, speedsOf } from './bench-report.ts'
import { describeTorch, findTorch, planWords, runTorch, type Torch } from './bench-torch.ts'
import { root } from './steps.ts'

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    cases: { type: 'string' },
    threads: { type: 'string' },
    rounds: { type: 'string' },
    trainer: { type: 'string' },
    python: { type: 'string' },
    blas: { type: 'string', multiple: true, default: [] },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
})
const threads = Number(options.threads ?? availableParallelism())
const rounds = Number(options.rounds ?? (options.quick ? 2 : 3))
const curveNames: CurvePoint['curve'][] = ['length', 'share']

interface Bench {
  folder: string
  trainable: Trainable
  torch: Torch | Failed
  finetune: LlamaProgram | Failed
  models: Map<string, { f32: string; q8: string }>
  /** Turns that began, and those of them that began while others used the machine. */
  turns: { all: number; busy: number }
}

async function main(): Promise<void> {
  const { cases, curves } = chooseWork()
  const folder = mkdtempSync(join(tmpdir(), 'labdesk-bench-'))
  try {
    const bench = await prepare(folder, cases)
    const results: CaseResult[] = []
    for (const of of cases) results.push(await runCase(bench, of))
    const values = await runCurves(bench, curves)
    report(bench, { results, values })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The cases and curves that were asked for; exits when a name fits none. */
function chooseWork(): { cases: BenchCase[]; curves: CurvePoint['curve'][] } {
  const wanted = options.cases?.split(',') ?? ['m', 'curve']
  const known = [...allCases.map(({ name }) => name), ...curveNames.map((name) => `curve-${name}`)]
  const isWanted = (name: string): boolean =>
    wanted.some((word) => (known.includes(word) ? name === word : name.startsWith(word)))
  const cases = allCases.filter(({ name, shape }) => isWanted(name) && (!options.quick || shape === m15))
  const curves = curveNames.filter((name) => isWanted(`curve-${name}`))
  if (cases.length + curves.length > 0) return { cases, curves }
  console.error(`Nothing is called ${options.cases}. Use (the beginning is enough): ${known.join(', ')}.`)
  process.exit(2)
}

async function prepare(folder: string, cases: BenchCase[]): Promise<Bench> {
  const libraryDir = findLibraryDir(root)
  const executable = options.trainer ?? (await ensureTrainer({ root }))
  const needs = (engine: Engine): boolean => cases.some(({ engines }) => engines.includes(engine))
  console.error('waiting for a quiet machine, then looking for PyTorch, its fastest BLAS and llama.cpp ...')
  await waitForQuiet()
  const torch = needs('torch')
    ? await findTorch({ threads, python: options.python, blasFolders: options.blas })
    : { reason: 'no case asks for it' }
  const finetune = needs('llama')
    ? await buildFinetune({ root, libraryDir, folder: join(tmpdir(), 'labdesk-bench-finetune') })
    : { reason: 'no case asks for it' }
  return {
    folder,
    trainable: { executable, libraryDir, threads },
    torch,
    finetune,
    models: new Map(),
    turns: { all: 0, busy: 0 },
  }
}

/** A shape's files, written when first asked for; the one of another shape is removed, to keep the disk free. */
async function modelOf(bench: Bench, shape: BenchShape): Promise<{ f32: string; q8: string }> {
  const known = bench.models.get(shape.name)
  if (known) return known
  for (const { f32, q8 } of bench.models.values()) for (const path of [f32, q8]) rmSync(path, { force: true })
  bench.models.clear()
  const files = { f32: join(bench.folder, `${shape.name}.gguf`), q8: join(bench.folder, `${shape.name}-q8_0.gguf`) }
  writeBenchModel(files.f32, shape)
  await exportQ8(bench.trainable, files.f32, files.q8)
  bench.models.set(shape.name, files)
  return files
}

async function runCase(bench: Bench, of: BenchCase): Promise<CaseResult> {
  const result: CaseResult = { of, turns: {}, failed: {} }
  for (let round = 1; round <= rounds; round++)
    for (const engine of of.engines) {
      if (result.failed[engine]) continue
      await startTurn(bench)
      const turn = await runTurn(bench, of, engine)
      if ('reason' in turn) result.failed[engine] = turn.reason
      else (result.turns[engine] ??= []).push(turn)
      const words =
        'reason' in turn
          ? turn.reason
          : `${Math.round(speedsOf([turn]).median)} tokens/s, ${Math.round(turn.peakBytes / 2 ** 20)} MiB`
      console.error(`${of.name}, round ${round}, ${engine}: ${words}`)
    }
  return result
}

/** Lets the machine become quiet, or counts the turn as one of a busy machine. */
async function startTurn({ turns }: Bench): Promise<void> {
  turns.all += 1
  if (!(await waitForQuiet())) turns.busy += 1
}

async function runTurn(bench: Bench, of: BenchCase, engine: Engine): Promise<Turn | Failed> {
  const turn = turnLength(of.shape)
  const { folder, torch, finetune, trainable } = bench
  if (engine === 'torch' || engine === 'torch-heap') {
    if ('reason' in torch) return torch
    return runTorch(torch, { of, turn, isHeapKept: engine === 'torch-heap' })
  }
  const model = await modelOf(bench, of.shape)
  if (engine === 'llama') {
    if ('reason' in finetune) return finetune
    const length = of.rows[0]?.length ?? 0
    return runFinetune(finetune, { modelPath: model.f32, length, threads, turn, folder })
  }
  const { lora, rows, isAvx2, shape } = of
  return runLabdesk(trainable, {
    modelPath: engine === 'labdesk' ? model.f32 : model.q8,
    mode: lora ? 'lora' : 'full',
    vocabSize: shape.vocabSize,
    lora,
    rows,
    isAvx2,
    turn,
  })
}

function turnLength(shape: BenchShape): { seconds: number; leastSteps: number } {
  if (options.quick) return { seconds: 1.5, leastSteps: 2 }
  return { seconds: shape === m15 ? 4 : 10, leastSteps: 3 }
}

async function runCurves(bench: Bench, curves: CurvePoint['curve'][]): Promise<CurveValue[]> {
  if (curves.length === 0) return []
  const { f32 } = await modelOf(bench, m15)
  const turn = options.quick ? { seconds: 0.5, leastSteps: 2 } : { seconds: 2, leastSteps: 3 }
  const onTurn = (): Promise<void> => startTurn(bench)
  const points = curves.flatMap(pointsOf)
  return measureCurves({ points, trainable: bench.trainable, modelPath: f32, rounds, turn, onTurn })
}

function report({ torch, turns }: Bench, { results, values }: { results: CaseResult[]; values: CurveValue[] }): void {
  const machine =
    `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; ` +
    `${threads} threads, ${rounds} rounds; Node ${process.versions.node}`
  const notes = 'reason' in torch ? [`PyTorch is missing: ${torch.reason}`] : [describeTorch(torch), ...torch.notes]
  if (results.length === 0) notes.length = 0
  if (turns.busy > 0)
    notes.push(`*busy*: ${turns.busy} of ${turns.all} turns began while other work ran on the machine.`)
  console.log([`Command: npm run bench:train -- ${process.argv.slice(2).join(' ')}`, machine, ...notes, ''].join('\n'))
  if (results.length > 0) console.log(`${caseTables(results)}\n`)
  if (!('reason' in torch))
    for (const { of } of results) console.log(`- ${of.name}: PyTorch ran ${planWords(torch, of)}`)
  if (values.length > 0) console.log(`\n${curveTables(values)}`)
  const svg = options.svg ?? (options.quick || options.cases ? undefined : join(root, 'docs/bench-train.svg'))
  if (svg && values.length > 0) writeFileSync(svg, plotCurves(values))
  if (options.json) writeFileSync(options.json, JSON.stringify({ machine, notes, results, curves: values }, null, 1))
}

await main()
