// Chunks of documents: cut on demand, kept once generation asks for them, changed by the user's edits. A preview at another size
// writes nothing.

import { AppError } from '../contract/errors.ts'
import type { DocumentId } from '../contract/ids.ts'
import type { PlacedChunk } from '../contract/taxonomy.ts'
import { applyChunkEdits, type ChunkEdit, type EditedChunk } from '../domain/chunk-edits.ts'
import { pagesOf } from '../domain/chunk-pages.ts'
import { chunkDocument, defaultChunkTokens } from '../domain/chunking.ts'
import { addChunkEdit, listChunkEdits, noteEditedChunks, redoChunkEdit, undoChunkEdit } from '../store/chunk-edits.ts'
import { chunkIdOf, listChunks, pageStartsOf, saveChunking, saveChunks } from '../store/documents.ts'
import { readDocument } from './documents.ts'
import type { Lab, OpenProject } from './lab.ts'
import { studentCounter, type TokenCounter } from './student-tokens.ts'

export interface CutWish {
  maxTokens?: number | undefined
  /** By default the student's. */
  counter?: TokenCounter
}

/** Chunks of a document that samples are made from: cut now if it was not cut this way before, edited, without what is left out. */
export async function chunksOf(
  project: OpenProject,
  documentId: DocumentId,
  wish: CutWish = {},
): Promise<PlacedChunk[]> {
  const { counter = await studentCounter(project), maxTokens = defaultChunkTokens } = wish
  const key = { tokenizer: counter.name, maxTokens }
  const edits = listChunkEdits(project.db, documentId)
  const known = listChunks(project.db, documentId, key)
  if (known.length > 0 && edits.length === 0) return known
  const text = await readDocument(project, documentId)
  const cut = known.length > 0 ? known : chunkDocument(text, { maxTokens, countTokens: counter.countTokens })
  if (known.length === 0) saveChunking(project.db, { documentId, ...key }, cut)
  const edited = applyChunkEdits(text, cut, { edits, maxTokens, countTokens: counter.countTokens })
  saveChunks(project.db, documentId, edited)
  return place(project, documentId, edited).filter(({ isExcluded }) => !isExcluded)
}

/** All chunks of a document as they would be at a size, those left out among them. */
export async function previewChunks(
  project: OpenProject,
  documentId: DocumentId,
  wish: CutWish = {},
): Promise<PlacedChunk[]> {
  const { counter = await studentCounter(project), maxTokens = defaultChunkTokens } = wish
  const text = await readDocument(project, documentId)
  const measure = { maxTokens, countTokens: counter.countTokens }
  const edits = listChunkEdits(project.db, documentId)
  return place(project, documentId, applyChunkEdits(text, chunkDocument(text, measure), { edits, ...measure }))
}

/** Makes an edit, takes the last one back, or makes it again; answers with the chunks after it. */
export async function editChunks(
  lab: Lab,
  { documentId, act, wish }: { documentId: DocumentId; act: ChunkEdit | 'undo' | 'redo'; wish: CutWish },
): Promise<PlacedChunk[]> {
  const project = lab.project()
  const before = await previewChunks(project, documentId, wish)
  if (act === 'undo' || act === 'redo') {
    const isDone = act === 'undo' ? undoChunkEdit(project.db, documentId) : redoChunkEdit(project.db, documentId)
    if (!isDone) return before
  } else {
    checkEdit(before, act)
    addChunkEdit(project.db, { documentId, edit: act }, lab.now())
  }
  const after = await previewChunks(project, documentId, wish)
  const hasEdits = listChunkEdits(project.db, documentId).length > 0
  noteEditedChunks(project.db, documentId, hasEdits ? after.length : null)
  return after
}

/** An edit that would change nothing, or could not be shown, is told rather than kept. */
function checkEdit(chunks: readonly PlacedChunk[], edit: ChunkEdit): void {
  const problem = editProblem(chunks, edit)
  if (problem === null) return
  throw new AppError({
    code: 'bad-input',
    message: problem,
    remedy: 'Choose the chunk again; the list may have changed.',
  })
}

function editProblem(chunks: readonly PlacedChunk[], edit: ChunkEdit): string | null {
  if ('start' in edit) {
    const isWhole = chunks.some(({ start, end }) => edit.start <= start && end <= edit.end)
    return isWhole ? null : 'No whole chunk lies there.'
  }
  if (edit.kind === 'cut') return cutProblem(chunks, edit.at)
  return chunks.findIndex(({ start }) => start === edit.at) > 0 ? null : 'No chunk with another before it begins there.'
}

function cutProblem(chunks: readonly PlacedChunk[], at: number): string | null {
  const chunk = chunks.find(({ start, end }) => start < at && at < end)
  if (!chunk) return 'There is no chunk to split at this place.'
  // A header row before the piece is not part of it.
  const offset = at - chunk.start + chunk.text.length - (chunk.end - chunk.start)
  const isInsidePair = /[\udc00-\udfff]/.test(chunk.text.charAt(offset))
  const [left, right] = [chunk.text.slice(0, offset), chunk.text.slice(offset)]
  return isInsidePair || left.trim() === '' || right.trim() === '' ? 'One of the two parts would be empty.' : null
}

function place(project: OpenProject, documentId: DocumentId, chunks: readonly EditedChunk[]): PlacedChunk[] {
  const pageStarts = pageStartsOf(project.db, documentId)
  return chunks.map(({ start, end, text, headings, tokenCount, isExcluded }, index) => {
    const shown = { start, end, text, headings, tokenCount, isExcluded }
    return { ...shown, id: chunkIdOf(documentId, shown), documentId, index, pages: pagesOf(shown, pageStarts) }
  })
}
