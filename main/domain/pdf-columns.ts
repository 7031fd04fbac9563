// Reading order: where a page is set in columns, the left one is read to its end before the right one; what runs across (titles, wide
// tables) parts the page into bands. Columns are told from tables by how full their lines are.

import type { Segment } from './pdf-rows.ts'

/** A part of a page that is read from top to bottom. */
export type Flow = Segment[]

const mostDepth = 3
/** Lines a column must have. */
const fewestLines = 5
/** Share of a column's width that its lines fill, in the middle of them by size. */
const fullness = 0.5

/** The page's segments as flows in reading order. */
export function findFlows(segments: readonly Segment[], depth = 0): Flow[] {
  if (segments.length === 0) return []
  const gutter = depth < mostDepth ? findGutter(segments) : null
  const inOrder = [...segments].sort((a, b) => a.y - b.y || a.x - b.x)
  if (gutter === null) return [inOrder]
  const flows: Flow[] = []
  let [left, right, across]: [Flow, Flow, Flow] = [[], [], []]
  const closeColumns = () => {
    flows.push(...findFlows(left, depth + 1), ...findFlows(right, depth + 1))
    left = []
    right = []
  }
  const closeAcross = () => {
    if (across.length > 0) flows.push(across)
    across = []
  }
  for (const segment of inOrder) {
    if (crosses(segment, gutter)) {
      if (left.length + right.length > 0) closeColumns()
      across.push(segment)
    } else {
      if (across.length > 0) closeAcross()
      if (segment.end <= gutter) left.push(segment)
      else right.push(segment)
    }
  }
  closeColumns()
  closeAcross()
  return flows
}

function crosses({ x, end }: Segment, gutter: number): boolean {
  return x < gutter && end > gutter
}

/** Where two columns part; null where there is one column. */
function findGutter(segments: readonly Segment[]): number | null {
  const from = Math.min(...segments.map(({ x }) => x))
  const to = Math.max(...segments.map(({ end }) => end))
  let best: { at: number; crossing: number; free: number } | null = null
  // Candidates are the right ends of segments: a gutter begins where lines of a left column end.
  const ends = [...new Set(segments.map(({ end }) => Math.ceil(end) + 1))].filter(
    (at) => at > from + 0.2 * (to - from) && at < from + 0.8 * (to - from),
  )
  for (const at of ends) {
    const crossing = segments.filter((segment) => crosses(segment, at)).length
    const free = Math.min(...segments.filter(({ x }) => x >= at).map(({ x }) => x)) - at
    if (!best || crossing < best.crossing || (crossing === best.crossing && free > best.free))
      best = { at, crossing, free }
  }
  if (!best) return null
  const gutter = best.at
  const left = segments.filter(({ end }) => end <= gutter)
  const right = segments.filter(({ x }) => x >= gutter)
  const isParted = best.crossing <= Math.min(left.length, right.length) / 3
  const isProse = isColumn(left, from, gutter) && isColumn(right, Math.min(...right.map(({ x }) => x)), to)
  return isParted && isProse ? gutter : null
}

function isColumn(lines: readonly Segment[], from: number, to: number): boolean {
  if (lines.length < fewestLines) return false
  const widths = lines.map(({ x, end }) => end - x).sort((a, b) => a - b)
  const middle = widths[Math.floor(widths.length / 2)] ?? 0
  return middle >= fullness * (to - from)
}
