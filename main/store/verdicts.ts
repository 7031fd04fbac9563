// Samples (candidate + latest verdict) and the verdicts on them. Verdicts are only appended: undo and redo append too, so the log
// tells what was thought and when. Lists read the narrow `samples` table, which triggers keep in step.

import type { Author, Sample, SampleFilter, SamplePage, Verdict } from '../contract/curation.ts'
import type { CandidateId, LeafPath } from '../contract/ids.ts'
import { type CandidateRow, candidateColumns, toCandidate } from './generation.ts'
import { gramOf } from '../domain/text-grams.ts'
import type { Database } from './open.ts'
import { prepared } from './statements.ts'

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
  const search = searchOf(filter)
  const { numbers, total } = search.isJoined ? walkHits(db, search, page) : countAndPage(db, search, page)
  const sample = prepared<[number], SampleRow>(db, `${selectSample} where samples.candidate_number = ?`)
  return { rows: numbers.map((number) => toSample(sample.get(number) as SampleRow)), total }
}

interface Found {
  numbers: number[]
  total: number
}

/** One index answers: it counts without looking at a row, and a page is reached in its own order. */
function countAndPage(db: Database, { select, from, where, values }: Search, page: Page): Found {
  const found = prepared<unknown[], { number: number }>(
    db,
    `select ${select} as number from ${from} ${where} order by ${select} desc limit ? offset ?`,
  ).all(...values, page.limit, page.offset)
  const numbers = found.map(({ number }) => number)
  // A page that is not full is the last one, and says itself how many there are.
  if (found.length > 0 && found.length < page.limit) return { numbers, total: page.offset + found.length }
  const total = prepared<unknown[], { total: number }>(db, `select count(*) as total from ${from} ${where}`)
  return { numbers, total: total.get(...values)?.total ?? 0 }
}

/**
 * Every hit of a text is looked up, once: a text may be nearly everywhere and the rest of the filter nearly nowhere. Oldest first, since
 * rows are found faster forwards, and read from the end.
 */
function walkHits(db: Database, { select, from, where, values }: Search, page: Page): Found {
  const walk = prepared(db, `select ${select} from ${from} ${where} order by ${select}`).pluck()
  const hits = walk.all(...values) as number[]
  const end = Math.max(0, hits.length - page.offset)
  return { numbers: hits.slice(Math.max(0, end - page.limit), end).reverse(), total: hits.length }
}

interface Page {
  offset: number
  limit: number
}
interface Search {
  /** The candidate's number. */
  select: string
  from: string
  where: string
  values: unknown[]
  isJoined: boolean
}

/** A plus keeps a column's index out of it: of those that are left the one that narrows most is taken, in the order of the rows. */
function searchOf(filter: SampleFilter): Search {
  const { leaf, status, droppedBy, minScore, reviewed } = filter
  const isByLeaf = leaf !== undefined
  const isByStage = droppedBy !== undefined
  const tests: [sql: string, value: unknown][] = []
  if (isByLeaf) tests.push(['leaf = ?', leaf])
  if (isByStage) tests.push([isByLeaf ? '+dropped_by = ?' : 'dropped_by = ?', droppedBy])
  if (status !== undefined) tests.push([isByStage && !isByLeaf ? '+status = ?' : 'status = ?', status])
  if (reviewed !== undefined)
    tests.push([isByLeaf || isByStage ? '+is_reviewed = ?' : 'is_reviewed = ?', Number(reviewed)])
  if (minScore !== undefined) tests.push(['score >= ?', minScore])
  const text = filter.text?.trim() ?? ''
  const isJoined = text !== '' && tests.length > 0
  const index = gramOf(text) === null ? 'sample_texts' : 'sample_grams'
  if (text !== '') tests.push(...textTests(text, index))
  const search = {
    where: tests.length > 0 ? `where ${tests.map(([sql]) => sql).join(' and ')}` : '',
    values: tests.map(([, value]) => value),
    isJoined,
  }
  if (text === '') return { ...search, select: 'candidate_number', from: 'samples' }
  const from = isJoined ? `${index} cross join samples on candidate_number = ${index}.rowid` : index
  return { ...search, select: `${index}.rowid`, from }
}

/** Letters of a piece of a long text: what three such have in common is nearly always the text. */
const pieceLength = 8

/** A long text is looked up by three pieces, as each letter costs a walk through the index, and is then looked for in what has them. */
function textTests(text: string, index: 'sample_texts' | 'sample_grams'): [sql: string, value: unknown][] {
  const letters = [...text]
  const quoted = (words: string) => `"${words.replaceAll('"', '""')}"`
  if (letters.length <= 3 * pieceLength) return [[`${index} match ?`, quoted(gramOf(text) ?? text)]]
  const starts = [0, (letters.length - pieceLength) >> 1, letters.length - pieceLength]
  const pieces = starts.map((start) => quoted(letters.slice(start, start + pieceLength).join('')))
  return [
    ['sample_texts match ?', pieces.join(' AND ')],
    ['says(?, sample_texts.question, sample_texts.answer, sample_texts.context)', text],
  ]
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

/** Candidates and accepted samples of every leaf that has any, or of one leaf. */
export function countSamplesByLeaf(
  db: Database,
  leaf?: LeafPath,
): Map<LeafPath, { candidateCount: number; acceptedCount: number }> {
  const rows = db
    .prepare<unknown[], { leaf: LeafPath; candidateCount: number; acceptedCount: number }>(
      `select leaf, count(*) as candidateCount, sum(status in ('accepted', 'edited')) as acceptedCount
       from samples ${leaf === undefined ? '' : 'where leaf = ?'} group by leaf`,
    )
    .all(...(leaf === undefined ? [] : [leaf]))
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
