// Sameness of texts: exact after normalising, and near by ROUGE-L (Lin 2004) over words. The index answers "is anything kept this
// close?" exactly: its filters only skip texts that provably cannot reach the threshold.

import { normaliseText, wordsOf } from './text-tokens.ts'

/** Equal keys mean equal texts but for case, spacing, width and punctuation. */
export function exactKey(text: string): string {
  return normaliseText(text)
}

/** ROUGE-L F1 in [0, 1]: 2 LCS / (m + n) over words, order kept; 0 where either has none. */
export function rougeL(one: string, other: string): number {
  const index = createNeighbourIndex(0)
  index.add('one', one)
  return index.nearest(other)?.score ?? 0
}

export interface Neighbour {
  key: string
  /** ROUGE-L F1, at least the index's threshold. */
  score: number
}

export interface NeighbourIndex {
  readonly size: number
  /** Keeps a text under a key of the caller's. */
  add(key: string, text: string): void
  /** The closest kept text at or above the threshold, the earliest of equals; null when there is none. */
  nearest(text: string): Neighbour | null
  /** Every kept text at or above the threshold, in the order they were added. */
  within(text: string): Neighbour[]
}

interface Kept {
  key: string
  words: Int32Array
}

/**
 * An index of kept texts for one threshold.
 *
 * F1 >= t needs LCS >= t (m + n) / 2, hence n within [m t / (2 - t), m (2 - t) / t] and at least m t / (2 - t) shared words. So
 * among any m - (that) + 1 words of a text one must be shared: only the postings of its rarest words are read.
 */
export function createNeighbourIndex(threshold: number): NeighbourIndex {
  const kept: Kept[] = []
  const wordIds = new Map<string, number>()
  const postings: number[][] = []

  const identify = (text: string): Int32Array =>
    Int32Array.from(wordsOf(text), (word) => {
      const known = wordIds.get(word)
      if (known !== undefined) return known
      wordIds.set(word, postings.length)
      return postings.push([]) - 1
    })

  return {
    get size() {
      return kept.length
    },
    add(key, text) {
      const words = identify(text)
      for (const word of new Set(words)) postings[word]?.push(kept.length)
      kept.push({ key, words })
    },
    nearest(text) {
      const words = identify(text)
      const query = createLcsQuery(words, postings.length)
      let best: Neighbour | null = null
      for (const at of findPlausible(words, postings, threshold)) {
        const other = kept[at] as Kept
        const total = words.length + other.words.length
        const ceiling = (2 * Math.min(words.length, other.words.length)) / total
        if (ceiling < threshold || (best && ceiling <= best.score)) continue
        const score = (2 * query(other.words)) / total
        if (score >= threshold && score > (best?.score ?? 0)) best = { key: other.key, score }
        if (best?.score === 1) break
      }
      return best
    },
    within(text) {
      const words = identify(text)
      const query = createLcsQuery(words, postings.length)
      return findPlausible(words, postings, threshold).flatMap((at) => {
        const other = kept[at] as Kept
        const score = (2 * query(other.words)) / (words.length + other.words.length)
        return score >= threshold ? [{ key: other.key, score }] : []
      })
    },
  }
}

/** Positions of kept texts that share enough of the rarest words, in the order they were added. */
function findPlausible(words: Int32Array, postings: readonly number[][], threshold: number): number[] {
  const shared = Math.max(1, Math.ceil((words.length * threshold) / (2 - threshold) - 1e-9))
  const rarest = [...words].sort((a, b) => (postings[a]?.length ?? 0) - (postings[b]?.length ?? 0))
  const probes = new Set(rarest.slice(0, words.length - shared + 1))
  const found = new Set<number>()
  for (const word of probes) for (const at of postings[word] ?? []) found.add(at)
  return [...found].sort((a, b) => a - b)
}

/**
 * Length of the longest common subsequence with `words`, bit-parallel (Hyyrö 2004): a row of the table is one bit a word of the
 * query, in words of 32 bits; cost is (other's words) x ceil(m / 32).
 */
function createLcsQuery(words: Int32Array, wordCount: number): (other: Int32Array) => number {
  const width = Math.ceil(words.length / 32)
  const slotOf = new Int32Array(wordCount).fill(-1)
  const masks: Uint32Array[] = []
  words.forEach((word, at) => {
    if (slotOf[word] === -1) slotOf[word] = masks.push(new Uint32Array(width)) - 1
    const mask = masks[slotOf[word] as number] as Uint32Array
    mask[at >>> 5] = ((mask[at >>> 5] as number) | (1 << (at & 31))) >>> 0
  })
  const row = new Uint32Array(width)

  return (other) => {
    row.fill(0xffffffff)
    for (const word of other) {
      const mask = masks[slotOf[word] as number]
      if (mask) advanceRow(row, mask)
    }
    let zeros = 0
    for (let at = 0; at < words.length; at++) zeros += (~(row[at >>> 5] as number) >>> (at & 31)) & 1
    return zeros
  }
}

/** row = (row + (row & mask)) | (row & ~mask), with the carry running through the 32-bit words. */
function advanceRow(row: Uint32Array, mask: Uint32Array): void {
  let carry = 0
  for (let at = 0; at < row.length; at++) {
    const bits = row[at] as number
    const hit = (bits & (mask[at] as number)) >>> 0
    const sum = bits + hit + carry
    carry = sum > 0xffffffff ? 1 : 0
    row[at] = (sum | (bits & ~(mask[at] as number))) >>> 0
  }
}
