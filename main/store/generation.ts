// Generation runs and their candidates with full stage history. A slot of a run is written once and never changed; writing it again
// is an error of the caller that the schema refuses.

import type {
  Candidate,
  CandidateDetail,
  GenerationPlan,
  GenerationRun,
  LeafFunnel,
  StageName,
  StageOutcome,
} from '../contract/generation.ts'
import type { CandidateId, ChunkId, GenerationId, JobId, LeafPath, ModelId, SeedId } from '../contract/ids.ts'
import type { Branch } from '../contract/taxonomy.ts'
import { findChunk } from './documents.ts'
import type { Database } from './open.ts'
import { prepared } from './statements.ts'

/** Rows one transaction writes at most, so that readers and a full disk never wait long. */
const maxRowsPerTransaction = 200

/** What of a batch one transaction has written. */
export interface WrittenPart {
  candidates: number
  calls: number
  parseFailures: number
}

/** A leaf's share of a run: its slots are `firstSlot` up to `firstSlot + maxAttempts - 1`. */
export interface LeafShare {
  leaf: LeafPath
  position: number
  quota: number
  firstSlot: number
  maxAttempts: number
}
export interface LeafProgress extends LeafShare {
  isClosed: boolean
}
/** A finished slot. */
export interface FinishedCandidate extends Omit<Candidate, 'state'> {
  state: 'passed' | 'dropped'
  branch: Branch
  duplicateOf: CandidateId | null
  stages: StageOutcome[]
}
/** What a batch of finished slots adds to its leaf. */
export interface FinishedBatch {
  position: number
  candidates: FinishedCandidate[]
  calls: number
  parseFailures: number
  /** Told of each transaction. */
  onWritten?: (part: WrittenPart) => void
}

/** Writes a new run with its leaves. */
export function insertGeneration(
  db: Database,
  run: { id: GenerationId; jobId: JobId; plan: GenerationPlan; teacherSha256: string; createdAtMs: number },
  shares: readonly LeafShare[],
): void {
  const insertLeaf = db.prepare(
    `insert into generation_leaves (generation_id, position, leaf, quota, first_slot, max_attempts)
     values (?, ?, ?, ?, ?, ?)`,
  )
  db.transaction(() => {
    db.prepare(
      'insert into generations (id, job_id, plan_json, teacher_sha256, created_at_ms) values (?, ?, ?, ?, ?)',
    ).run(run.id, run.jobId, JSON.stringify(run.plan), run.teacherSha256, run.createdAtMs)
    for (const { position, leaf, quota, firstSlot, maxAttempts } of shares) {
      insertLeaf.run(run.id, position, leaf, quota, firstSlot, maxAttempts)
    }
  })()
}

/** The job is made after the run it works on. */
export function setGenerationJob(db: Database, id: GenerationId, jobId: JobId): void {
  db.prepare('update generations set job_id = ? where id = ?').run(jobId, id)
}

export function listLeafProgress(db: Database, id: GenerationId): LeafProgress[] {
  return db
    .prepare<[string], Omit<LeafProgress, 'isClosed'> & { isClosed: number }>(
      `select leaf, position, quota, first_slot as firstSlot, max_attempts as maxAttempts, is_closed as isClosed
       from generation_leaves where generation_id = ? order by position`,
    )
    .all(id)
    .map((leaf) => ({ ...leaf, isClosed: leaf.isClosed === 1 }))
}

/** Ends a leaf's share; `shortfall` says in plain words why its quota was not met. */
export function closeLeaf(db: Database, id: GenerationId, leaf: { position: number; shortfall: string | null }): void {
  db.prepare('update generation_leaves set is_closed = 1, shortfall = ? where generation_id = ? and position = ?').run(
    leaf.shortfall,
    id,
    leaf.position,
  )
}

/** Writes finished slots with their history and counts, at most 200 rows a transaction; each candidate is whole or absent. */
export function insertCandidates(db: Database, id: GenerationId, batch: FinishedBatch): void {
  let calls = batch.calls
  let parseFailures = batch.parseFailures
  for (const group of groupByRows(batch.candidates)) {
    db.transaction(() => {
      for (const candidate of group) insertCandidate(db, candidate)
      db.prepare(
        `update generation_leaves set call_count = call_count + ?, parse_failure_count = parse_failure_count + ?
         where generation_id = ? and position = ?`,
      ).run(calls, parseFailures, id, batch.position)
    })()
    batch.onWritten?.({ candidates: group.length, calls, parseFailures })
    calls = 0
    parseFailures = 0
  }
}

