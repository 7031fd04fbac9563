// The pages a piece of a document is from.

import type { PageRange } from '../contract/taxonomy.ts'
import type { Piece } from './sentences.ts'

/** `pageStarts` are the offsets where pages begin, in order; null for documents without pages. */
export function pagesOf({ start, end }: Piece, pageStarts: readonly number[] | null): PageRange | null {
  if (pageStarts === null || pageStarts.length === 0) return null
  const pageAt = (offset: number) => Math.max(1, countUpTo(pageStarts, offset))
  return { first: pageAt(start), last: pageAt(Math.max(start, end - 1)) }
}

/** How many of the sorted numbers are not above the bound. */
function countUpTo(sorted: readonly number[], bound: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) <= bound) low = middle + 1
    else high = middle
  }
  return low
}
