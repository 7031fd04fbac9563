// Tables of a PDF: neighbouring rows whose cells stand in the same columns. Only clear ones are taken; everything else stays text.

import type { Row, Segment } from './pdf-rows.ts'
import { tableMarkdown } from './markdown-table.ts'

export interface FoundTable {
  /** Rows of the flow that it takes. */
  rowCount: number
  markdown: string
}

interface Column {
  x: number
  end: number
}

const mostColumns = 24

/** The table that begins at `rows[at]`, or null. */
export function findTable(rows: readonly Row[], at: number): FoundTable | null {
  const taken: Row[] = []
  while (at + taken.length < rows.length && belongs(rows[at + taken.length] as Row, taken)) {
    taken.push(rows[at + taken.length] as Row)
  }
  while ((taken.at(-1)?.segments.length ?? 2) < 2) taken.pop()
  const columns = columnsOf(taken)
  const isClear = columns.length >= 2 && columns.length <= mostColumns && taken.length * columns.length >= 6
  if (!isClear || taken.length < 2 || !isFull(taken, columns)) return null
  return { rowCount: taken.length, markdown: tableMarkdown(toCells(taken, columns)) }
}

/** A row of several cells; or, close below one, a row of fewer that continues cells of it. */
function belongs(row: Row, taken: readonly Row[]): boolean {
  const last = taken.at(-1)
  if (!last) return row.segments.length >= 2
  const isNear = row.y - last.y <= 2.6 * Math.max(row.size, last.size)
  if (!isNear) return false
  const columns = columnsOf([...taken, row])
  if (columns.length < 2 || columns.length < columnsOf(taken).length) return false
  return row.segments.length >= 2 || columnIndex(columns, row.segments[0] as Segment) > 0
}

/** Ranges across the page that cells of all rows fill, from left to right. */
function columnsOf(rows: readonly Row[]): Column[] {
  const cells = rows.flatMap(({ segments }) => segments.map(({ x, end }) => ({ x, end }))).sort((a, b) => a.x - b.x)
  const columns: Column[] = []
  for (const cell of cells) {
    const last = columns.at(-1)
    if (last && cell.x < last.end) last.end = Math.max(last.end, cell.end)
    else columns.push(cell)
  }
  return columns
}

function columnIndex(columns: readonly Column[], { x }: Segment): number {
  return columns.findLastIndex((column) => column.x <= x + 0.01)
}

/** Most places hold something, and no column is an accident of one row. */
function isFull(rows: readonly Row[], columns: readonly Column[]): boolean {
  const filled = rows.reduce((sum, { segments }) => sum + segments.length, 0)
  const isOften = (column: number) =>
    rows.filter(({ segments }) => segments.some((segment) => columnIndex(columns, segment) === column)).length >= 2
  return filled >= 0.5 * rows.length * columns.length && columns.every((_, column) => isOften(column))
}

function toCells(rows: readonly Row[], columns: readonly Column[]): string[][] {
  const cells: string[][] = []
  const closeGap = lineGap(rows)
  for (const [at, { segments }] of rows.entries()) {
    const line = columns.map(() => '')
    for (const segment of segments) {
      const column = columnIndex(columns, segment)
      line[column] = [line[column], segment.text.trim()].filter(Boolean).join(' ')
    }
    const above = cells.at(-1)
    const gap = gapBefore(rows, at)
    const isContinued = gap <= closeGap || (line[0] === '' && gap <= 1.35 * (rows[at]?.size ?? 0))
    if (above && isContinued) line.forEach((text, column) => (above[column] = joinCell(above[column] ?? '', text)))
    else cells.push(line)
  }
  return cells
}

/** Where some rows follow one another clearly closer than others, the close ones are lines of one row; 0 where all are alike. */
function lineGap(rows: readonly Row[]): number {
  const gaps = rows.slice(1).map((_, at) => gapBefore(rows, at + 1))
  const [least, most] = [Math.min(...gaps), Math.max(...gaps)]
  const size = rows[0]?.size ?? 0
  return least <= 1.35 * size && most >= 1.5 * least ? (least + most) / 2 : 0
}

function gapBefore(rows: readonly Row[], at: number): number {
  return at > 0 ? (rows[at]?.y ?? 0) - (rows[at - 1]?.y ?? 0) : Number.POSITIVE_INFINITY
}

function joinCell(above: string, text: string): string {
  const isCut = above.endsWith('-') && /^\p{Ll}/u.test(text)
  return [above, text].filter(Boolean).join(isCut ? '' : ' ')
}
