// The history of leaves: every state one was in, appended and never changed. A leaf of an older project has none until it is first
// touched; the state it was found in is kept then.

import type { LeafRevision, RevisionAct } from '../contract/authoring.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { SeedDraft } from '../contract/taxonomy.ts'
import type { Database } from './open.ts'
import { prepared } from './statements.ts'
import { findLeaf, type LeafContent, saveLeaf, type StoredLeaf } from './taxonomy.ts'

/** A state of a leaf. What was wrong with it is not kept: the rules say it again. */
export type KeptLeaf = Omit<LeafContent, 'problems'>

/** Writes a leaf and keeps the state it is in then, and the one it was found in when it has no history yet. One transaction. */
export function saveRevised(
  db: Database,
  leaf: LeafContent,
  { act, nowMs }: { act: RevisionAct; nowMs: number },
): void {
  db.transaction(() => {
    keepFound(db, leaf.path, nowMs)
    saveLeaf(db, leaf, nowMs)
    keepRevision(db, leaf.path, { act, nowMs })
  })()
}

/** Keeps the state of a leaf unless it is the one kept last by the same act; nothing for a leaf that is not there. */
export function keepRevision(db: Database, path: LeafPath, { act, nowMs }: { act: RevisionAct; nowMs: number }): void {
  const leaf = findLeaf(db, path)
  if (!leaf) return
  const content = JSON.stringify(kept(leaf))
  const last = prepared<[string], { act: RevisionAct; content: string }>(
    db,
    'select act, content_json as content from leaf_revisions where leaf = ? order by number desc limit 1',
  ).get(path)
  const isPlain = act === 'saved' || act === 'imported'
  if (last?.content === content && (isPlain || last.act === act)) return
  prepared(db, 'insert into leaf_revisions (leaf, path, act, content_json, created_at_ms) values (?, ?, ?, ?, ?)').run(
    path,
    path,
    act,
    content,
    nowMs,
  )
}

/** Keeps the state of a leaf that has no history yet. */
export function keepFound(db: Database, path: LeafPath, nowMs: number): void {
  const has = prepared<[string]>(db, 'select 1 from leaf_revisions where leaf = ? limit 1').get(path)
  if (has === undefined) keepRevision(db, path, { act: 'found', nowMs })
}

function kept(leaf: StoredLeaf): KeptLeaf {
  const seeds = leaf.seeds.map(({ id: _id, ...seed }): SeedDraft => seed)
  const { path, branch, taskDescription, domain, documentOutline, createdBy, persona, language, answerFormat } = leaf
  const { documentSource, attribution, sourceText, isSourceCurrent, publicFileSha256 } = leaf
  const traits = { path, branch, taskDescription, domain, documentOutline, createdBy, persona, language, answerFormat }
  return { ...traits, seeds, documentSource, attribution, sourceText, isSourceCurrent, publicFileSha256 }
}

const shown = `number, act, path, json_array_length(content_json, '$.seeds') as seedCount, created_at_ms as createdAtMs`
const mostShown = 1000

/** States of a leaf, newest first. */
export function listRevisions(db: Database, leaf: LeafPath): LeafRevision[] {
  return db
    .prepare<[string, number], LeafRevision>(
      `select ${shown} from leaf_revisions where leaf = ? order by number desc limit ?`,
    )
    .all(leaf, mostShown)
}

/** One state of a leaf, or undefined. */
export function findRevision(
  db: Database,
  leaf: LeafPath,
  number: number,
): { revision: LeafRevision; content: KeptLeaf } | undefined {
  const row = db
    .prepare<[string, number], LeafRevision & { content: string }>(
      `select ${shown}, content_json as content from leaf_revisions where leaf = ? and number = ?`,
    )
    .get(leaf, number)
  if (!row) return undefined
  const { content, ...revision } = row
  return { revision, content: JSON.parse(content) as KeptLeaf }
}
