// Documents of leaves and the ways they were cut. Rows only: the text lies beside the database under its content hash. Ids are
// functions of content, so adding the same document twice, or cutting it again the same way, gives the same ids.

import { createHash } from 'node:crypto'
import type { ChunkId, DocumentId, LeafPath } from '../contract/ids.ts'
import type { DocumentSummary, DocumentType, PageRange, PlacedChunk } from '../contract/taxonomy.ts'
import { pagesOf } from '../domain/chunk-pages.ts'
import type { DocumentChunk } from '../domain/chunking.ts'
import type { Database } from './open.ts'

export interface NewDocument {
  leaf: LeafPath
  name: string
  type: DocumentType
  /** Of the text in UTF-8. */
  sha256: string
  sizeBytes: number
  /** The file it was made from; null where the text is the file. */
  original: { sha256: string; sizeBytes: number } | null
  /** UTF-16 offsets in the text where each page begins; null for files without pages. */
  pageStarts: readonly number[] | null
  notes: readonly string[]
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
  type: DocumentType
  sha256: string
  size_bytes: number
  original_sha256: string | null
  original_size_bytes: number | null
  page_count: number | null
  notes_json: string
  chunk_count: number
}
interface ChunkRow {
  id: ChunkId
  document_id: DocumentId
  position: number
  text: string
  headings_json: string
  token_count: number
  start_offset: number
  end_offset: number
  first_page: number | null
  last_page: number | null
}

// The count shown is that after the user's edits, else of the first way it was cut (by size), or 0 before it was cut at all.
const selectDocuments = `
  select id, leaf, name, type, sha256, size_bytes, original_sha256, original_size_bytes, notes_json,
    json_array_length(page_starts_json) as page_count,
    coalesce(edited_chunk_count, (select count(*) from chunkings where document_id = documents.id
       and (tokenizer, max_tokens) = (select tokenizer, max_tokens from chunkings where document_id = documents.id
         order by tokenizer = 'approximate', max_tokens desc limit 1))) as chunk_count
  from documents`

/** Adds a document to a leaf; the same text in the same leaf is the same document, renamed, and a removed one comes back. */
export function saveDocument(db: Database, document: NewDocument, nowMs: number): DocumentId {
  const { leaf, name, type, sha256, sizeBytes, original, pageStarts, notes } = document
  const id = ownDocumentId(db, leaf, sha256)
  db.prepare(
    `insert into documents (id, leaf, name, type, sha256, size_bytes, original_sha256, original_size_bytes, page_starts_json,
       notes_json, added_at_ms)
     values (@id, @leaf, @name, @type, @sha256, @sizeBytes, @originalSha256, @originalSizeBytes, @pageStarts, @notes, @nowMs)
     on conflict (id) do update set name = excluded.name, type = excluded.type, original_sha256 = excluded.original_sha256,
       original_size_bytes = excluded.original_size_bytes, page_starts_json = excluded.page_starts_json,
       notes_json = excluded.notes_json, removed_at_ms = null`,
  ).run({
    id,
    leaf,
    name,
    type,
    sha256,
    sizeBytes,
    originalSha256: original?.sha256 ?? null,
    originalSizeBytes: original?.sizeBytes ?? null,
    pageStarts: pageStarts && JSON.stringify(pageStarts),
    notes: JSON.stringify(notes),
    nowMs,
  })
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

/** Where the pages of a document begin in its text; null for files without pages. */
export function pageStartsOf(db: Database, id: DocumentId): number[] | null {
  const row = db.prepare<[string], { starts: string | null }>(
    'select page_starts_json as starts from documents where id = ?',
  )
  return JSON.parse(row.get(id)?.starts ?? 'null') as number[] | null
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

/** The words of a chunk and the pages they are from, however its document is cut by now. */
export function findChunk(db: Database, id: string | null): Pick<PlacedChunk, 'text' | 'pages'> | undefined {
  const row = db
    .prepare<[string | null], Pick<ChunkRow, 'text' | 'first_page' | 'last_page'>>(
      'select text, first_page, last_page from chunks where id = ?',
    )
    .get(id)
  return row && { text: row.text, pages: toPages(row) }
}

/** A chunk's id: the same piece has one however the document is cut; with a table's header before it, it is another text. */
export function chunkIdOf(documentId: DocumentId, { start, end, text }: DocumentChunk): ChunkId {
  const header = text.length - (end - start)
  return contentId('chunk', documentId, header > 0 ? `${start}-${end} ${header}` : `${start}-${end}`) as ChunkId
}

/** Keeps chunks, so that what is made from them can always show them. Known ones stay as they are. */
export function saveChunks(db: Database, documentId: DocumentId, chunks: readonly DocumentChunk[]): void {
  const pageStarts = pageStartsOf(db, documentId)
  const insert = db.prepare(
    `insert into chunks (id, document_id, start_offset, end_offset, text, headings_json, first_page, last_page)
     values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
  )
  db.transaction(() => {
    for (const chunk of chunks) {
      const { start, end, text, headings } = chunk
      const pages = pagesOf(chunk, pageStarts)
      const headingsJson = JSON.stringify(headings)
      insert.run(
        chunkIdOf(documentId, chunk),
        documentId,
        start,
        end,
        text,
        headingsJson,
        pages?.first ?? null,
        pages?.last ?? null,
      )
    }
  })()
}

/** Keeps one way a document was cut. Cutting it the same way again changes nothing. */
export function saveChunking(
  db: Database,
  { documentId, tokenizer, maxTokens }: ChunkingKey & { documentId: DocumentId },
  chunks: readonly DocumentChunk[],
): void {
  const insertPlace = db.prepare(
    `insert into chunkings (document_id, tokenizer, max_tokens, position, chunk_id, token_count) values (?, ?, ?, ?, ?, ?)
     on conflict do nothing`,
  )
  // One transaction, however many chunks: half a chunking would be taken for a whole one.
  db.transaction(() => {
    saveChunks(db, documentId, chunks)
    chunks.forEach((chunk, position) => {
      insertPlace.run(documentId, tokenizer, maxTokens, position, chunkIdOf(documentId, chunk), chunk.tokenCount)
    })
  })()
}

/** Chunks of a document cut that way, in order, as they were before the user's edits; empty when it was not. */
export function listChunks(db: Database, documentId: DocumentId, { tokenizer, maxTokens }: ChunkingKey): PlacedChunk[] {
  return db
    .prepare<[string, string, number], ChunkRow>(
      `select chunks.*, position, token_count
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
    type: row.type,
    sizeBytes: row.original_size_bytes ?? row.size_bytes,
    sha256: row.sha256,
    originalSha256: row.original_sha256 ?? row.sha256,
    pageCount: row.page_count,
    chunkCount: row.chunk_count,
    notes: JSON.parse(row.notes_json) as string[],
  }
}

function toChunk(row: ChunkRow): PlacedChunk {
  return {
    id: row.id,
    documentId: row.document_id,
    index: row.position,
    text: row.text,
    headings: JSON.parse(row.headings_json) as string[],
    tokenCount: row.token_count,
    start: row.start_offset,
    end: row.end_offset,
    pages: toPages(row),
    isExcluded: false,
  }
}

function toPages({ first_page: first, last_page: last }: Pick<ChunkRow, 'first_page' | 'last_page'>): PageRange | null {
  return first === null ? null : { first, last: last ?? first }
}
