// Text of a PDF page as rows: runs of glyphs at places become segments (no wide gap inside) that stand on one baseline. Origin is the
// page's upper left corner, unit a point; `y` is the baseline. Nothing is left out but runs drawn twice at the same place.

/** What a PDF draws at once. */
export interface PdfRun {
  text: string
  x: number
  y: number
  width: number
  /** Font size in points. */
  size: number
  font: string
  /** All letters of its font are equally wide. */
  isMonospaced?: boolean
}
export interface PdfPage {
  width: number
  height: number
  runs: readonly PdfRun[]
}

/** Text on one baseline without a gap that could separate columns or cells. */
export interface Segment {
  text: string
  x: number
  /** Right end. */
  end: number
  y: number
  size: number
  font: string
  isMonospaced: boolean
}
export interface Row {
  y: number
  size: number
  segments: Segment[]
}

/** A gap wider than this share of the font size parts two segments; a justified line's spaces stay below. */
const wideGap = 1.2
/** A gap wider than this share of the font size is a space. */
const spaceGap = 0.15

/** The runs that show something, each once. */
export function visibleRuns(page: PdfPage): PdfRun[] {
  const runs = page.runs.filter(({ text, size }) => text.trim() !== '' && size > 0)
  return groupRows(runs).flatMap(({ members }) => {
    const inOrder = members.sort((a, b) => a.x - b.x)
    return inOrder.filter(
      (run, at) => !inOrder.slice(Math.max(0, at - 3), at).some((before) => isDrawnTwice(before, run)),
    )
  })
}

/** Runs by their baselines, as rows of segments from top to bottom. */
export function toRows(runs: readonly PdfRun[]): Row[] {
  return groupRows(runs).map(({ members, y, size }) => ({ y, size, segments: joinRuns(members) }))
}

/** The words of a row. */
export function rowText(row: Row): string {
  return row.segments.map(({ text }) => text).join(' ')
}

interface Placed {
  x: number
  y: number
  size: number
}

/** What stands on one baseline, from top to bottom. */
export function groupRows<Member extends Placed>(
  placed: readonly Member[],
): { members: Member[]; y: number; size: number }[] {
  const rows: { members: Member[]; y: number; size: number }[] = []
  for (const member of [...placed].sort((a, b) => a.y - b.y || a.x - b.x)) {
    const last = rows.at(-1)
    // Raised and lowered small letters belong to the line they stand at.
    if (last && member.y - last.y <= 0.45 * Math.max(last.size, member.size)) {
      last.members.push(member)
      if (member.size > last.size) Object.assign(last, { size: member.size, y: member.y })
    } else rows.push({ members: [member], y: member.y, size: member.size })
  }
  return rows
}

function joinRuns(runs: PdfRun[]): Segment[] {
  const segments: Segment[] = []
  const letters = new Map<Segment, Map<string, number>>()
  for (const run of runs.sort((a, b) => a.x - b.x)) {
    const last = segments.at(-1)
    const gap = last ? run.x - last.end : 0
    const size = Math.max(run.size, last?.size ?? 0)
    if (last && gap <= wideGap * size) {
      last.text = joinWords(last.text, run.text, gap > spaceGap * size)
      last.end = Math.max(last.end, run.x + run.width)
      last.size = size
      last.isMonospaced &&= run.isMonospaced ?? false
    } else segments.push(toSegment(run))
    countLetters(letters, segments.at(-1) as Segment, run)
  }
  for (const segment of segments) segment.font = commonest(letters.get(segment))
  return segments
}

function toSegment({ text, x, y, width, size, isMonospaced = false }: PdfRun): Segment {
  return { text: text.trim(), x, end: x + width, y, size, font: '', isMonospaced }
}

/** Some programs print bold by printing twice. */
function isDrawnTwice(before: PdfRun, run: PdfRun): boolean {
  return (
    before.text === run.text &&
    Math.abs(before.x - run.x) < 0.15 * run.size &&
    Math.abs(before.y - run.y) < 0.15 * run.size
  )
}

function joinWords(left: string, right: string, hasGap: boolean): string {
  const needsSpace = (hasGap || /^\s/.test(right)) && !(isUnspaced(left.at(-1)) && isUnspaced(right.trimStart()[0]))
  return `${left.trimEnd()}${needsSpace || /\s$/.test(left) ? ' ' : ''}${right.trimStart().replace(/\s+$/, ' ')}`
}

/** Characters of scripts that are written without spaces. */
export function isUnspaced(character: string | undefined): boolean {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u.test(character ?? '')
}

function countLetters(letters: Map<Segment, Map<string, number>>, segment: Segment, run: PdfRun): void {
  const counts = letters.get(segment) ?? new Map<string, number>()
  letters.set(segment, counts)
  counts.set(run.font, (counts.get(run.font) ?? 0) + run.text.trim().length)
}

/** The key counted most. */
export function commonest<Key>(counts: ReadonlyMap<Key, number> | undefined): Key {
  const [best] = [...(counts ?? [])].sort(([, a], [, b]) => b - a)
  return best?.[0] as Key
}
