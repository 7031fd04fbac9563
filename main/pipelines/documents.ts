// Documents of the open project: texts in `documents/<sha256>`, rows in the store, cut on demand. A text is written before its row,
// so a row never points to nothing; the text of a removed document stays, because candidates quote it.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { DocumentId, LeafPath } from '../contract/ids.ts'
import type { Chunk, DocumentSummary } from '../contract/taxonomy.ts'
import { approximateTokens, chunkDocument, defaultChunkTokens } from '../domain/chunking.ts'
import { checkDocumentText, decodeDocument, maxDocumentBytes } from '../domain/documents.ts'
import { findDocument, listChunks, saveChunking, saveDocument } from '../store/documents.ts'
import { writeFileDurably } from './durable-file.ts'
import type { Lab, OpenProject } from './lab.ts'

/** Who counts the tokens of a chunk: the student's tokenizer, named by its model's sha256. */
export interface TokenCounter {
  name: string
  countTokens: (text: string) => number
}
const approximate: TokenCounter = { name: 'approximate', countTokens: approximateTokens }

/** Adds a text to a leaf that exists. Throws `bad-document` for a blank one. */
export async function addDocument(
  lab: Lab,
  { leaf, name: title, text: given }: { leaf: LeafPath; name: string; text: string },
): Promise<DocumentSummary> {
  const project = lab.project()
  const text = checkDocumentText(title, given)
  const name = toFileName(title)
  const { sha256, sizeBytes } = await keepContent(project, text)
  const id = saveDocument(project.db, { leaf, name, sha256, sizeBytes }, lab.now())
  cutDocument(project, { documentId: id, text })
  return requireDocument(project, id)
}

/** Adds a Markdown or text file to a leaf. Throws `bad-document`, `not-found`, `file-access`. */
export async function importDocument(
  lab: Lab,
  { leaf, path }: { leaf: LeafPath; path: string },
): Promise<DocumentSummary> {
  const name = basename(path)
  return addDocument(lab, { leaf, name, text: decodeDocument(name, await readBounded(path)) })
}

/** Text of a document, from its file. Throws `not-found` when there is none, `bad-document` when the file was changed. */
export async function readDocument(project: OpenProject, id: DocumentId): Promise<string> {
  const { name, sha256 } = requireDocument(project, id)
  const bytes = await readContent(project, sha256)
  if (bytes) return bytes.toString('utf8')
  throw new AppError({
    code: 'bad-document',
    message: `The text of "${name}" is missing from the project folder, or was changed there.`,
    remedy: 'Add the document again.',
    detail: contentPath(project, sha256),
  })
}

/** Chunks of a document; cut now if it was not cut this way before. */
export async function chunksOf(
  project: OpenProject,
  documentId: DocumentId,
  wish: { maxTokens?: number; counter?: TokenCounter } = {},
): Promise<Chunk[]> {
  const key = { tokenizer: (wish.counter ?? approximate).name, maxTokens: wish.maxTokens ?? defaultChunkTokens }
  const known = listChunks(project.db, documentId, key)
  if (known.length > 0) return known
  return cutDocument(project, { documentId, text: await readDocument(project, documentId), ...wish })
}

/** Writes content under its hash unless it is there already and whole. */
export async function keepContent(
  project: OpenProject,
  content: string | Uint8Array,
): Promise<{ sha256: string; sizeBytes: number }> {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (!(await readContent(project, sha256))) await writeFileDurably(contentPath(project, sha256), bytes)
  return { sha256, sizeBytes: bytes.length }
}

/** Content by its hash; null when it is missing or no longer what it was. */
export async function readContent(project: OpenProject, sha256: string): Promise<Buffer | null> {
  try {
    const bytes = await readFile(contentPath(project, sha256))
    return createHash('sha256').update(bytes).digest('hex') === sha256 ? bytes : null
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null
    throw thrown
  }
}

/** Bytes of a file a user chose; a folder or an oversized file is refused before it is read. */
export async function readBounded(path: string, maxBytes = maxDocumentBytes): Promise<Buffer> {
  const found = await stat(path)
  if (!found.isFile()) {
    throw new AppError({ code: 'bad-document', message: `"${path}" is not a file.`, remedy: 'Choose a file.' })
  }
  if (found.size > maxBytes) {
    const limit = `${Math.round(maxBytes / 1024 / 1024)} MB`
    throw new AppError({
      code: 'bad-document',
      message: `"${basename(path)}" is larger than ${limit}.`,
      remedy: `Split it into parts of at most ${limit}, then add them one by one.`,
    })
  }
  return readFile(path)
}

/** Throws `not-found`. */
export function requireDocument(project: OpenProject, id: DocumentId): DocumentSummary {
  const document = findDocument(project.db, id)
  if (document) return document
  throw new AppError({
    code: 'not-found',
    message: 'This document is no longer in the project.',
    remedy: 'Choose another document.',
    detail: id,
  })
}

function cutDocument(
  project: OpenProject,
  of: { documentId: DocumentId; text: string; maxTokens?: number; counter?: TokenCounter },
): Chunk[] {
  const { documentId, text, maxTokens = defaultChunkTokens, counter = approximate } = of
  const key = { tokenizer: counter.name, maxTokens }
  const chunks = chunkDocument(text, { maxTokens, countTokens: counter.countTokens })
  saveChunking(project.db, { documentId, ...key }, chunks)
  return listChunks(project.db, documentId, key)
}

/** A document's name is a file's name wherever it is exported to. */
function toFileName(title: string): string {
  // biome-ignore format: one class
  const safe = title.replace(/[\u0000-\u001f<>:"/\\|?*]/g, '_').replace(/[. ]+$/, '').trim()
  return safe.replace(/^\.+/, '') || 'document'
}

function contentPath(project: OpenProject, sha256: string): string {
  return join(project.folder, 'documents', sha256)
}
