// Models written to files, each with the verdict of its self-test.

import type { CheckpointId } from '../contract/ids.ts'
import type { Database } from './open.ts'

/** One thing the self-test looked at. */
export interface ExportCheck {
  name: 'opens' | 'template' | 'end-token' | 'answers' | 'same-loss'
  hasPassed: boolean
  words: string
}
export interface ModelExport {
  id: string
  checkpointId: CheckpointId
  path: string
  what: 'adapter' | 'model'
  fileType: string
  sizeBytes: number
  checks: ExportCheck[]
  createdAtMs: number
}

/** Writes an export and its verdict. */
export function insertModelExport(db: Database, written: ModelExport): void {
  const { checks, ...rest } = written
  db.prepare(
    `insert into model_exports (id, checkpoint_id, path, what, file_type, size_bytes, has_passed, verdict_json, created_at_ms)
     values (@id, @checkpointId, @path, @what, @fileType, @sizeBytes, @hasPassed, @verdictJson, @createdAtMs)`,
  ).run({ ...rest, hasPassed: checks.every((check) => check.hasPassed) ? 1 : 0, verdictJson: JSON.stringify(checks) })
}

/** Newest first. */
export function listModelExports(db: Database): ModelExport[] {
  return db
    .prepare<[], Omit<ModelExport, 'checks'> & { verdictJson: string }>(
      `select id, checkpoint_id as checkpointId, path, what, file_type as fileType, size_bytes as sizeBytes,
         verdict_json as verdictJson, created_at_ms as createdAtMs from model_exports order by created_at_ms desc, id`,
    )
    .all()
    .map(({ verdictJson, ...written }) => ({ ...written, checks: JSON.parse(verdictJson) as ExportCheck[] }))
}
