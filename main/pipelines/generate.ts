// The generation job: fills the quotas of a run's leaves with candidates by the teacher. Every slot is an independent chain of calls;
// enough of them run at once to keep the teacher's batch full. Finished slots are written in order, so whatever is killed, the next
// call of this handler goes on behind the last slot written: none is lost, none is doubled.

import { randomBytes } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { Candidate, GenerationPlan } from '../contract/generation.ts'
import type { GenerationId, JobId, LeafPath } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import { createChatTemplate } from '../domain/chat-template.ts'
import {
  closeLeaf,
  findGeneration,
  type FinishedCandidate,
  insertCandidates,
  insertGeneration,
  listFinishedSlots,
  listGenerations,
  listLeafProgress,
} from '../store/generation.ts'
import { keepRunContents } from '../store/leaf-contents.ts'
import { findLeaf } from '../store/taxonomy.ts'
import { LeafRun } from './generate-leaf.ts'
import { openTeacher } from './generate-session.ts'
import { runSlot } from './generate-slot.ts'
import { createExamCheck, createRunScreen, readLeafSources } from './generate-sources.ts'
import { SlotCancelled, type SlotTalk, Teacher } from './generate-teacher.ts'
import type { JobContext, JobHandler, Lab } from './lab.ts'
import { requireModel } from './models.ts'

/** Finished slots are written at least this often. */
const flushMs = 250
/** Chains beyond the teacher's sequences, so that a sequence finds its next call waiting. */
const spareShare = 0.25

/** A plan as it is asked for; what it leaves out is chosen when the run is made. */
type WantedGeneration = Omit<GenerationPlan, 'seed'> & { seed?: number | undefined }

/** Checks a plan against the project and writes the run. Who starts its job calls setGenerationJob. */
export function createGeneration(lab: Lab, wanted: WantedGeneration): GenerationId {
  const { db } = lab.project()
  const plan: GenerationPlan = { ...wanted, seed: wanted.seed ?? 1 + listGenerations(db).length }
  const teacher = requireModel(lab, plan.teacherId, 'teacher')
  const id = `generation-${randomBytes(6).toString('hex')}` as GenerationId
  let firstSlot = 0
  const seen = new Set<LeafPath>()
  const shares = plan.leaves.map(({ leaf, quota }, position) => {
    if (!findLeaf(db, leaf)) throw noLeaf(leaf)
    if (seen.has(leaf)) throw doubleLeaf(leaf)
    seen.add(leaf)
    const maxAttempts = Math.ceil(quota * plan.maxAttemptsFactor)
    const share = { leaf, position, quota, firstSlot, maxAttempts }
    firstSlot += maxAttempts
    return share
  })
  const run = { id, jobId: '' as JobId, plan, teacherSha256: teacher.sha256, createdAtMs: lab.now() }
  insertGeneration(db, run, shares)
  keepRunContents(db, id, [...seen])
  lab.emit({ kind: 'changed', what: 'generation' })
  return id
}

/** Continues the run named by the job's subject until every leaf is closed. */
export function generateHandler(lab: Lab): JobHandler {
  return async (context) => {
    const generationId = context.job.subject as GenerationId
    const run = findGeneration(lab.project().db, generationId)
    if (!run) throw noGeneration(generationId)
    const teacher = requireModel(lab, run.plan.teacherId, 'teacher')
    const leaves = await openLeaves(lab, { generationId, plan: run.plan, teacher })
    const writer = new Writer(lab, generationId, leaves)
    writer.flush()
    if (leaves.some((leaf) => !leaf.isClosed) && !context.signal.aborted) {
      await generate(lab, context, { plan: run.plan, teacher, leaves, writer })
    }
    writer.report(context)
  }
}

interface RunStart {
  generationId: GenerationId
  plan: GenerationPlan
  teacher: Model
}

async function openLeaves(lab: Lab, { generationId, plan, teacher }: RunStart): Promise<LeafRun[]> {
  const project = lab.project()
  const shares = listLeafProgress(project.db, generationId)
  const { promptsDir } = lab.resources
  const sources = await readLeafSources(project, shares, { promptsDir, pack: teacher.promptPack })
  const screen = createRunScreen(project, plan.thresholds.nearDuplicateRougeL)
  const identity = { generationId, teacherId: teacher.id, runSeed: plan.seed, screen, now: () => lab.now() }
  return sources.map(
    (source) => new LeafRun(source, identity, listFinishedSlots(project.db, generationId, source.share)),
  )
}

interface RunParts {
  plan: GenerationPlan
  teacher: Model
  leaves: LeafRun[]
  writer: Writer
}

async function generate(lab: Lab, context: JobContext, { plan, teacher, leaves, writer }: RunParts): Promise<void> {
  const noted = new Set<string>()
  const note = (key: string, text: string) => {
    if (noted.has(key)) return
    noted.add(key)
    context.log(text)
  }
  const sources = leaves.filter((leaf) => !leaf.isClosed).map((leaf) => leaf.source)
  context.progress({ ...writer.progress(), label: `Loading ${teacher.name}` })
  const { session, parallel } = await openTeacher(
    lab,
    { model: teacher, sources, parallel: plan.parallel },
    context.log,
  )
  const onAbort = () => {
    for (const leaf of leaves) leaf.abort.abort()
  }
  context.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const template = createChatTemplate(session.reply.chat)
    if (template.isFallback)
      note('template', `${teacher.name} brings no chat template; ChatML is used, which it may not know.`)
    const talker = new Teacher(session, template, note)
    const findContamination = createExamCheck(lab.project())
    await keepFull(leaves, {
      chains: Math.ceil(parallel * (1 + spareShare)),
      signal: context.signal,
      start: (leaf, slot) => fillSlot(leaf, slot, { talker, plan, findContamination }),
      onFinished: () => writer.soon(context),
    })
  } finally {
    context.signal.removeEventListener('abort', onAbort)
    onAbort()
    try {
      writer.flush()
    } finally {
      await session.dispose()
    }
  }
}

