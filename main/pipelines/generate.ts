// The generation job: fills the quotas of a run's leaves with candidates by the teacher. Every slot is an independent chain of calls;
// enough of them run at once to keep the teacher's batch full. Finished slots are written in order, so whatever is killed, the next
// call of this handler goes on behind the last slot written: none is lost, none is doubled.

import { join } from 'node:path'
import type { Candidate, GenerationPlan } from '../contract/generation.ts'
import type { GenerationId } from '../contract/ids.ts'
import type { Pipeline } from '../contract/pipelines.ts'
import { createMeaningIndex, type MeaningIndex } from '../domain/meaning-index.ts'
import {
  addSpentMs,
  closeLeaf,
  findGeneration,
  type FinishedCandidate,
  insertCandidates,
  listFinishedSlots,
  listLeafProgress,
  readSpentMs,
} from '../store/generation.ts'
import { saveRunSources } from '../store/held-out.ts'
import { runSlot } from './blocks.ts'
import { LeafRun } from './generate-leaf.ts'
import { noGeneration, runModels } from './generate-plan.ts'
import { openVoices, type RunModels } from './generate-session.ts'
import { SharedAnswers } from './generate-shared.ts'
import type { Meanings, Voices } from './generate-slot.ts'
import { createRunScreen, readLeafSources } from './generate-sources.ts'
import { openMeanings } from './generate-meanings.ts'
import { createHeldOutCheck, type HeldOutCheck } from './decontamination.ts'
import { CallJournal } from './call-journal.ts'
import { SlotCancelled, type SlotTalk } from './generate-speaker.ts'
import type { JobContext, JobHandler, Lab } from './lab.ts'
import { findPipeline } from './pipelines.ts'

/** Finished slots are written at least this often. */
const flushMs = 250
/** Chains beyond the teacher's sequences, so that a sequence finds its next call waiting. */
const spareShare = 0.25

/** Continues the run named by the job's subject until every leaf is closed. */
export function generateHandler(lab: Lab): JobHandler {
  return async (context) => {
    const generationId = context.job.subject as GenerationId
    const run = findGeneration(lab.project().db, generationId)
    if (!run) throw noGeneration(generationId)
    const { plan } = run
    const models = runModels(lab, plan)
    const pipeline = plan.pipeline ?? findPipeline(lab, 'lab')
    const kept = createMeaningIndex()
    const leaves = await openLeaves(lab, { generationId, plan, pipeline, models, kept })
    const journal = new CallJournal(join(lab.project().folder, 'generations', `${generationId}.calls.jsonl`))
    const writer = new Writer(lab, generationId, leaves)
    writer.flush()
    if (leaves.some((leaf) => !leaf.isClosed) && !context.signal.aborted) {
      const heldOut = createHeldOutCheck(lab.project())
      saveRunSources(lab.project().db, generationId, heldOut.sources)
      await generate(lab, context, { plan, models, leaves, writer, journal, kept, heldOut })
    }
    if (leaves.every((leaf) => leaf.isClosed)) journal.remove()
    writer.report(context)
  }
}

interface RunStart {
  generationId: GenerationId
  plan: GenerationPlan
  pipeline: Pipeline
  models: RunModels
  kept: MeaningIndex
}

async function openLeaves(lab: Lab, { generationId, plan, pipeline, models, kept }: RunStart): Promise<LeafRun[]> {
  const project = lab.project()
  const { teacher } = models
  const shares = listLeafProgress(project.db, generationId)
  const sources = await readLeafSources(project, shares, { pipeline, pack: teacher.promptPack })
  const { minPairGrade, nearDuplicateRougeL } = plan.thresholds
  const screen = createRunScreen(project, nearDuplicateRougeL)
  const identity = {
    generationId,
    teacherId: teacher.id,
    runSeed: plan.seed,
    screen,
    meanings: kept,
    minPairGrade,
    now: () => lab.now(),
  }
  return sources.map(
    (source) => new LeafRun(source, identity, listFinishedSlots(project.db, generationId, source.share)),
  )
}

interface RunParts {
  plan: GenerationPlan
  models: RunModels
  leaves: LeafRun[]
  writer: Writer
  journal: CallJournal
  /** What is kept by meaning; filled before the first slot. */
  kept: MeaningIndex
  heldOut: HeldOutCheck
}

