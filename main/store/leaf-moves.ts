// Moves leaves to other paths in one transaction. A path is a leaf's identity, so everything that points to it follows: seeds,
// documents, public rows, candidates and samples, the shares and contents of runs, the history. What is frozen keeps the path it was
// frozen with (rows of datasets, questions of exams: both are hashed).

import type { LeafPath } from '../contract/ids.ts'
import type { Branch } from '../contract/taxonomy.ts'
import { keepFound, keepRevision } from './leaf-revisions.ts'
import type { Database } from './open.ts'

export interface LeafMove {
  from: LeafPath
  to: LeafPath
  branch: Branch
}

/** Columns that follow a leaf; `candidates` is reached through the index of its samples. */
export const followingTables = [
  'seeds',
  'public_rows',
  'documents',
  'generation_leaves',
  'generation_contents',
  'leaf_revisions',
  'candidates',
  'samples',
] as const
/** Columns that name a leaf as it was called when they were frozen. */
export const frozenTables = ['dataset_rows', 'exam_questions'] as const

/** Moves every leaf or none. The targets must be free; a removed leaf that lies there steps aside, its own pointers with it. */
export function moveLeaves(db: Database, moves: readonly LeafMove[], nowMs: number): void {
  db.transaction(() => {
    db.pragma('defer_foreign_keys = ON')
    for (const { from, to, branch } of moves) {
      const gone = db
        .prepare<[string], { branch: Branch }>('select branch from leaves where path = ? and removed_at_ms is not null')
        .get(to)
      if (gone) repoint(db, { from: to, to: `${to}#removed-${nowMs}` as LeafPath, branch: gone.branch })
      keepFound(db, from, nowMs)
      repoint(db, { from, to, branch })
      keepRevision(db, to, { act: 'moved', nowMs })
    }
  })()
}

function repoint(db: Database, move: LeafMove): void {
  db.prepare('update leaves set path = @to, branch = @branch where path = @from').run(move)
  for (const table of followingTables) {
    const change =
      table === 'candidates'
        ? `update candidates set leaf = @to, branch = @branch
           where number in (select candidate_number from samples where leaf = @from)`
        : `update ${table} set leaf = @to where leaf = @from`
    db.prepare(change).run(table === 'candidates' ? move : { from: move.from, to: move.to })
  }
}

/** Leaves that a generation works on at this moment. */
export function listBusyLeaves(db: Database): LeafPath[] {
  return db
    .prepare<[], LeafPath>(
      `select distinct leaf from generation_leaves
       join generations on generations.id = generation_id join jobs on jobs.id = generations.job_id
       where is_closed = 0 and jobs.state in ('queued', 'running')`,
    )
    .pluck()
    .all()
}
