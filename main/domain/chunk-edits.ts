// The user's own cuts of a document: places where chunks must part or must not, and pieces left out. They hold at every chunk size, since
// they are offsets in the text. What nobody touched is cut as before, so that the ids of its chunks stay.

import type { Piece } from './sentences.ts'
import type { DocumentChunk } from './chunking.ts'
import { createRuler } from './chunk-ruler.ts'
import { type Block, findBlocks } from './markdown-blocks.ts'

/** One edit. `cut` and `join` are about the place where a chunk begins. */
export type ChunkEdit = { kind: 'cut' | 'join'; at: number } | ({ kind: 'exclude' | 'include' } & Piece)

export interface EditedChunk extends DocumentChunk {
  isExcluded: boolean
}

interface Wishes {
  cuts: Set<number>
  joins: Set<number>
  /** In order, not touching one another. */
  excluded: Piece[]
}

/** The chunks after the edits, in order. */
export function applyChunkEdits(
  text: string,
  chunks: readonly DocumentChunk[],
  { edits, ...measure }: { edits: readonly ChunkEdit[]; maxTokens: number; countTokens?: (text: string) => number },
): EditedChunk[] {
  const wishes = foldEdits(edits)
  if (edits.length === 0) return chunks.map((chunk) => ({ ...chunk, isExcluded: false }))
  const blocks = findBlocks(text)
  const ruler = createRuler(text, { blocks, ...measure })
  const pieces = mergePieces(
    chunks.flatMap((chunk) => cutPiece(text, chunk, wishes)),
    wishes,
  )
  const known = new Map(chunks.map((chunk) => [`${chunk.start}-${chunk.end}`, chunk]))
  return pieces.map(({ start, end }) => {
    const isExcluded = wishes.excluded.some((range) => range.start <= start && end <= range.end)
    const kept = known.get(`${start}-${end}`)
    if (kept) return { ...kept, isExcluded }
    const piece = { start, end }
    return {
      ...piece,
      text: ruler.textOf(piece),
      headings: headingsAt(blocks, start),
      tokenCount: ruler.count(piece),
      isExcluded,
    }
  })
}

/** Later edits win: a cut takes a join back, and the other way round. */
function foldEdits(edits: readonly ChunkEdit[]): Wishes {
  const wishes: Wishes = { cuts: new Set(), joins: new Set(), excluded: [] }
  for (const edit of edits) {
    if ('at' in edit) {
      const { cuts, joins } = wishes
      const [wished, other] = edit.kind === 'cut' ? [cuts, joins] : [joins, cuts]
      other.delete(edit.at)
      wished.add(edit.at)
    } else {
      const rest = wishes.excluded.flatMap((range) => without(range, edit))
      wishes.excluded = edit.kind === 'exclude' ? [...rest, { start: edit.start, end: edit.end }] : rest
      wishes.excluded.sort((a, b) => a.start - b.start)
    }
  }
  return wishes
}

function without({ start, end }: Piece, gone: Piece): Piece[] {
  const left = { start, end: Math.min(end, gone.start) }
  const right = { start: Math.max(start, gone.end), end }
  return [left, right].filter((piece) => piece.end > piece.start)
}

/** Parts of a piece between the wished cuts; the borders of what is left out are cuts too. Blank parts vanish. */
function cutPiece(text: string, { start, end }: Piece, { cuts, excluded }: Wishes): Piece[] {
  const borders = excluded.flatMap((range) => [range.start, range.end])
  const inside = [...cuts, ...borders].filter((at) => at > start && at < end)
  const places = [start, ...[...new Set(inside)].sort((a, b) => a - b), end]
  return places.slice(1).flatMap((to, at) => {
    const raw = text.slice(places[at], to)
    const from = (places[at] ?? 0) + raw.length - raw.trimStart().length
    const trimmed = raw.trim()
    return trimmed === '' ? [] : [{ start: from, end: from + trimmed.length }]
  })
}

function mergePieces(pieces: readonly Piece[], { joins }: Wishes): Piece[] {
  const merged: Piece[] = []
  for (const piece of pieces) {
    const last = merged.at(-1)
    if (last && joins.has(piece.start)) last.end = piece.end
    else merged.push({ ...piece })
  }
  return merged
}

/** Titles of the headings above a place, outermost first. */
function headingsAt(blocks: readonly Block[], at: number): string[] {
  const path: { level: number; title: string }[] = []
  for (const { kind, level, title, start } of blocks) {
    if (start > at) break
    if (kind !== 'heading') continue
    while (path.length > 0 && (path.at(-1)?.level ?? 0) >= level) path.pop()
    if (start < at) path.push({ level, title })
  }
  return path.map(({ title }) => title).filter(Boolean)
}