interface SlotParts {
  talker: Teacher
  plan: GenerationPlan
  findContamination: ReturnType<typeof createExamCheck>
}

/** Runs one slot to its end and hands it to its leaf. A slot that is not wanted any more ends without a trace. */
async function fillSlot(leaf: LeafRun, slot: number, { talker, plan, findContamination }: SlotParts): Promise<void> {
  const material = leaf.materialOf(slot)
  const talk: SlotTalk = {
    leaf: leaf.source.leaf.path,
    slot,
    runSeed: plan.seed,
    pack: leaf.source.prompts,
    signal: leaf.abort.signal,
    stages: [],
    calls: 0,
    parseFailures: 0,
  }
  try {
    const { minPairGrade } = plan.thresholds
    const draft = await runSlot(talker, talk, { ...material, minPairGrade, screen: leaf.screen, findContamination })
    const { stages, calls, parseFailures } = talk
    leaf.finishSlot({ slot, draft, stages, calls, parseFailures })
  } catch (thrown) {
    if (!(thrown instanceof SlotCancelled)) throw thrown
  }
}

interface Filling {
  /** Slots under way at once. */
  chains: number
  signal: AbortSignal
  start: (leaf: LeafRun, slot: number) => Promise<void>
  onFinished: () => void
}

/** Keeps as many slots under way as allowed, leaves in plan order, until all are closed. The first failure ends it, and is thrown. */
async function keepFull(leaves: readonly LeafRun[], { chains, signal, start, onFinished }: Filling): Promise<void> {
  const active = new Set<Promise<void>>()
  let failure: { thrown: unknown } | null = null
  while (!failure && !signal.aborted) {
    while (active.size < chains) {
      const next = nextSlot(leaves)
      if (!next) break
      const chain: Promise<void> = start(next.leaf, next.slot)
        .catch((thrown: unknown) => {
          failure ??= { thrown }
        })
        .finally(() => active.delete(chain))
      active.add(chain)
    }
    if (active.size === 0) break
    await Promise.race(active)
    onFinished()
  }
  for (const leaf of leaves) if (failure || signal.aborted) leaf.abort.abort()
  await Promise.all(active)
  const ended = failure as { thrown: unknown } | null
  if (ended) throw ended.thrown
}

function nextSlot(leaves: readonly LeafRun[]): { leaf: LeafRun; slot: number } | null {
  for (const leaf of leaves) {
    const slot = leaf.startSlot()
    if (slot !== null) return { leaf, slot }
  }
  return null
}

/** Writes what the leaves have taken, tells clients, and reports progress. */
class Writer {
  readonly #lab: Lab
  readonly #generationId: GenerationId
  readonly #leaves: readonly LeafRun[]
  readonly #closed = new Set<LeafRun>()
  #flushedAtMs = 0

  constructor(lab: Lab, generationId: GenerationId, leaves: readonly LeafRun[]) {
    this.#lab = lab
    this.#generationId = generationId
    this.#leaves = leaves
    for (const leaf of leaves) if (leaf.source.share.isClosed) this.#closed.add(leaf)
  }

  progress() {
    const parts = this.#leaves.map((leaf) => leaf.progress)
    const done = parts.reduce((sum, part) => sum + part.done, 0)
    const total = parts.reduce((sum, part) => sum + part.total, 0)
    return { done, total, label: 'Generating', ratePerSecond: null, etaSeconds: null }
  }

  report(context: JobContext): void {
    const open = this.#leaves.find((leaf) => !leaf.isClosed)
    const label = open ? `Generating ${open.source.leaf.path}` : 'Generated'
    context.progress({ ...this.progress(), label })
  }

  /** Writes and reports unless that was just done. */
  soon(context: JobContext): void {
    if (performance.now() - this.#flushedAtMs < flushMs) return
    this.flush()
    this.report(context)
  }

  /** Writes every slot taken so far; a leaf's end is written after its last slot. */
  flush(): void {
    this.#flushedAtMs = performance.now()
    const { db } = this.#lab.project()
    const written: Candidate[] = []
    for (const leaf of this.#leaves) {
      const batch = leaf.unsaved()
      insertCandidates(db, this.#generationId, batch)
      written.push(...batch.candidates.map(shown))
      if (!leaf.isClosed || this.#closed.has(leaf)) continue
      this.#closed.add(leaf)
      closeLeaf(db, this.#generationId, { position: leaf.source.share.position, shortfall: leaf.shortfall })
    }
    if (written.length === 0) return
    this.#lab.emit({ kind: 'candidates', generationId: this.#generationId, candidates: written.slice(-100) })
    this.#lab.emit({ kind: 'changed', what: 'samples' })
    this.#lab.emit({ kind: 'changed', what: 'generation' })
  }
}

function shown({ stages: _stages, branch: _branch, duplicateOf: _twin, ...candidate }: FinishedCandidate): Candidate {
  return candidate
}

export function noGeneration(id: GenerationId): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no generation run ${id} in this project.`,
    remedy: 'List the runs and pick one of them.',
  })
}
function noLeaf(leaf: LeafPath): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no leaf ${leaf} in the taxonomy.`,
    remedy: 'Choose leaves that are in the taxonomy.',
  })
}
function doubleLeaf(leaf: LeafPath): AppError {
  return new AppError({
    code: 'bad-input',
    message: `The leaf ${leaf} is in the plan twice.`,
    remedy: 'Give each leaf one quota.',
  })
}
