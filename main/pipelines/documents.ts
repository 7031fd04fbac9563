// Documents of the open project: files as they were added and their texts as Markdown, both in `documents/<sha256>`, rows in the store.
// Content is written before its row, so a row never points to nothing; that of a removed document stays, because candidates quote it.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { DocumentId, LeafPath } from '../contract/ids.ts'
import type { DocumentSummary } from '../contract/taxonomy.ts'
import type { ReadDocument } from '../compute/document-messages.ts'
import { approximateTokenizer } from '../domain/chunk-ruler.ts'
import { chunkDocument, defaultChunkTokens } from '../domain/chunking.ts'
import { checkDocumentText } from '../domain/documents.ts'
import { maxDocumentBytes } from '../domain/document-types.ts'
import { findDocument, saveChunking, saveDocument } from '../store/documents.ts'
import { writeFileDurably } from './durable-file.ts'
import type { Lab, OpenProject } from './lab.ts'

/** A file as its reader gave it, with its bytes. */
export interface ReadFile extends ReadDocument {
  name: string
  bytes: Uint8Array
}

/** Bytes of the largest kind of file that is read. */
export const largestDocument = Math.max(...Object.values(maxDocumentBytes))

/** Adds a text to a leaf that exists, or the file it was read from with it. Throws `bad-document` for a blank one. */
export async function addDocument(
  lab: Lab,
  { leaf, name: title, text: given, file }: { leaf: LeafPath; name: string; text: string; file?: ReadFile },
): Promise<DocumentSummary> {
  const project = lab.project()
  const text = checkDocumentText(title, given)
  const name = toFileName(title)
  const content = await keepContent(project, text)
  const original = file ? await keepContent(project, file.bytes) : null
  const type = file?.type ?? (/\.txt$/i.test(name) ? 'text' : 'markdown')
  const { pageStarts = null, notes = [] } = file ?? {}
  const id = saveDocument(project.db, { leaf, name, type, ...content, original, pageStarts, notes }, lab.now())
  const usual = { documentId: id, tokenizer: approximateTokenizer, maxTokens: defaultChunkTokens }
  saveChunking(project.db, usual, chunkDocument(text))
  return requireDocument(project, id)
}

/** Reads a file as a document, whatever kind it is of. Throws `bad-document`, `not-found`, `file-access`. */
export async function readFileAsDocument(lab: Lab, path: string): Promise<ReadFile> {
  return readBytesAsDocument(lab, basename(path), await readBounded(path, largestDocument))
}

export async function readBytesAsDocument(lab: Lab, name: string, bytes: Uint8Array): Promise<ReadFile> {
  return { ...(await lab.documents.read(name, bytes)), name, bytes }
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
export async function readBounded(path: string, maxBytes: number = maxDocumentBytes.markdown): Promise<Buffer> {
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

/** A document's name is a file's name wherever it is exported to. */
function toFileName(title: string): string {
  // biome-ignore format: one class
  const safe = title.replace(/[\u0000-\u001f<>:"/\\|?*]/g, '_').replace(/[. ]+$/, '').trim()
  return safe.replace(/^\.+/, '') || 'document'
}

function contentPath(project: OpenProject, sha256: string): string {
  return join(project.folder, 'documents', sha256)
}
