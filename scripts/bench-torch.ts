// PyTorch as strong as this machine has it: the newest torch, and of every BLAS and core type at hand the fastest whose products are right.
// Runs bench-train.py; knows nothing of the other engines. OPENBLAS_* of the environment are replaced, never inherited.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BenchCase,
  type Failed,
  loraOf,
  m15,
  tokensOf,
  type Turn,
  type TurnLength,
  wholeRow,
} from './bench-cases.ts'
import { type ChildEnd, runChild } from './bench-process.ts'

type Env = Record<string, string | undefined>

interface Probe {
  torch: string
  blas: string
  python: string
  aloneBytes: number
  gflops: number
  isRight: boolean
}

/** One way to run products: a folder put before the system's libraries, and a core type OpenBLAS is told to be on. */
interface Blas {
  folder: string | null
  core: string | null
  probe: Probe
}

interface Plan {
  layout: string
  optimizer: string
}

export interface Torch {
  python: string
  threads: number
  probe: Probe
  best: Blas
  avx2: Blas
  /** Lines for people: what was tried, what was wrong. */
  notes: string[]
  plans: Map<string, Plan>
}

const script = join(import.meta.dirname, 'bench-train.py')
const coreTypes = [null, 'SKYLAKEX', 'Haswell', 'Zen']
/** glibc gives freed blocks above 32 MB back at once and pays for clean pages at every step; these keep them. */
const heapKept: Env = {
  MALLOC_MMAP_THRESHOLD_: '4294967296',
  MALLOC_TRIM_THRESHOLD_: '17179869184',
  MALLOC_TOP_PAD_: '67108864',
}

export interface TorchSearch {
  threads: number
  /** Only this Python. */
  python?: string | undefined
  /** More folders with a libblas.so.3 in them. */
  blasFolders: string[]
}

/** Finds PyTorch and the best it can be given here. */
export async function findTorch(search: TorchSearch): Promise<Torch | Failed> {
  const { threads } = search
  const pythons = search.python ? [search.python] : ['python3', '/usr/bin/python3', 'python3.13', 'python3.12']
  const found: { python: string; probe: Probe }[] = []
  for (const python of pythons) {
    const probe = await probeWith({ python, threads, folder: null, core: null })
    if (probe) found.push({ python, probe })
  }
  const newest = found.sort((a, b) => compareVersions(b.probe.torch, a.probe.torch))[0]
  if (!newest) return { reason: `no Python here imports torch (${pythons.join(', ')}); Debian: python3-torch` }
  const { python, probe } = newest
  const tried = await tryBlas({ ...search, python, isFixed: /mkl/i.test(probe.blas) })
  // Against a plain C or Fortran BLAS any figure would flatter us a hundredfold.
  if (!/mkl|open/i.test(probe.blas) && !tried.some(({ folder }) => /openblas/.test(folder ?? '')))
    return { reason: 'it has no fast BLAS here; "apt-get install libopenblas0-openmp", or --blas DIR' }
  const right = tried.filter((blas) => blas.probe.isRight)
  if (right.length === 0) return { reason: 'every BLAS at hand gives wrong products' }
  const best = await fastestInTraining({ python, threads, candidates: right })
  const narrow = right.filter((blas) => blas.folder === best.folder && /^(Haswell|Zen)$/.test(blas.core ?? ''))
  const avx2 = narrow.sort(byGflops)[0] ?? best
  const notes = tried
    .filter((blas) => !blas.probe.isRight)
    .map((blas) => `Warning: ${nameOf(blas)} computes wrong products here and was not used.`)
  return { python, threads, probe, best, avx2, notes, plans: new Map() }
}

/** The product speeds that were seen and what was chosen, for the machine line. */
export function describeTorch({ probe, python, best, avx2 }: Torch): string {
  const alone = Math.round(probe.aloneBytes / 2 ** 20)
  return (
    `PyTorch ${probe.torch} (${python}, Python ${probe.python}; ${alone} MiB once imported), BLAS: ${nameOf(best)}, ` +
    `${Math.round(best.probe.gflops)} GFLOP/s; for AVX2: ${nameOf(avx2)}, ${Math.round(avx2.probe.gflops)} GFLOP/s`
  )
}

/** The plan of a case as words: which layout of rows and which AdamW this torch was fastest with. */
export function planWords(torch: Torch, of: BenchCase): string {
  const plan = torch.plans.get(planKey(of))
  return plan ? `${plan.layout}, AdamW ${plan.optimizer}` : 'untried'
}

