// Headings, paragraphs, lists and tables from the rows of a flow, by what a reader goes by: size, font, gaps, indents and marks.

import type { Flow } from './pdf-columns.ts'
import { commonest, isUnspaced, type PdfRun, type Row, rowText, toRows } from './pdf-rows.ts'
import { findTable } from './pdf-table.ts'

/** What most of a document is printed in, and what was printed larger. */
export interface Print {
  size: number
  font: string
  /** Sizes of headings, largest first, rounded to half points. */
  headingSizes: number[]
  /** Fonts that are used for little: their short lines are headings. */
  rareFonts: ReadonlySet<string>
}

export interface TextLine {
  text: string
  page: number
}
export interface PdfBlock {
  kind: 'heading' | 'paragraph' | 'list' | 'table' | 'code'
  /** 1-6 for headings. */
  level: number
  lines: TextLine[]
  /** Its first line is indented: surely a new paragraph. */
  isIndented: boolean
  /** The first or last of its column: its text may come from or go on in another. */
  opensFlow: boolean
  closesFlow: boolean
}

const largerThanBody = 1.15
const longestHeading = 160
const bullet = /^[•◦▪‣●○■□▸►⁃·]\s*|^[-–—*]\s+/
const numbered = /^(?:\(?(\d{1,3})[.)]|\((\d{1,3})\)|([a-z])\))\s+/
const sentenceEnd = /[.!?。！？:：;…]["”'’)」』]?$/
const caption = /^(?:fig(?:ure|\.)|tab(?:le|\.)|図|表)\s*\d/i

/** How the whole document is printed. */
export function measurePrint(runs: readonly PdfRun[]): Print {
  const sizes = new Map<number, number>()
  const fonts = new Map<string, number>()
  let letters = 0
  for (const { text, size, font } of runs) {
    sizes.set(halfPoints(size), (sizes.get(halfPoints(size)) ?? 0) + text.length)
    fonts.set(font, (fonts.get(font) ?? 0) + text.length)
    letters += text.length
  }
  const size = commonest(sizes) ?? 10
  const headingSizes = [...sizes.keys()].filter((one) => one >= size * largerThanBody).sort((a, b) => b - a)
  const rareFonts = new Set([...fonts].filter(([, count]) => count < 0.15 * letters).map(([font]) => font))
  return { size, font: commonest(fonts) ?? '', headingSizes, rareFonts }
}

/** The blocks of one flow of a page. */
export function findFlowBlocks(flow: Flow, page: number, print: Print): PdfBlock[] {
  const rows = toRows(flow)
  const edges = {
    left: Math.min(...flow.map(({ x }) => x)),
    right: Math.max(...flow.map(({ x, width }) => x + width)),
    leading: leadingOf(rows),
  }
  const blocks: PdfBlock[] = []
  let open: { block: PdfBlock; last: Row } | null = null
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as Row
    const table = row.segments.length > 1 ? findTable(rows, at) : null
    if (table) {
      blocks.push(newBlock('table', [{ text: table.markdown, page }]))
      at += table.rowCount - 1
      open = null
      continue
    }
    const line = { text: rowText(row).trim(), page }
    if (open && continues(open, row, { edges, print })) open.block.lines.push(line)
    else {
      const block = newBlock(kindOf(line.text, row, print), [line])
      block.level = block.kind === 'heading' ? levelOf(row, print) : 0
      block.isIndented = indentOf(row, edges.left) > 0.8 * row.size
      blocks.push(block)
      open = { block, last: row }
    }
    if (open) open.last = row
  }
  const [first, last] = [blocks[0], blocks.at(-1)]
  if (first) first.opensFlow = true
  if (last) last.closesFlow = true
  return blocks.map(withoutFalseHeading)
}

interface Edges {
  left: number
  right: number
  /** Usual distance of two baselines. */
  leading: number
}

function newBlock(kind: PdfBlock['kind'], lines: TextLine[]): PdfBlock {
  return { kind, level: 0, lines, isIndented: false, opensFlow: false, closesFlow: false }
}

