// Reading order: where a page is set in columns, the left one is read to its end before the right one; what runs across (titles, wide
// tables) parts the page into bands. Columns are told from tables by how full their lines are.

import { groupRows, type PdfRun } from './pdf-rows.ts'

/** A part of a page that is read from top to bottom. */
export type Flow = PdfRun[]

const mostDepth = 3
/** Lines a column must have. */
const fewestLines = 5
/** Share of a column's width that its lines fill, in the middle of them by size. */
const fullness = 0.5
/** A gap up to this share of the font size is a space, also in a justified line. */
const widestSpace = 0.45
/** Least width of what parts two columns, in font sizes. */
const narrowestGutter = 0.6

/** The page's runs as flows in reading order. */
export function findFlows(runs: readonly PdfRun[], depth = 0): Flow[] {
  if (runs.length === 0) return []
  const gutter = depth < mostDepth ? findGutter(runs) : null
  if (gutter === null) return [[...runs]]
  return toBands(groupRows(runs), gutter).flatMap(({ isAcross, rows }) => {
    const members = rows.flatMap((row) => row.members)
    if (isAcross) return [members]
    const sides = [members.filter(({ x }) => x < gutter), members.filter(({ x }) => x >= gutter)]
    return sides.flatMap((side) => findFlows(side, depth + 1))
  })
}

type Line = ReturnType<typeof groupRows<PdfRun>>[number]
interface Band {
  isAcross: boolean
  rows: Line[]
}

/** Neighbouring rows that run across, and those in columns between them. */
function toBands(rows: readonly Line[], gutter: number): Band[] {
  const bands: Band[] = []
  for (const row of rows) {
    const last = bands.at(-1)
    const isAcross = runsAcross(row, gutter) || (last?.isAcross === true && endsParagraph(row, last, gutter))
    const taken = isAcross && last?.isAcross === false ? takeHead(last, gutter) : []
    if (last?.rows.length === 0) bands.pop()
    const open = bands.at(-1)
    if (open?.isAcross === isAcross) open.rows.push(...taken, row)
    else bands.push({ isAcross, rows: [...taken, row] })
  }
  return bands
}

function runsAcross({ members }: Line, gutter: number): boolean {
  return toPieces(members).some((piece) => crosses(piece, gutter))
}

/** The short last line of what runs across. */
function endsParagraph(row: Line, { rows }: Band, gutter: number): boolean {
  const above = rows.at(-1)
  const isLeft = row.members.every(({ x }) => x < gutter)
  const isClose = above !== undefined && row.y - above.y <= 1.35 * row.size
  return isLeft && isClose && Math.abs(row.size - above.size) < 0.5
}

/** Takes off the end of columns what belongs to the rows across below them, a table or a heading: short lines after a gap over both. */
function takeHead({ rows }: Band, gutter: number): Line[] {
  const from = Math.min(...rows.flatMap(({ members }) => members.map(({ x }) => x)))
  const to = Math.max(...rows.flatMap(({ members }) => members.map(({ x, width }) => x + width)))
  const isFull = ({ members }: Line) =>
    [members.filter(({ x }) => x < gutter), members.filter(({ x }) => x >= gutter)].some((side, at) => {
      // Ink, not reach: cells of a table reach far with little.
      const ink = toPieces(side).reduce((sum, { x, end }) => sum + end - x, 0)
      return ink > 0.9 * (at === 0 ? gutter - from : to - gutter)
    })
  const start = rows.findLastIndex(isFull) + 1
  const isAfterGap = (at: number, { y, size }: Line) => at === 0 || y - (rows[at - 1]?.y ?? 0) >= 1.5 * size
  const head = rows.findIndex((row, at) => at >= start && isAfterGap(at, row))
  return head < 0 ? [] : rows.splice(head)
}

/** What of a line stands together. */
interface Piece {
  x: number
  end: number
  y: number
  size: number
}

function toPieces(members: readonly PdfRun[]): Piece[] {
  const pieces: Piece[] = []
  for (const { x, y, width, size } of [...members].sort((a, b) => a.x - b.x)) {
    const last = pieces.at(-1)
    if (last && x - last.end <= widestSpace * Math.max(size, last.size)) last.end = Math.max(last.end, x + width)
    else pieces.push({ x, end: x + width, y, size })
  }
  return pieces
}

function crosses({ x, end }: Piece, at: number): boolean {
  return x < at && end > at
}

/** Where two columns part; null where there is one column. */
function findGutter(runs: readonly PdfRun[]): number | null {
  const pieces = groupRows(runs).flatMap(({ members }) => toPieces(members))
  const from = Math.min(...pieces.map(({ x }) => x))
  const to = Math.max(...pieces.map(({ end }) => end))
  const middleSize = median(pieces.map(({ size }) => size))
  let best: { at: number; crossing: number; free: number } | null = null
  // A gutter begins where lines of a left column end; a point of slack for letters that lean out.
  const ends = new Set(pieces.map(({ end }) => Math.ceil(end)))
  for (const end of ends) {
    if (end < from + 0.2 * (to - from) || end > from + 0.8 * (to - from)) continue
    const next = Math.min(...pieces.filter(({ x }) => x >= end - 1).map(({ x }) => x))
    const at = (end + next) / 2
    const crossing = pieces.filter((piece) => crosses(piece, at)).length
    const free = next - end
    if (free < narrowestGutter * middleSize) continue
    if (!best || crossing < best.crossing || (crossing === best.crossing && free > best.free))
      best = { at, crossing, free }
  }
  if (!best) return null
  const { at, crossing } = best
  const left = lineWidths(pieces.filter(({ end }) => end <= at))
  const right = lineWidths(pieces.filter(({ x }) => x >= at))
  const isParted = crossing <= Math.min(left.length, right.length) / 3
  const isProse = isColumn(left, at - from) && isColumn(right, to - at)
  return isParted && isProse ? at : null
}

/** Widths of the lines these pieces stand on. */
function lineWidths(pieces: readonly Piece[]): number[] {
  return groupRows(pieces).map(
    ({ members }) => Math.max(...members.map(({ end }) => end)) - Math.min(...members.map(({ x }) => x)),
  )
}

function isColumn(widths: readonly number[], width: number): boolean {
  return widths.length >= fewestLines && median(widths) >= fullness * width
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