async function generate(lab: Lab, context: JobContext, parts: RunParts): Promise<void> {
  const { plan, models, leaves, writer, journal, kept, heldOut } = parts
  const noted = new Set<string>()
  const note = (key: string, text: string) => {
    if (noted.has(key)) return
    noted.add(key)
    context.log(text)
  }
  const sources = leaves.filter((leaf) => !leaf.isClosed).map((leaf) => leaf.source)
  context.progress({ ...writer.progress(), label: `Loading ${models.teacher.name}` })
  const opened = await openVoices(lab, { models, sources, parallel: plan.parallel, journal, note })
  const onAbort = () => {
    for (const leaf of leaves) leaf.abort.abort()
  }
  context.signal.addEventListener('abort', onAbort, { once: true })
  let meanings: Meanings | null = null
  try {
    const report = (done: number, total: number) =>
      context.progress({ ...writer.progress(), label: `Reading meanings: ${done} of ${total}` })
    meanings = await openMeanings(lab, { models, sources, kept, heldOut, signal: context.signal, report, note })
    writer.startClock()
    const shared = new SharedAnswers()
    await keepFull(leaves, {
      chains: Math.ceil(opened.parallel * (1 + spareShare)),
      signal: context.signal,
      isEvenly: plan.timeBudgetMinutes !== undefined,
      isOver: () => writer.isOver(plan.timeBudgetMinutes),
      start: (leaf, slot) => fillSlot(leaf, slot, { voices: opened.voices, plan, heldOut, meanings, shared }),
      onFinished: () => {
        if (writer.soon(context)) journal.tidy((slot) => leaves.some((leaf) => leaf.isOpen(slot)))
      },
    })
    if (!context.signal.aborted && writer.isOver(plan.timeBudgetMinutes)) {
      const overtime = `the ${plan.timeBudgetMinutes} minutes it was given are used up`
      for (const leaf of leaves) leaf.closeForTime(overtime)
    }
  } finally {
    context.signal.removeEventListener('abort', onAbort)
    onAbort()
    try {
      writer.flush()
    } finally {
      journal.close()
      await meanings?.embedding.dispose()
      await opened.dispose()
    }
  }
}

interface SlotParts {
  voices: Voices
  plan: GenerationPlan
  heldOut: HeldOutCheck
  meanings: Meanings | null
  shared: SharedAnswers
}

/** Runs one slot to its end and hands it to its leaf. A slot that is not wanted any more ends without a trace. */
async function fillSlot(leaf: LeafRun, slot: number, parts: SlotParts): Promise<void> {
  const { voices, plan, heldOut, meanings, shared } = parts
  const material = leaf.materialOf(slot)
  const talk: SlotTalk = {
    leaf: leaf.source.leaf.path,
    language: leaf.source.leaf.language,
    slot,
    runSeed: plan.seed,
    signal: leaf.abort.signal,
    stages: [],
    calls: 0,
    parseFailures: 0,
  }
  try {
    const { minPairGrade } = plan.thresholds
    const { screen } = leaf
    const draft = await runSlot(voices, talk, { ...material, minPairGrade, screen, shared, heldOut, meanings })
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
  /** Leaves are served evenly instead of one after the other. */
  isEvenly: boolean
  /** No further slot is started. */
  isOver: () => boolean
  start: (leaf: LeafRun, slot: number) => Promise<void>
  onFinished: () => void
}

/** Keeps as many slots under way as allowed until all leaves are closed or time is up. The first failure ends it, and is thrown. */
async function keepFull(leaves: readonly LeafRun[], filling: Filling): Promise<void> {
  const { chains, signal, isEvenly, isOver, start, onFinished } = filling
  const active = new Set<Promise<void>>()
  let failure: { thrown: unknown } | null = null
  while (!failure && !signal.aborted) {
    while (active.size < chains && !isOver()) {
      const next = nextSlot(isEvenly ? leaves.toSorted((a, b) => a.share - b.share) : leaves)
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
  #countedAtMs: number | null = null
  #spentMs: number

  constructor(lab: Lab, generationId: GenerationId, leaves: readonly LeafRun[]) {
    this.#lab = lab
    this.#generationId = generationId
    this.#leaves = leaves
    this.#spentMs = readSpentMs(lab.project().db, generationId)
    for (const leaf of leaves) if (leaf.source.share.isClosed) this.#closed.add(leaf)
  }

  /** From now on time counts towards the run's budget. */
  startClock(): void {
    this.#countedAtMs = this.#lab.now()
  }

  /** Whether the run has generated for so many minutes, over all its starts. */
  isOver(minutes: number | undefined): boolean {
    const running = this.#countedAtMs === null ? 0 : this.#lab.now() - this.#countedAtMs
    return minutes !== undefined && this.#spentMs + running >= minutes * 60_000
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

  /** Writes and reports unless that was just done; says whether it did. */
  soon(context: JobContext): boolean {
    if (performance.now() - this.#flushedAtMs < flushMs) return false
    this.flush()
    this.report(context)
    return true
  }

  /** Writes every slot taken so far; a leaf's end is written after its last slot. */
  flush(): void {
    this.#flushedAtMs = performance.now()
    const { db } = this.#lab.project()
    this.#countTime()
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

  #countTime(): void {
    if (this.#countedAtMs === null) return
    const nowMs = this.#lab.now()
    const spentMs = nowMs - this.#countedAtMs
    this.#countedAtMs = nowMs
    this.#spentMs += spentMs
    addSpentMs(this.#lab.project().db, this.#generationId, spentMs)
  }
}

function shown({ stages: _stages, branch: _branch, duplicateOf: _twin, ...candidate }: FinishedCandidate): Candidate {
  return candidate
}
