// Drafts of the teacher and closed-book answers of the student. A draft is never deleted; taking or dismissing it marks it.

import type { Draft, SeedCheck } from '../contract/drafts.ts'
import type { ChunkId, DocumentId, LeafPath, ModelId } from '../contract/ids.ts'
import { markOf } from '../domain/seed-mark.ts'
import type { Database } from './open.ts'

export type NewDraft = Omit<Draft, 'number' | 'context'> & { promptSha256: string }

interface DraftRow {
  number: number
  kind: Draft['kind']
  document_id: DocumentId
  chunk_id: ChunkId | null
  context: string | null
  question: string
  answer: string
  model_id: ModelId
  created_at_ms: number
}

const selectDrafts = `select drafts.*, chunks.text as context from drafts left join chunks on chunks.id = drafts.chunk_id`

export function saveDraft(db: Database, draft: NewDraft): Draft {
  const { lastInsertRowid } = db
    .prepare(
      `insert into drafts (kind, document_id, chunk_id, question, answer, model_id, prompt_sha256, created_at_ms)
       values (@kind, @documentId, @chunkId, @question, @answer, @modelId, @promptSha256, @createdAtMs)`,
    )
    .run(draft)
  return toDraft(
    db.prepare<[number], DraftRow>(`${selectDrafts} where number = ?`).get(Number(lastInsertRowid)) as DraftRow,
  )
}

/** Drafts of a document that wait for the user, oldest first. */
export function listDrafts(db: Database, documentId: DocumentId): Draft[] {
  return db
    .prepare<[string], DraftRow>(`${selectDrafts} where drafts.document_id = ? and state = 'open' order by number`)
    .all(documentId)
    .map(toDraft)
}

/** How many drafts were ever made from a chunk, so that the next one is another. */
export function countDrafts(db: Database, chunkId: ChunkId): number {
  const row = db.prepare<[string], { n: number }>('select count(*) as n from drafts where chunk_id = ?').get(chunkId)
  return row?.n ?? 0
}

/** False when it waits no more. */
export function settleDraft(db: Database, number: number, state: 'taken' | 'dismissed'): boolean {
  return db.prepare("update drafts set state = ? where number = ? and state = 'open'").run(state, number).changes > 0
}

export function saveSeedCheck(db: Database, check: SeedCheck): void {
  db.prepare(
    `insert into seed_checks (seed_id, model_id, answer, similarity, log_likelihood, checked_at_ms)
     values (@seedId, @modelId, @answer, @similarity, @logLikelihood, @checkedAtMs)
     on conflict (seed_id, model_id) do update set answer = excluded.answer, similarity = excluded.similarity,
       log_likelihood = excluded.log_likelihood, checked_at_ms = excluded.checked_at_ms`,
  ).run(check)
}

/** What models answered to the seeds of a leaf. */
export function listSeedChecks(db: Database, leaf: LeafPath): SeedCheck[] {
  return db
    .prepare<[string], Omit<SeedCheck, 'mark'> & { question: string; expected: string }>(
      `select seed_id as seedId, model_id as modelId, seed_checks.answer, similarity, log_likelihood as logLikelihood,
         checked_at_ms as checkedAtMs, seeds.question, seeds.answer as expected
       from seed_checks join seeds on seeds.id = seed_id
       where seeds.leaf = ? and removed_at_ms is null order by position`,
    )
    .all(leaf)
    .map(({ question, expected, ...check }) => ({
      ...check,
      mark: markOf({ question, expected, answer: check.answer }),
    }))
}

function toDraft(row: DraftRow): Draft {
  return {
    number: row.number,
    kind: row.kind,
    documentId: row.document_id,
    chunkId: row.chunk_id,
    context: row.context ?? '',
    question: row.question,
    answer: row.answer,
    modelId: row.model_id,
    createdAtMs: row.created_at_ms,
  }
}
