// Running headers, footers and page numbers: rows at the edges of pages that come back at the same height, word for word, but for a
// number that counts the pages. Taken off from the outside in, so that nothing inside a page's text can be mistaken for furniture.

import { commonest, groupRows, type PdfRun, rowText, toRows } from './pdf-rows.ts'

interface PlacedPage {
  height: number
  runs: readonly PdfRun[]
}

/** Share of a page's height at its top and at its bottom in which furniture stands. */
const marginShare = 0.14
/** Rows looked at from either end of a page. */
const marginRows = 3
/** Print larger than the body's by this is a heading. */
const headingSize = 1.15
const bareNumber = /^(?:page\s*|p\.\s*|[-–—]\s*)?(\d{1,4})(?:\s*(?:\/|of|von|de)\s*(\d{1,4}))?(?:\s*[-–—]|\s*ページ)?$/i

/** Each page's runs without its furniture. */
export function withoutFurniture(pages: readonly PlacedPage[]): PdfRun[][] {
  const bodySize = bodySizeOf(pages)
  const edges = pages.map(({ height, runs }, page) => {
    const rows = groupRows(runs)
    const top = rows.slice(0, marginRows).filter(({ y }) => y < height * marginShare)
    const bottom = rows.slice(-marginRows).filter(({ y }) => y > height * (1 - marginShare))
    const read = ({ members, y, size }: (typeof rows)[number]): EdgeRow => {
      const text = toRows(members).map(rowText).join(' ')
      return { runs: members, size, text, keys: keysOf(text, { height: y / height, page }) }
    }
    return [top.map(read), bottom.reverse().map(read)]
  })
  const seen = countKeys(edges)
  const isRunning = (key: string): boolean => {
    const count = nearby(key).reduce((sum, one) => sum + (seen.get(one)?.size ?? 0), 0)
    // Left and right pages may have headers of their own, and chapters change them.
    return count >= Math.max(3, pages.length / 4) || (pages.length === 2 && count === 2)
  }
  return pages.map(({ runs }, page) => {
    const gone = new Set<PdfRun>()
    for (const edge of edges[page] ?? []) {
      for (const { runs: members, size, text, keys } of edge) {
        const isFurniture = keys.some(isRunning) || isOwnNumber(text, page + 1, pages.length)
        if (!isFurniture || size >= headingSize * bodySize) break
        for (const run of members) gone.add(run)
      }
    }
    return runs.filter((run) => !gone.has(run))
  })
}

interface EdgeRow {
  runs: PdfRun[]
  size: number
  text: string
  keys: string[]
}

function bodySizeOf(pages: readonly PlacedPage[]): number {
  const sizes = new Map<number, number>()
  for (const { size, text } of pages.flatMap(({ runs }) => runs)) sizes.set(size, (sizes.get(size) ?? 0) + text.length)
  return commonest(sizes) ?? 1
}

function countKeys(edges: readonly EdgeRow[][][]): Map<string, Set<number>> {
  const seen = new Map<string, Set<number>>()
  edges.forEach((rows, page) => {
    for (const key of rows.flat().flatMap(({ keys }) => keys)) seen.set(key, (seen.get(key) ?? new Set()).add(page))
  })
  return seen
}

/** The words at their height, in steps of a hundredth of the page; and once more for each number, which may count the pages. */
function keysOf(shown: string, { height, page }: { height: number; page: number }): string[] {
  const text = shown.toLowerCase().replace(/\s+/g, ' ')
  const place = Math.round(height * 100)
  const counted = [...text.matchAll(/\d{1,6}|\b[ivxlc]{1,7}\b/g)].map((match) => {
    const value = /\d/.test(match[0]) ? Number(match[0]) : romanValue(match[0])
    return `${text.slice(0, match.index)}<page ${value - page}>${text.slice(match.index + match[0].length)}`
  })
  return [text, ...counted].map((words) => `${place} ${words}`)
}

function romanValue(numeral: string): number {
  const values: Record<string, number> = { i: 1, v: 5, x: 10, l: 50, c: 100 }
  return [...numeral].reduce((sum, letter, at) => {
    const value = values[letter] ?? 0
    return sum + (value < (values[numeral[at + 1] ?? ''] ?? 0) ? -value : value)
  }, 0)
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
