// Documents of leaves and the ways they were cut. Rows only: the text lies beside the database under its content hash. Ids are
// functions of content, so adding the same document twice, or cutting it again the same way, gives the same ids.

import { createHash } from 'node:crypto'
import type { ChunkId, DocumentId, LeafPath } from '../contract/ids.ts'
import type { Chunk, DocumentSummary } from '../contract/taxonomy.ts'
import type { DocumentChunk } from '../domain/chunking.ts'
import type { Database } from './open.ts'

export interface NewDocument {
  leaf: LeafPath
  name: string
  /** Of the text in UTF-8. */
  sha256: string
  sizeBytes: number
}

/** How a document is cut: whose tokens count, and how many make a chunk at most. */
export interface ChunkingKey {
  /** The student's sha256, or `approximate`. */
  tokenizer: string
  maxTokens: number
}

interface DocumentRow {
  id: DocumentId
  leaf: LeafPath
  name: string
  sha256: string
  size_bytes: number
  chunk_count: number
}
interface ChunkRow {
  id: ChunkId
  document_id: DocumentId
  position: number
  text: string
  headings_json: string
  token_count: number
}

// The count shown is that of the first way it was cut (by size), or 0 before it was cut at all.
const selectDocuments = `
  select id, leaf, name, sha256, size_bytes,
    (select count(*) from chunkings where document_id = documents.id
       and (tokenizer, max_tokens) = (select tokenizer, max_tokens from chunkings where document_id = documents.id
         order by tokenizer = 'approximate', max_tokens desc limit 1)) as chunk_count
  from documents`

/** Adds a document to a leaf; the same text in the same leaf is the same document, renamed, and a removed one comes back. */
export function saveDocument(db: Database, { leaf, name, sha256, sizeBytes }: NewDocument, nowMs: number): DocumentId {
  const id = ownDocumentId(db, leaf, sha256)
  db.prepare(
    `insert into documents (id, leaf, name, sha256, size_bytes, added_at_ms) values (?, ?, ?, ?, ?, ?)
     on conflict (id) do update set name = excluded.name, removed_at_ms = null`,
  ).run(id, leaf, name, sha256, sizeBytes, nowMs)
  return id as DocumentId
}

/** The id this text has in this leaf, or a free one: a document that moved with its leaf has kept the id of where it was added. */
function ownDocumentId(db: Database, leaf: LeafPath, sha256: string): string {
  const own = db
    .prepare<[string, string], string>('select id from documents where leaf = ? and sha256 = ?')
    .pluck()
    .get(leaf, sha256)
  for (let copy = 0, id = own; ; copy++) {
    if (id !== undefined) return id
    const next = contentId('document', copy === 0 ? leaf : `${leaf}#${copy}`, sha256)
    if (findDocument(db, next as DocumentId) === undefined) id = next
  }
}

/** Documents of a leaf, or of all leaves that are in the taxonomy. */
export function listDocuments(db: Database, leaf?: LeafPath): DocumentSummary[] {
  const live = `${selectDocuments} where removed_at_ms is null
    and leaf in (select path from leaves where leaves.removed_at_ms is null) and (? is null or leaf = ?)`
  const rows = db.prepare<[string | null, string | null], DocumentRow>(`${live} order by leaf, name, id`)
  return rows.all(leaf ?? null, leaf ?? null).map(toSummary)
}

/** A document by id, removed ones too: candidates made from it still show their source. */
export function findDocument(db: Database, id: DocumentId): DocumentSummary | undefined {
  const row = db.prepare<[string], DocumentRow>(`${selectDocuments} where id = ?`).get(id)
  return row && toSummary(row)
}

/** Takes a document from its leaf; its text and chunks stay. False when there was none. */
export function removeDocument(db: Database, id: DocumentId, nowMs: number): boolean {
  const { changes } = db
    .prepare('update documents set removed_at_ms = ? where id = ? and removed_at_ms is null')
    .run(nowMs, id)
  return changes > 0
}

/** Keeps one way a document was cut. Cutting it the same way again changes nothing. */
export function saveChunking(
  db: Database,
  { documentId, tokenizer, maxTokens }: ChunkingKey & { documentId: DocumentId },
  chunks: readonly DocumentChunk[],
): void {
  const insertChunk = db.prepare(
    `insert into chunks (id, document_id, start_offset, end_offset, text, headings_json) values (?, ?, ?, ?, ?, ?)
     on conflict (id) do nothing`,
  )
  const insertPlace = db.prepare(
    `insert into chunkings (document_id, tokenizer, max_tokens, position, chunk_id, token_count) values (?, ?, ?, ?, ?, ?)
     on conflict do nothing`,
  )
  // One transaction, however many chunks: half a chunking would be taken for a whole one.
  db.transaction(() => {
    chunks.forEach((chunk, position) => {
      const id = contentId('chunk', documentId, `${chunk.start}-${chunk.end}`)
      insertChunk.run(id, documentId, chunk.start, chunk.end, chunk.text, JSON.stringify(chunk.headings))
      insertPlace.run(documentId, tokenizer, maxTokens, position, id, chunk.tokenCount)
    })
  })()
}

/** Chunks of a document cut that way, in order; empty when it was not. */
export function listChunks(db: Database, documentId: DocumentId, { tokenizer, maxTokens }: ChunkingKey): Chunk[] {
  return db
    .prepare<[string, string, number], ChunkRow>(
      `select chunks.id, chunks.document_id, position, text, headings_json, token_count
       from chunkings join chunks on chunks.id = chunk_id
       where chunkings.document_id = ? and tokenizer = ? and max_tokens = ? order by position`,
    )
    .all(documentId, tokenizer, maxTokens)
    .map(toChunk)
}

function contentId(kind: 'document' | 'chunk', owner: string, content: string): string {
  return `${kind}-${createHash('sha256').update(`${owner}\u0000${content}`).digest('hex').slice(0, 16)}`
}

function toSummary(row: DocumentRow): DocumentSummary {
  return {
    id: row.id,
    leaf: row.leaf,
    name: row.name,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    chunkCount: row.chunk_count,
  }
}

function toChunk(row: ChunkRow): Chunk {
  return {
    id: row.id,
    documentId: row.document_id,
    index: row.position,
    text: row.text,
    headings: JSON.parse(row.headings_json) as string[],
    tokenCount: row.token_count,
  }
}
