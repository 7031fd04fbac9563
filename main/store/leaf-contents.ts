// What the leaves teach, as hashes: now, and when a run was made from them. The difference says what to generate again.

import { createHash } from 'node:crypto'
import type { GenerationId, LeafPath } from '../contract/ids.ts'
import { hashLeaf, hashWithDocuments } from '../domain/leaf-content.ts'
import type { Database } from './open.ts'
import { findLeaf } from './taxonomy.ts'

const sha256 = () => createHash('sha256')

/** The hash of every leaf of the taxonomy with its documents. */
export function hashLeaves(db: Database): Map<LeafPath, string> {
  fillMissing(db)
  const documents = new Map<LeafPath, string[]>()
  for (const { leaf, hash } of db
    .prepare<[], { leaf: LeafPath; hash: string }>(
      'select leaf, sha256 as hash from documents where removed_at_ms is null',
    )
    .all())
    documents.set(leaf, [...(documents.get(leaf) ?? []), hash])
  const leaves = db
    .prepare<[], { path: LeafPath; hash: string }>(
      'select path, content_sha256 as hash from leaves where removed_at_ms is null',
    )
    .all()
  return new Map(leaves.map(({ path, hash }) => [path, hashWithDocuments(hash, documents.get(path) ?? [], sha256)]))
}

/** Leaves that an older version of the app wrote have no hash yet. */
function fillMissing(db: Database): void {
  const paths = db
    .prepare<[], LeafPath>('select path from leaves where content_sha256 is null and removed_at_ms is null')
    .pluck()
    .all()
  if (paths.length === 0) return
  const fill = db.prepare('update leaves set content_sha256 = ? where path = ?')
  db.transaction(() => {
    for (const path of paths) {
      const leaf = findLeaf(db, path)
      if (leaf) fill.run(hashLeaf(leaf, sha256), path)
    }
  })()
}

/** Keeps what the leaves of a new run are at this moment. */
export function keepRunContents(db: Database, id: GenerationId, leaves: readonly LeafPath[]): void {
  const hashes = hashLeaves(db)
  const insert = db.prepare('insert into generation_contents (generation_id, leaf, content_sha256) values (?, ?, ?)')
  db.transaction(() => {
    for (const leaf of leaves) {
      const hash = hashes.get(leaf)
      if (hash !== undefined) insert.run(id, leaf, hash)
    }
  })()
}

interface ContentRow {
  leaf: LeafPath
  hash: string
}
const toMap = (rows: readonly ContentRow[]) => new Map(rows.map(({ leaf, hash }) => [leaf, hash]))

/** What each leaf was in the last run it was in. */
export function lastRunContents(db: Database): Map<LeafPath, string> {
  const runs = db.prepare<[], GenerationId>('select id from generations order by created_at_ms, rowid').pluck().all()
  const last = new Map<LeafPath, string>()
  for (const id of runs) for (const [leaf, hash] of runContents(db, id)) last.set(leaf, hash)
  return last
}

/** What the leaves of one run were. */
export function runContents(db: Database, id: GenerationId): Map<LeafPath, string> {
  return toMap(
    db
      .prepare<[string], ContentRow>(
        'select leaf, content_sha256 as hash from generation_contents where generation_id = ?',
      )
      .all(id),
  )
}

/** Accepted samples that runs asked of each leaf, all together. */
export function countWanted(db: Database): Map<LeafPath, number> {
  const rows = db
    .prepare<[], { leaf: LeafPath; wanted: number }>(
      'select leaf, sum(quota) as wanted from generation_leaves group by leaf',
    )
    .all()
  return new Map(rows.map(({ leaf, wanted }) => [leaf, wanted]))
}
