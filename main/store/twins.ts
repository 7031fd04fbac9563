// Near duplicates of the latest search. A pair counts while both its sides are kept and nobody told them apart; that is asked at each
// reading, so an undone verdict brings its pair back by itself.

import type { CandidateId, GenerationId, LeafPath, SeedId } from '../contract/ids.ts'
import type { TwinKind, TwinPair, TwinSearch, TwinSide } from '../contract/twins.ts'
import type { FoundTwin } from '../domain/twin-search.ts'
import type { Database } from './open.ts'

/** Pairs one transaction writes at most. */
const maxRowsPerTransaction = 500

/** Begins a search under the id of its job, or goes on with it: what an unfinished one found is gone. */
export function beginTwinSearch(db: Database, id: string, search: Omit<TwinSearch, 'isFinished'>): void {
  db.transaction(() => {
    db.prepare('delete from twin_pairs').run()
    db.prepare('delete from twin_searches').run()
    db.prepare(
      `insert into twin_searches (id, words_threshold, meaning_threshold, embedder_name, text_count, created_at_ms)
       values (@id, @wordsThreshold, @meaningThreshold, @embedderName, @textCount, @createdAtMs)`,
    ).run({ ...search, id })
  })()
}

export function insertTwins(db: Database, found: readonly FoundTwin[]): void {
  const insert = db.prepare('insert or ignore into twin_pairs (one, other, kind, score) values (?, ?, ?, ?)')
  for (let at = 0; at < found.length; at += maxRowsPerTransaction) {
    db.transaction(() => {
      for (const { one, other, kind, score } of found.slice(at, at + maxRowsPerTransaction))
        insert.run(one, other, kind, score)
    })()
  }
}

export function finishTwinSearch(db: Database, id: string): void {
  db.prepare('update twin_searches set is_finished = 1 where id = ?').run(id)
}

export function latestTwinSearch(db: Database): TwinSearch | null {
  const found = db
    .prepare<[], Omit<TwinSearch, 'isFinished'> & { isFinished: number }>(
      `select words_threshold as wordsThreshold, meaning_threshold as meaningThreshold, embedder_name as embedderName,
         text_count as textCount, is_finished as isFinished, created_at_ms as createdAtMs from twin_searches`,
    )
    .get()
  return found ? { ...found, isFinished: found.isFinished === 1 } : null
}

interface PairRow {
  number: number
  one: string
  other: string
  kind: TwinKind
  score: number
}

const isKept = (
  side: string,
) => `(exists (select 1 from seeds where seeds.id = ${side} and removed_at_ms is null) or exists (
  select 1 from candidates join samples on samples.candidate_number = candidates.number
  where candidates.id = ${side} and samples.status in ('accepted', 'edited')))`
const openPairs = `from twin_pairs where ${isKept('one')} and ${isKept('other')}
  and not exists (select 1 from told_apart where told_apart.one = twin_pairs.one and told_apart.other = twin_pairs.other)`

/** Open pairs, closest first. */
export function pageTwins(
  db: Database,
  { offset, limit }: { offset: number; limit: number },
): { rows: TwinPair[]; total: number } {
  const total = Number(db.prepare(`select count(*) ${openPairs}`).pluck().get())
  const rows = db
    .prepare<[number, number], PairRow>(
      `select number, one, other, kind, score ${openPairs} order by score desc, number limit ? offset ?`,
    )
    .all(limit, offset)
  return { rows: rows.map((row) => toPair(db, row)), total }
}

/** Every open pair by its sides. */
export function listOpenTwins(db: Database): { one: string; other: string }[] {
  return db.prepare<[], { one: string; other: string }>(`select one, other ${openPairs} order by number`).all()
}

/** The pair, open or not; undefined when no search found it. */
export function findTwinPair(db: Database, number: number): TwinPair | undefined {
  const row = db
    .prepare<[number], PairRow>('select number, one, other, kind, score from twin_pairs where number = ?')
    .get(number)
  return row && toPair(db, row)
}

export function tellApart(db: Database, { one, other }: { one: string; other: string }): void {
  db.prepare('insert or ignore into told_apart (one, other) values (?, ?)').run(one, other)
}

function toPair(db: Database, { one, other, ...pair }: PairRow): TwinPair {
  return { ...pair, one: findTwinSide(db, one), other: findTwinSide(db, other) }
}

interface SideRow extends Omit<TwinSide, 'isSeed' | 'isReviewed' | 'id'> {
  isReviewed: number
}

/** A seed or a sample as it reads now. One that is gone has empty texts. */
export function findTwinSide(db: Database, id: string): TwinSide {
  const seed = db
    .prepare<[string], Pick<TwinSide, 'leaf' | 'context' | 'question' | 'answer'>>(
      'select leaf, context, question, answer from seeds where id = ?',
    )
    .get(id)
  if (seed)
    return {
      ...seed,
      context: seed.context ?? '',
      id: id as SeedId,
      isSeed: true,
      generationId: null,
      score: null,
      isReviewed: true,
    }
  const sample = db
    .prepare<[string], SideRow>(
      `select candidates.leaf, generation_id as generationId, context, candidates.score, samples.is_reviewed as isReviewed,
         ifnull(verdicts.question, candidates.question) as question, ifnull(verdicts.answer, candidates.answer) as answer
       from candidates join samples on samples.candidate_number = candidates.number
       left join verdicts on verdicts.number = samples.verdict_number where candidates.id = ?`,
    )
    .get(id)
  const gone = { leaf: '' as LeafPath, context: '', question: '', answer: '', score: null, isReviewed: 0 }
  const { isReviewed, ...side } = sample ?? { ...gone, generationId: null as GenerationId | null }
  return { ...side, id: id as CandidateId, isSeed: false, isReviewed: isReviewed === 1 }
}
