// The structure of a Markdown or plain text document that matters for cutting it: headings, paragraphs, lists, tables, code.
// Not a renderer: every non-blank line belongs to exactly one block, in order, and nothing is changed or dropped.

import { type Piece, splitLines } from './sentences.ts'

export interface Block extends Piece {
  kind: 'heading' | 'paragraph' | 'list' | 'table' | 'code'
  /** 1-6 for headings, 0 for the rest. */
  level: number
  /** Title of a heading, without its marks. */
  title: string
}

interface Line extends Piece {
  text: string
}

const fence = /^ {0,3}(`{3,}|~{3,})/
const atxHeading = /^ {0,3}(#{1,6})(?:[ \t]+(\S.*))?$/
const closingMarks = /[ \t]#+$/
const setextUnderline = /^ {0,3}(=+|-{2,})[ \t]*$/
const tableRow = /^\s*\|.*\|\s*$|^[^|]+\|[^|]/
const tableRule = /^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$/
const itemMark = /^\s*(?:[-*+]|\d{1,9}[.)])[ \t]+\S/
const listMark = /^ {0,3}(?:[-*+]|\d{1,9}[.)])[ \t]+\S/

/** Blocks of a document in order; the text between two blocks is blank. */
export function findBlocks(text: string): Block[] {
  const lines = splitLines(text).map((piece) => ({ ...piece, text: text.slice(piece.start, piece.end).trimEnd() }))
  const blocks: Block[] = []
  let at = 0
  while (at < lines.length) {
    if (lines[at]?.text === '') {
      at++
      continue
    }
    const { count, ...block } = readBlock(lines, at)
    const last = lines[at + count - 1] as Line
    blocks.push({ ...block, start: (lines[at] as Line).start, end: last.start + last.text.length })
    at += count
  }
  return blocks
}

/** The parts a block may be cut into before its sentences are: rows of a table (the first with its header), lines of code, items of a list. */
export function splitBlock(kind: Block['kind'], text: string): Piece[] {
  if (kind === 'code') return splitLines(text)
  if (kind === 'table') {
    const lines = splitLines(text)
    return [{ start: 0, end: lines[Math.min(2, lines.length - 1)]?.end ?? 0 }, ...lines.slice(3)]
  }
  if (kind !== 'list') return [{ start: 0, end: text.length }]
  const items: Piece[] = []
  for (const line of splitLines(text)) {
    const last = items.at(-1)
    if (!last || itemMark.test(text.slice(line.start, line.end))) items.push(line)
    else last.end = line.end
  }
  return items
}

type ReadBlock = Pick<Block, 'kind' | 'level' | 'title'> & { count: number }

function readBlock(lines: readonly Line[], at: number): ReadBlock {
  const line = lines[at]?.text ?? ''
  const next = lines[at + 1]?.text ?? ''
  const plain = { level: 0, title: '' }
  const heading = atxHeading.exec(line)
  if (heading)
    return {
      kind: 'heading',
      level: heading[1]?.length ?? 1,
      title: (heading[2] ?? '').replace(closingMarks, '').trim(),
      count: 1,
    }
  const opening = fence.exec(line)
  if (opening) return { kind: 'code', ...plain, count: countCode(lines, at, opening[1] ?? '```') }
  if (startsTable(line, next)) {
    return { kind: 'table', ...plain, count: countWhile(lines, at, (row) => row.includes('|')) }
  }
  if (listMark.test(line)) return { kind: 'list', ...plain, count: countWhile(lines, at, isListLine) }
  const underline = setextUnderline.exec(next)
  if (underline && line.trim().length <= 200) {
    return { kind: 'heading', level: underline[1]?.startsWith('=') ? 1 : 2, title: line.trim(), count: 2 }
  }
  return { kind: 'paragraph', ...plain, count: countWhile(lines, at, isParagraphLine) }
}

/** Lines of a run starting at `at`: always the first, then as long as they are not blank and `belongs` says so. */
function countWhile(lines: readonly Line[], at: number, belongs: (text: string, next: string) => boolean): number {
  let count = 1
  for (;;) {
    const text = lines[at + count]?.text ?? ''
    if (text === '' || !belongs(text, lines[at + count + 1]?.text ?? '')) return count
    count++
  }
}

function isListLine(text: string): boolean {
  return !atxHeading.test(text) && !fence.test(text)
}

function isParagraphLine(text: string, next: string): boolean {
  if (atxHeading.test(text) || fence.test(text) || listMark.test(text)) return false
  return !startsTable(text, next)
}

function startsTable(text: string, next: string): boolean {
  return tableRow.test(text) && next.includes('|') && next.length <= 2000 && tableRule.test(next)
}

/** To the closing fence, or to the end of the document. */
function countCode(lines: readonly Line[], at: number, opening: string): number {
  for (let count = 1; at + count < lines.length; count++) {
    const text = lines[at + count]?.text.trim() ?? ''
    if (text.startsWith(opening) && text.replaceAll(opening.charAt(0), '') === '') return count + 1
  }
  let count = lines.length - at
  while (count > 1 && lines[at + count - 1]?.text === '') count--
  return count
}