function groupByRows(candidates: readonly FinishedCandidate[]): FinishedCandidate[][] {
  const groups: FinishedCandidate[][] = []
  let rows = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    // The candidate, its outcomes, and the two rows its triggers write.
    const own = candidate.stages.length + 3
    if (rows + own > maxRowsPerTransaction) {
      groups.push([])
      rows = 1
    }
    groups.at(-1)?.push(candidate)
    rows += own
  }
  return groups
}

function insertCandidate(db: Database, candidate: FinishedCandidate): void {
  const { lastInsertRowid } = prepared(
    db,
    `insert into candidates (id, generation_id, slot, leaf, branch, seed_ids_json, chunk_id, context, question, answer, state,
         dropped_by, reason, score, teacher_id, duplicate_of, created_at_ms)
       values (@id, @generationId, @slot, @leaf, @branch, @seedIds, @chunkId, @context, @question, @answer, @state,
         @droppedBy, @reason, @score, @teacherId, @duplicateOf, @createdAtMs)`,
  ).run({ ...candidate, seedIds: JSON.stringify(candidate.seedIds), stages: undefined })
  const insertOutcome = prepared(
    db,
    `insert into stage_outcomes (candidate_number, position, stage, passed, words, reasoning, score, prompt_sha256, prompt_tokens,
       output_tokens, duration_ms, seed, temperature)
     values (@number, @position, @stage, @passed, @words, @reasoning, @score, @promptSha256, @promptTokens,
       @outputTokens, @durationMs, @seed, @temperature)`,
  )
  candidate.stages.forEach((outcome, position) => {
    insertOutcome.run({ ...outcome, number: lastInsertRowid, position, passed: outcome.passed ? 1 : 0 })
  })
}

/** Slots of one leaf's share that are finished, in slot order. */
export function listFinishedSlots(
  db: Database,
  id: GenerationId,
  share: LeafShare,
): { droppedBy: StageName | null; score: number | null; seedIds: SeedId[] }[] {
  return db
    .prepare<[string, number, number], { droppedBy: StageName | null; score: number | null; seedIdsJson: string }>(
      `select dropped_by as droppedBy, score, seed_ids_json as seedIdsJson from candidates
       where generation_id = ? and slot >= ? and slot < ? order by slot`,
    )
    .all(id, share.firstSlot, share.firstSlot + share.maxAttempts)
    .map(({ seedIdsJson, ...fate }) => ({ ...fate, seedIds: JSON.parse(seedIdsJson) as SeedId[] }))
}

/** Milliseconds the run has generated so far, over all its starts. */
export function readSpentMs(db: Database, id: GenerationId): number {
  return Number(db.prepare('select spent_ms from generations where id = ?').pluck().get(id) ?? 0)
}
export function addSpentMs(db: Database, id: GenerationId, spentMs: number): void {
  db.prepare('update generations set spent_ms = spent_ms + ? where id = ?').run(Math.round(spentMs), id)
}

/** A candidate that passed, as far as duplicates are concerned. */
export interface PassedCandidate {
  id: CandidateId
  chunkId: ChunkId | null
  context: string
  question: string
  answer: string
}

/** Every candidate that passed in any run so far, oldest run first, by slot. */
export function* iteratePassed(db: Database): Generator<PassedCandidate> {
  yield* db
    .prepare<[], PassedCandidate>(
      `select candidates.id, chunk_id as chunkId, context, question, answer
       from candidates join generations on generations.id = generation_id
       where state = 'passed' order by generations.created_at_ms, generation_id, slot`,
    )
    .iterate()
}

interface GenerationRow {
  id: GenerationId
  jobId: JobId
  planJson: string
  createdAtMs: number
}
const selectGeneration =
  'select id, job_id as jobId, plan_json as planJson, created_at_ms as createdAtMs from generations'

/** Runs, newest first, with their funnels. */
export function listGenerations(db: Database): GenerationRun[] {
  return db
    .prepare<[], GenerationRow>(`${selectGeneration} order by created_at_ms desc, id limit 200`)
    .all()
    .map((row) => toRun(db, row))
}

/** The run with its funnel, or undefined. */
export function findGeneration(db: Database, id: GenerationId): GenerationRun | undefined {
  const row = db.prepare<[string], GenerationRow>(`${selectGeneration} where id = ?`).get(id)
  return row && toRun(db, row)
}

/** What a run was asked to do, or undefined: without counting what became of it. */
export function findPlan(db: Database, id: GenerationId): Pick<GenerationRun, 'id' | 'plan'> | undefined {
  const row = db.prepare<[string], GenerationRow>(`${selectGeneration} where id = ?`).get(id)
  return row && { id, plan: JSON.parse(row.planJson) as GenerationPlan }
}

