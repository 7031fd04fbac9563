// Samples (candidate + latest verdict) and the verdicts on them. Verdicts are only appended: undo and redo append too, so the log
// tells what was thought and when. Lists read the narrow `samples` table, which triggers keep in step.

import type { Author, Sample, SampleFilter, SamplePage, Verdict } from '../contract/curation.ts'
import type { CandidateId, LeafPath } from '../contract/ids.ts'
import { type CandidateRow, candidateColumns, toCandidate } from './generation.ts'
import type { Database } from './open.ts'

export interface NewVerdict {
  candidateId: CandidateId
  kind: 'accept' | 'reject' | 'edit'
  author: Author
  question?: string
  answer?: string
  reason: string
  /** Rejected for this near duplicate, which stays: no word on how good the sample is. */
  twinOf?: string
}

/** Verdicts undo can walk back over. */
const keptHistory = 1000
/** Shorter texts have no trigram and are looked for by scanning. */
const trigramLength = 3

/** Appends a verdict, makes it the first that undo takes back, and returns the sample as it is now. Undefined: no such candidate. */
export function insertVerdict(db: Database, verdict: NewVerdict, nowMs: number): Sample | undefined {
  return db.transaction(() => {
    const number = candidateNumber(db, verdict.candidateId)
    if (number === undefined) return undefined
    const verdictNumber = append(db, { ...keepWords(db, number, verdict), candidateNumber: number, createdAtMs: nowMs })
    db.prepare('delete from verdict_history where is_undone = 1').run()
    const { lastInsertRowid } = db.prepare('insert into verdict_history (verdict_number) values (?)').run(verdictNumber)
    db.prepare('delete from verdict_history where position <= ?').run(Number(lastInsertRowid) - keptHistory)
    return findSample(db, verdict.candidateId)
  })()
}

/** A person's words stay until they change them: accepting an edited sample accepts the edit, and a rejected edit can come back. */
function keepWords(db: Database, candidateNumber: number, verdict: NewVerdict): NewVerdict {
  if (verdict.question !== undefined || verdict.answer !== undefined) return verdict
  const latest = db
    .prepare<[number], StoredVerdict>(
      `select ${verdictColumns} from verdicts where candidate_number = ? order by number desc limit 1`,
    )
    .get(candidateNumber)
  const question = latest?.question ?? undefined
  const answer = latest?.answer ?? undefined
  if (question === undefined && answer === undefined) return verdict
  return { ...verdict, kind: verdict.kind === 'accept' ? 'edit' : verdict.kind, question, answer }
}

/** Takes back the newest verdict that stands: the sample is again what it was before. Null when there is nothing to undo. */
export function undoVerdict(db: Database, nowMs: number): Sample | null {
  return db.transaction(() => {
    const step = historyStep(db, 'is_undone = 0 order by position desc')
    if (!step) return null
    const before = db
      .prepare<[number, number], StoredVerdict>(
        `select ${verdictColumns} from verdicts where candidate_number = ? and number < ? order by number desc limit 1`,
      )
      .get(step.candidateNumber, step.verdictNumber)
    const restored = before ?? { kind: 'reopen', author: 'human', question: null, answer: null, reason: '' }
    append(db, { ...restored, candidateNumber: step.candidateNumber, createdAtMs: nowMs })
    db.prepare('update verdict_history set is_undone = 1 where position = ?').run(step.position)
    return sampleByNumber(db, step.candidateNumber)
  })()
}

/** Gives the last undone verdict again. Null when there is nothing to redo. */
export function redoVerdict(db: Database, nowMs: number): Sample | null {
  return db.transaction(() => {
    const step = historyStep(db, 'is_undone = 1 order by position')
    if (!step) return null
    const undone = db
      .prepare<[number], StoredVerdict>(`select ${verdictColumns} from verdicts where number = ?`)
      .get(step.verdictNumber)
    if (!undone) return null
    const number = append(db, { ...undone, candidateNumber: step.candidateNumber, createdAtMs: nowMs })
    db.prepare('update verdict_history set is_undone = 0, verdict_number = ? where position = ?').run(
      number,
      step.position,
    )
    return sampleByNumber(db, step.candidateNumber)
  })()
}

interface HistoryStep {
  position: number
  verdictNumber: number
  candidateNumber: number
}
function historyStep(db: Database, which: string): HistoryStep | undefined {
  return db
    .prepare<[], HistoryStep>(
      `select position, verdict_number as verdictNumber, candidate_number as candidateNumber
       from verdict_history join verdicts on verdicts.number = verdict_number where ${which} limit 1`,
    )
    .get()
}

type StoredVerdict = Pick<Verdict, 'kind' | 'author' | 'reason'> & {
  question?: string | null
  answer?: string | null
  twinOf?: string | null
}
const verdictColumns = 'kind, author, question, answer, reason, twin_of as twinOf'

