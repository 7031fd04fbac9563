// The chunks of one document as the user works on them: which one the cursor is on, where it would be split, and the edits.

import { useState } from 'react'
import type { MethodInput, MethodName } from '../../main/contract/api.ts'
import type { DocumentId } from '../../main/contract/ids.ts'
import type { PlacedChunk } from '../../main/contract/taxonomy.ts'
import { readKey } from './cache.ts'
import { type Read, useAct, useDesk, useRead } from './lab.ts'

type Edit = MethodInput<'document.edit'>['edit']

export interface ChunkDesk {
  read: Read<PlacedChunk[]>
  cursor: number
  current: PlacedChunk | undefined
  /** Offset in the current chunk's piece where it would be split; null when that is not being chosen. */
  cutAt: number | null
  isBusy: boolean
  moveTo(index: number): void
  /** Joins the current chunk with the next. */
  merge(): void
  /** Leaves the current chunk out, or takes it back in. */
  toggle(): void
  /** Begins to choose where to split, at the selected text where there is some in the chunk. */
  chooseCut(selected: number | null): void
  moveCut(step: number): void
  cut(): void
  cancelCut(): void
  undo(): void
  redo(): void
}

/** The desk of a document at a chunk size. */
export function useChunkDesk(documentId: DocumentId, tokens: number): ChunkDesk {
  const { cache } = useDesk()
  const input = { documentId, tokens }
  const read = useRead('document.chunks', input)
  const [wanted, setCursor] = useState(0)
  const [cutAt, setCutAt] = useState<number | null>(null)
  const edit = useAct('document.edit')
  const undo = useAct('document.undo')
  const redo = useAct('document.redo')
  const chunks = read.value ?? []
  const cursor = Math.max(0, Math.min(wanted, chunks.length - 1))
  const current = chunks[cursor]
  const show = (after: PlacedChunk[] | undefined) => {
    setCutAt(null)
    if (after) cache.put(readKey<MethodName>('document.chunks', input), after)
  }
  const change = (made: Edit) => void edit.run({ ...input, edit: made }).then(show)
  return {
    read,
    cursor,
    current,
    cutAt,
    isBusy: edit.isRunning || undo.isRunning || redo.isRunning,
    moveTo(index) {
      setCursor(Math.max(0, Math.min(index, chunks.length - 1)))
      setCutAt(null)
    },
    merge() {
      const next = chunks[cursor + 1]
      if (next) change({ kind: 'join', at: next.start })
    },
    toggle() {
      if (!current) return
      const { start, end, isExcluded } = current
      change({ kind: isExcluded ? 'include' : 'exclude', start, end })
    },
    chooseCut(selected) {
      if (!current) return
      const places = cutPlaces(pieceOf(current))
      const middle = places[Math.floor(places.length / 2)] ?? null
      setCutAt(selected ?? middle)
    },
    moveCut(step) {
      if (!current || cutAt === null) return
      const places = cutPlaces(pieceOf(current))
      const next = step > 0 ? places.find((at) => at > cutAt) : places.findLast((at) => at < cutAt)
      setCutAt(next ?? cutAt)
    },
    cut() {
      if (current && cutAt !== null) change({ kind: 'cut', at: current.start + cutAt })
    },
    cancelCut: () => setCutAt(null),
    undo: () => void undo.run(input).then(show),
    redo: () => void redo.run(input).then(show),
  }
}

/** The chunk's own piece of the document, without the header row repeated before it. */
export function pieceOf({ text, start, end }: PlacedChunk): string {
  return text.slice(text.length - (end - start))
}

/** Where a piece may be split: after lines and sentences, else after words. */
export function cutPlaces(piece: string): number[] {
  for (const pattern of [/\n+|[.!?]["')\]”’»]*\s+|[。！？][」』）]*/g, /\s+/g]) {
    const ends = [...piece.matchAll(pattern)].map((match) => match.index + match[0].length)
    const places = ends.filter((at) => at > 0 && at < piece.length)
    if (places.length > 0) return places
  }
  return []
}