/** One turn of a case; the first one of a case also finds the fastest layout and optimiser. */
export async function runTorch(
  torch: Torch,
  options: { of: BenchCase; turn: TurnLength; isHeapKept: boolean },
): Promise<Turn | Failed> {
  const { of, turn } = options
  const { python, threads } = torch
  const env = { ...envOf(of.isAvx2 ? torch.avx2 : torch.best, threads), ...(of.isAvx2 ? avx2Only : {}) }
  const job = { threads, shape: of.shape, lora: of.lora, rows: of.rows }
  const key = planKey(of)
  if (!torch.plans.has(key)) {
    const plan = await ask<Plan>({ python, env, job: { ...job, kind: 'tune' } })
    if ('reason' in plan) return plan
    torch.plans.set(key, plan)
  }
  const measured = await ask<{ stepMs: number[]; peakBytes: number }>({
    python,
    env: { ...env, ...(options.isHeapKept ? heapKept : {}) },
    job: { ...job, kind: 'run', ...torch.plans.get(key), ...turn },
  })
  return 'reason' in measured ? measured : { ...measured, tokensPerStep: tokensOf(of.rows) }
}

const avx2Only: Env = {
  ATEN_CPU_CAPABILITY: 'avx2',
  DNNL_MAX_CPU_ISA: 'AVX2',
  ONEDNN_MAX_CPU_ISA: 'AVX2',
  MKL_ENABLE_INSTRUCTIONS: 'AVX2',
}

function planKey({ shape, lora, rows }: BenchCase): string {
  return JSON.stringify([shape.name, lora, rows])
}

function envOf({ folder, core }: Pick<Blas, 'folder' | 'core'>, threads: number): Env {
  const counts = ['OMP', 'OPENBLAS', 'BLIS', 'MKL'].map((name) => [`${name}_NUM_THREADS`, String(threads)] as const)
  const paths = [folder, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':')
  return {
    ...Object.fromEntries(counts),
    LD_LIBRARY_PATH: paths || undefined,
    OPENBLAS_CORETYPE: core ?? undefined,
    // Set beside the core type on some machines, to steer around old builds; it slows the kernels.
    OPENBLAS_L2_SIZE: undefined,
  }
}

async function probeWith(options: {
  python: string
  threads: number
  folder: string | null
  core: string | null
}): Promise<Probe | undefined> {
  const { python, threads, folder, core } = options
  const answer = await ask<Probe>({ python, env: envOf({ folder, core }, threads), job: { kind: 'probe', threads } })
  return 'reason' in answer ? undefined : answer
}

/** Probes every folder with every core type; what crashes (a core type this processor is not) is left out. */
async function tryBlas(options: TorchSearch & { python: string; isFixed: boolean }): Promise<Blas[]> {
  const installed = globSync('/usr/lib/*/{openblas-*,blis-*}/libblas.so.3').map((path) => join(path, '..'))
  const folders = options.isFixed ? [null] : [null, ...options.blasFolders, ...installed]
  const tried: Blas[] = []
  for (const folder of folders)
    for (const core of options.isFixed ? [null] : coreTypes) {
      const probe = await probeWith({ ...options, folder, core })
      if (probe) tried.push({ folder, core, probe })
    }
  return tried
}

/** Of each folder the core type with the fastest product; of those the fastest training step: how a BLAS' threads and torch's get along. */
async function fastestInTraining(options: { python: string; threads: number; candidates: Blas[] }): Promise<Blas> {
  const { python, threads, candidates } = options
  const folders = new Set(candidates.map(({ folder }) => folder))
  const finalists = [...folders].map((of) => candidates.filter(({ folder }) => folder === of).sort(byGflops)[0])
  const job = {
    kind: 'run',
    threads,
    shape: m15,
    lora: loraOf(16),
    rows: wholeRow(512),
    layout: 'padded',
    optimizer: 'foreach',
    seconds: 0,
    leastSteps: 3,
  }
  let best: { blas: Blas; ms: number } | undefined
  for (const blas of finalists) {
    if (!blas) continue
    const answer = await ask<{ stepMs: number[] }>({ python, env: envOf(blas, threads), job })
    const ms = 'reason' in answer ? Infinity : Math.min(...answer.stepMs)
    if (!best || ms < best.ms) best = { blas, ms }
  }
  if (!best) throw new Error('No BLAS was given to choose from.')
  return best.blas
}

async function ask<Answer extends object>(options: {
  python: string
  env: Env
  job: object
}): Promise<Answer | Failed> {
  const run = await runChild({
    command: [options.python, script, JSON.stringify(options.job)],
    env: options.env,
    limitMs: 590_000,
  })
  return readAnswer<Answer>(run)
}

function readAnswer<Answer extends object>(run: ChildEnd): Answer | Failed {
  if (run.ended !== 'status 0')
    return { reason: `PyTorch ended with ${run.ended}: ${run.stderr.trim().split('\n').at(-1) ?? ''}` }
  const answer = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '{}') as Answer | { missing: string }
  return 'missing' in answer ? { reason: answer.missing } : answer
}

function nameOf({ folder, core, probe }: Blas): string {
  const where = folder ? folder.split('/').at(-1) : /mkl/i.test(probe.blas) ? 'MKL' : "the system's libblas"
  return `${where}, core type ${core ?? 'its own choice'}`
}

function byGflops(a: Blas, b: Blas): number {
  return b.probe.gflops - a.probe.gflops
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/\D+/).map(Number))
  for (let at = 0; at < 3; at++) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