function leadingOf(rows: readonly Row[]): number {
  const gaps = rows.slice(1).map(({ y }, at) => y - (rows[at]?.y ?? 0))
  const near = gaps.filter((gap, at) => gap < 2.2 * (rows[at]?.size ?? 0)).sort((a, b) => a - b)
  return near[Math.floor(near.length / 2)] ?? 1.2 * (rows[0]?.size ?? 10)
}

function continues(
  { block, last }: { block: PdfBlock; last: Row },
  row: Row,
  { edges, print }: { edges: Edges; print: Print },
): boolean {
  const text = rowText(row).trim()
  const kind = kindOf(text, row, print)
  const isSameSize = Math.abs(row.size - last.size) <= 0.08 * last.size
  const gap = row.y - last.y
  if (!isSameSize || gap > 1.45 * Math.max(edges.leading, row.size) || row.segments.length > 1) return false
  if (block.kind === 'code' || kind === 'code') return block.kind === kind
  if (block.kind === 'heading') return kind === 'heading' && gap <= 1.5 * row.size
  if (kind !== 'paragraph') return false
  const [indent, lastIndent] = [indentOf(row, edges.left), indentOf(last, edges.left)]
  if (block.kind === 'list') return indent > 0.4 * row.size || !sentenceEnd.test(block.lines.at(-1)?.text ?? '')
  const lastText = block.lines.at(-1)?.text ?? ''
  const isShort = (last.segments.at(-1)?.end ?? 0) < edges.right - 0.18 * (edges.right - edges.left)
  if (isShort && sentenceEnd.test(lastText)) return false
  const isNewlyIndented = indent > 0.8 * row.size && lastIndent < 0.4 * row.size && block.lines.length > 1
  return !(isNewlyIndented && (sentenceEnd.test(lastText) || isUnspaced(text[0])))
}

function kindOf(text: string, row: Row, print: Print): PdfBlock['kind'] {
  if (isCode(text, row)) return 'code'
  if (bullet.test(text)) return 'list'
  const isLarge = row.size >= print.size * largerThanBody
  const isShort = text.length <= longestHeading && /\p{L}/u.test(text)
  if (isLarge && isShort && !/[,;]$/.test(text)) return 'heading'
  if (numbered.test(text) && !isRareLine(text, row, print)) return 'list'
  return isRareLine(text, row, print) ? 'heading' : 'paragraph'
}

/** Japanese fonts are equally wide too. */
function isCode(text: string, row: Row): boolean {
  return row.segments.every(({ isMonospaced }) => isMonospaced) && !/[^\u0000-\u024f\u2000-\u27bf]/.test(text)
}

/** A short line in a font of its own, as bold headings of the body's size are. */
function isRareLine(text: string, row: Row, print: Print): boolean {
  const isOwnFont = row.segments.every(({ font }) => font !== print.font && print.rareFonts.has(font))
  const isShort = text.length <= 80 && row.segments.length === 1 && /\p{L}/u.test(text)
  return isOwnFont && isShort && row.size >= 0.95 * print.size && !/[.,;:。、]$/.test(text) && !caption.test(text)
}

function levelOf(row: Row, print: Print): number {
  const place = print.headingSizes.indexOf(halfPoints(row.size))
  return Math.min(5, place < 0 ? print.headingSizes.length + 1 : place + 1)
}

/** A heading of many lines is a large-printed paragraph. */
function withoutFalseHeading(block: PdfBlock): PdfBlock {
  const length = block.lines.reduce((sum, { text }) => sum + text.length, 0)
  return block.kind === 'heading' && (block.lines.length > 3 || length > 2 * longestHeading)
    ? { ...block, kind: 'paragraph', level: 0 }
    : block
}

function indentOf(row: Row, left: number): number {
  return (row.segments[0]?.x ?? left) - left
}

function halfPoints(size: number): number {
  return Math.round(size * 2) / 2
}

/** The text of a list's first line with a Markdown mark in place of its own. */
export function listLine(text: string): string {
  if (bullet.test(text)) return `- ${text.replace(bullet, '')}`
  const [mark = '', first, second, letter] = numbered.exec(text) ?? []
  if (mark === '') return text
  return `${letter ? `- ${letter}) ` : `${first ?? second}. `}${text.slice(mark.length)}`
}

/** Whether the text of a block stops in the middle of a sentence. */
export function isUnfinished(text: string): boolean {
  return !sentenceEnd.test(text)
}
