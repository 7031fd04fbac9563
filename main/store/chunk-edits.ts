// The log of what the user changed about a document's chunks. Undo marks the last edit, redo unmarks it; a new edit after an undo makes
// what was undone unreachable, and leaves it in the log.

import type { DocumentId } from '../contract/ids.ts'
import type { ChunkEdit } from '../domain/chunk-edits.ts'
import type { Database } from './open.ts'

interface EditRow {
  kind: ChunkEdit['kind']
  start_offset: number
  end_offset: number
}

/** Edits that hold, in the order they were made. */
export function listChunkEdits(db: Database, documentId: DocumentId): ChunkEdit[] {
  return db
    .prepare<[string], EditRow>(
      'select kind, start_offset, end_offset from chunk_edits where document_id = ? and is_undone = 0 order by number',
    )
    .all(documentId)
    .map(({ kind, start_offset: start, end_offset: end }) =>
      kind === 'cut' || kind === 'join' ? { kind, at: start } : { kind, start, end },
    )
}

export function addChunkEdit(
  db: Database,
  { documentId, edit }: { documentId: DocumentId; edit: ChunkEdit },
  nowMs: number,
): void {
  const { start, end } = 'at' in edit ? { start: edit.at, end: edit.at } : edit
  db.prepare(
    'insert into chunk_edits (document_id, kind, start_offset, end_offset, created_at_ms) values (?, ?, ?, ?, ?)',
  ).run(documentId, edit.kind, start, end, nowMs)
}

/** Takes the last edit back. False when there is none. */
export function undoChunkEdit(db: Database, documentId: DocumentId): boolean {
  const last = 'select max(number) from chunk_edits where document_id = ? and is_undone = 0'
  return db.prepare(`update chunk_edits set is_undone = 1 where number = (${last})`).run(documentId).changes > 0
}

/** Makes the edit again that was taken back last. False when there is none after the last one that holds. */
export function redoChunkEdit(db: Database, documentId: DocumentId): boolean {
  const next = `select min(number) from chunk_edits where document_id = @id and number >
    coalesce((select max(number) from chunk_edits where document_id = @id and is_undone = 0), 0)`
  return db.prepare(`update chunk_edits set is_undone = 0 where number = (${next})`).run({ id: documentId }).changes > 0
}

/** How many chunks the document has after the edits, as lists show it; null without edits. */
export function noteEditedChunks(db: Database, documentId: DocumentId, count: number | null): void {
  db.prepare('update documents set edited_chunk_count = ? where id = ?').run(count, documentId)
}