function toRun(db: Database, row: GenerationRow): GenerationRun {
  const totals = db
    .prepare<[string], { callCount: number | null; parseFailureCount: number | null }>(
      `select sum(call_count) as callCount, sum(parse_failure_count) as parseFailureCount
       from generation_leaves where generation_id = ?`,
    )
    .get(row.id)
  return {
    id: row.id,
    jobId: row.jobId,
    plan: JSON.parse(row.planJson) as GenerationPlan,
    createdAtMs: row.createdAtMs,
    funnel: readFunnel(db, row.id),
    parseFailureCount: totals?.parseFailureCount ?? 0,
    callCount: totals?.callCount ?? 0,
  }
}

function readFunnel(db: Database, id: GenerationId): LeafFunnel[] {
  const counts = db
    .prepare<[string], { leaf: LeafPath; droppedBy: StageName | null; count: number }>(
      `select leaf, dropped_by as droppedBy, count(*) as count from candidates
       where generation_id = ? group by leaf, dropped_by order by count(*) desc`,
    )
    .all(id)
  const leaves = db
    .prepare<[string], { leaf: LeafPath; quota: number; shortfall: string | null }>(
      'select leaf, quota, shortfall from generation_leaves where generation_id = ? order by position',
    )
    .all(id)
  const byLeaf = Map.groupBy(counts, ({ leaf }) => leaf)
  return leaves.map(({ leaf, quota, shortfall }) => {
    const own = byLeaf.get(leaf) ?? []
    const droppedBy = own.flatMap(({ droppedBy, count }) => (droppedBy ? [{ stage: droppedBy, count }] : []))
    const attempted = own.reduce((sum, { count }) => sum + count, 0)
    const dropped = droppedBy.reduce((sum, { count }) => sum + count, 0)
    return { leaf, quota, attempted, accepted: attempted - dropped, droppedBy, shortfall }
  })
}

export interface CandidateRow {
  number: number
  id: CandidateId
  generationId: GenerationId
  leaf: LeafPath
  branch: Branch
  slot: number
  seedIdsJson: string
  chunkId: ChunkId | null
  context: string
  question: string
  answer: string
  state: 'passed' | 'dropped'
  droppedBy: StageName | null
  reason: string
  score: number | null
  teacherId: ModelId
  duplicateOf: CandidateId | null
  createdAtMs: number
}
/** Columns of a candidate, named as in the contract. */
export const candidateColumns = `candidates.number, candidates.id, generation_id as generationId, candidates.leaf, branch, slot,
  seed_ids_json as seedIdsJson, chunk_id as chunkId, context, candidates.question, candidates.answer, state,
  candidates.dropped_by as droppedBy, candidates.reason, candidates.score, teacher_id as teacherId, duplicate_of as duplicateOf,
  candidates.created_at_ms as createdAtMs`

export function toCandidate(row: CandidateRow): Candidate {
  const { number: _, seedIdsJson, branch: _branch, duplicateOf: _neighbour, ...candidate } = row
  return { ...candidate, seedIds: JSON.parse(seedIdsJson) as SeedId[] }
}

/** The newest candidates of a run, newest first. */
export function listLatestCandidates(db: Database, id: GenerationId, limit: number): Candidate[] {
  return db
    .prepare<[string, number], CandidateRow>(
      `select ${candidateColumns} from candidates where generation_id = ? order by number desc limit ?`,
    )
    .all(id, limit)
    .map(toCandidate)
}

/** A candidate with its stage history and the raw text of its chunk; undefined when there is none. */
export function findCandidate(db: Database, id: CandidateId): CandidateDetail | undefined {
  const row = db.prepare<[string], CandidateRow>(`select ${candidateColumns} from candidates where id = ?`).get(id)
  if (!row) return undefined
  const chunk = findChunk(db, row.chunkId)
  return {
    ...toCandidate(row),
    stages: listOutcomes(db, row.number),
    chunkText: chunk?.text ?? '',
    chunkPages: chunk?.pages ?? null,
    duplicateOf: row.duplicateOf,
  }
}

function listOutcomes(db: Database, number: number): StageOutcome[] {
  return db
    .prepare<[number], Omit<StageOutcome, 'passed'> & { passed: number }>(
      `select stage, passed, words, reasoning, score, prompt_sha256 as promptSha256, prompt_tokens as promptTokens,
         output_tokens as outputTokens, duration_ms as durationMs, seed, temperature
       from stage_outcomes where candidate_number = ? order by position`,
    )
    .all(number)
    .map((outcome) => ({ ...outcome, passed: outcome.passed === 1 }))
}
