// Running headers, footers and page numbers: rows in the margins that come back at the same height on many pages, numbers aside. What
// stands on one page only is never taken for furniture, except a bare page number that is that page's own.

import { rowText, type Segment, toRows } from './pdf-rows.ts'

interface PlacedPage {
  height: number
  segments: readonly Segment[]
}

/** Share of a page's height at its top and at its bottom in which furniture stands. */
const marginShare = 0.14
/** Rows looked at from either end of a page. */
const marginRows = 3
const bareNumber = /^(?:page\s*|p\.\s*|[-–—]\s*)?(\d{1,4})(?:\s*(?:\/|of|von|de)\s*(\d{1,4}))?(?:\s*[-–—]|\s*ページ)?$/i

/** Each page's segments without its furniture. */
export function withoutFurniture(pages: readonly PlacedPage[]): Segment[][] {
  const margins = pages.map(marginRowsOf)
  const seen = new Map<string, Set<number>>()
  margins.forEach((rows, page) => {
    for (const { key } of rows) seen.set(key, (seen.get(key) ?? new Set()).add(page))
  })
  const isRunning = (key: string): boolean => {
    const count = nearby(key).reduce((sum, one) => sum + (seen.get(one)?.size ?? 0), 0)
    // Left and right pages may have headers of their own, and chapters change them.
    return count >= Math.max(3, pages.length / 4) || (pages.length === 2 && count === 2)
  }
  return pages.map(({ segments }, page) => {
    const gone = new Set(
      margins[page]
        ?.filter(({ key, text }) => isRunning(key) || isOwnNumber(text, page + 1, pages.length))
        .flatMap((row) => row.segments),
    )
    return segments.filter((segment) => !gone.has(segment))
  })
}

interface MarginRow {
  key: string
  text: string
  segments: Segment[]
}

function marginRowsOf({ height, segments }: PlacedPage): MarginRow[] {
  const rows = toRows(segments)
  const ends = [
    ...rows.slice(0, marginRows).filter(({ y }) => y < height * marginShare),
    ...rows.slice(-marginRows).filter(({ y }) => y > height * (1 - marginShare)),
  ]
  return [...new Set(ends)].map((row) => {
    const text = rowText(row)
    return { key: keyOf(text, row.y / height), text, segments: row.segments }
  })
}

/** Words with their numbers left out, and the height in steps of a hundredth of the page. */
function keyOf(text: string, height: number): string {
  const words = text
    .toLowerCase()
    .replace(/\b[ivxlc]{1,7}\b$|\d+/g, '#')
    .replace(/\s+/g, ' ')
  return `${Math.round(height * 100)} ${words}`
}

/** The key at its own height and one step above and below. */
function nearby(key: string): string[] {
  const [height = '', ...words] = key.split(' ')
  return [-1, 0, 1].map((step) => [Number(height) + step, ...words].join(' '))
}

function isOwnNumber(text: string, page: number, pageCount: number): boolean {
  const [, number, total] = bareNumber.exec(text.trim()) ?? []
  return Number(number) === page && (total === undefined || Number(total) === pageCount)
}