function append(db: Database, verdict: StoredVerdict & { candidateNumber: number; createdAtMs: number }): number {
  const { lastInsertRowid } = db
    .prepare(
      `insert into verdicts (candidate_number, kind, author, question, answer, reason, twin_of, created_at_ms)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      verdict.candidateNumber,
      verdict.kind,
      verdict.author,
      verdict.question ?? null,
      verdict.answer ?? null,
      verdict.reason,
      verdict.twinOf ?? null,
      verdict.createdAtMs,
    )
  return Number(lastInsertRowid)
}

function candidateNumber(db: Database, id: CandidateId): number | undefined {
  return db.prepare<[string], { number: number }>('select number from candidates where id = ?').get(id)?.number
}

interface SampleRow extends CandidateRow {
  status: Sample['status']
  verdictNumber: number | null
  verdictKind: Verdict['kind'] | null
  verdictAuthor: Author | null
  verdictQuestion: string | null
  verdictAnswer: string | null
  verdictReason: string | null
  verdictAtMs: number | null
}
const selectSample = `select ${candidateColumns}, samples.status, verdict_number as verdictNumber, kind as verdictKind,
    author as verdictAuthor, verdicts.question as verdictQuestion, verdicts.answer as verdictAnswer,
    verdicts.reason as verdictReason, verdicts.created_at_ms as verdictAtMs
  from samples join candidates on candidates.number = samples.candidate_number
  left join verdicts on verdicts.number = samples.verdict_number`

/** The sample of a candidate, or undefined. */
export function findSample(db: Database, id: CandidateId): Sample | undefined {
  const number = candidateNumber(db, id)
  return number === undefined ? undefined : sampleByNumber(db, number)
}

function sampleByNumber(db: Database, number: number): Sample {
  return toSample(
    db.prepare<[number], SampleRow>(`${selectSample} where samples.candidate_number = ?`).get(number) as SampleRow,
  )
}

/** A page of samples, newest first, and how many there are in all. */
export function pageSamples(db: Database, filter: SampleFilter, page: { offset: number; limit: number }): SamplePage {
  const { where, values } = whereOf(filter)
  // Looked up once: the count and the page come from the same list of numbers.
  const found = db
    .prepare<unknown[], { number: number; total: number }>(
      `with found as materialized (select candidate_number as number from samples ${where})
       select number, (select count(*) from found) as total from found order by number desc limit ? offset ?`,
    )
    .all(...values, page.limit, page.offset)
  const total = found[0]?.total ?? countSamples(db, filter)
  const sample = db.prepare<[number], SampleRow>(`${selectSample} where samples.candidate_number = ?`)
  return { rows: found.map(({ number }) => toSample(sample.get(number) as SampleRow)), total }
}

function countSamples(db: Database, filter: SampleFilter): number {
  const { where, values } = whereOf(filter)
  return Number(
    db
      .prepare(`select count(*) from samples ${where}`)
      .pluck()
      .get(...values),
  )
}

function whereOf(filter: SampleFilter): { where: string; values: unknown[] } {
  const tests: string[] = []
  const values: unknown[] = []
  const test = (sql: string, ...bound: unknown[]) => {
    tests.push(sql)
    values.push(...bound)
  }
  if (filter.leaf !== undefined) test('leaf = ?', filter.leaf)
  if (filter.status !== undefined) test('status = ?', filter.status)
  if (filter.droppedBy !== undefined) test('dropped_by = ?', filter.droppedBy)
  if (filter.minScore !== undefined) test('score >= ?', filter.minScore)
  if (filter.reviewed !== undefined) test('is_reviewed = ?', filter.reviewed ? 1 : 0)
  const text = filter.text?.trim() ?? ''
  if ([...text].length >= trigramLength) {
    test(
      'candidate_number in (select rowid from sample_texts where sample_texts match ?)',
      `"${text.replaceAll('"', '""')}"`,
    )
  } else if (text !== '') {
    const pattern = `%${text.replace(/[%_\\]/g, '\\$&')}%`
    test(
      `candidate_number in (select rowid from sample_texts
         where question like ? escape '\\' or answer like ? escape '\\' or context like ? escape '\\')`,
      pattern,
      pattern,
      pattern,
    )
  }
  return { where: tests.length > 0 ? `where ${tests.join(' and ')}` : '', values }
}

/** Samples that count as accepted (passed, accepted by hand, or edited), in the order they were made; of one leaf or all. */
export function listAcceptedSamples(db: Database, leaf?: LeafPath): Sample[] {
  return db
    .prepare<[string | null, string | null], SampleRow>(
      `${selectSample} where samples.status in ('accepted', 'edited') and (? is null or samples.leaf = ?)
       order by samples.candidate_number`,
    )
    .all(leaf ?? null, leaf ?? null)
    .map(toSample)
}

/** Candidates and accepted samples of every leaf that has any. */
export function countSamplesByLeaf(db: Database): Map<LeafPath, { candidateCount: number; acceptedCount: number }> {
  const rows = db
    .prepare<[], { leaf: LeafPath; candidateCount: number; acceptedCount: number }>(
      `select leaf, count(*) as candidateCount, sum(status in ('accepted', 'edited')) as acceptedCount
       from samples group by leaf`,
    )
    .all()
  return new Map(rows.map(({ leaf, ...counts }) => [leaf, counts]))
}

function toSample(row: SampleRow): Sample {
  const {
    status,
    verdictNumber,
    verdictKind,
    verdictAuthor,
    verdictQuestion,
    verdictAnswer,
    verdictReason,
    verdictAtMs,
    ...candidate
  } = row
  const verdict: Verdict | null =
    verdictNumber === null || verdictKind === null || verdictAuthor === null
      ? null
      : {
          number: verdictNumber,
          candidateId: candidate.id,
          kind: verdictKind,
          author: verdictAuthor,
          reason: verdictReason ?? '',
          createdAtMs: verdictAtMs ?? 0,
          ...(verdictQuestion === null ? {} : { question: verdictQuestion }),
          ...(verdictAnswer === null ? {} : { answer: verdictAnswer }),
        }
  return {
    ...toCandidate(candidate),
    question: verdict?.question ?? candidate.question,
    answer: verdict?.answer ?? candidate.answer,
    branch: candidate.branch,
    status,
    verdict,
  }
}
