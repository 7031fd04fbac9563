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
 * F1 >= t needs LCS >= s = t (m + n) / 2, hence n within [m t / (2 - t), m (2 - t) / t] and at least s shared words. So among any
 * m - s + 1 words of a text one must be shared: of kept texts of n words, only the postings of its rarest words are read.
 */
export function createNeighbourIndex(threshold: number): NeighbourIndex {
  const kept: Kept[] = []
  const wordIds = new Map<string, number>()
  const postings: Posting[] = []
  const lengths = new Set<number>()
  let slots = new Int32Array(64).fill(-1)

  const identify = (text: string): Int32Array =>
    Int32Array.from(wordsOf(text), (word) => {
      const known = wordIds.get(word)
      if (known !== undefined) return known
      wordIds.set(word, postings.length)
      return postings.push({ size: 0, byLength: new Map() }) - 1
    })
  /** The longest common subsequence of each plausible text, in the order they were added. */
  function* compare(words: Int32Array): Generator<{ key: string; score: number }> {
    const plausible = findPlausible(words, { postings, lengths }, threshold)
    if (plausible.length === 0) return
    if (slots.length < postings.length) slots = new Int32Array(2 * postings.length).fill(-1)
    const query = createLcsQuery(words, slots)
    try {
      for (const at of plausible) {
        const other = kept[at] as Kept
        const total = words.length + other.words.length
        const common = query(other.words, (threshold * total) / 2 - 1e-9)
        if (common > 0) yield { key: other.key, score: (2 * common) / total }
      }
    } finally {
      for (const word of words) slots[word] = -1
    }
  }

  return {
    get size() {
      return kept.length
    },
    add(key, text) {
      const words = identify(text)
      lengths.add(words.length)
      for (const word of new Set(words)) post(postings[word] as Posting, words.length, kept.length)
      kept.push({ key, words })
    },
    nearest(text) {
      let best: Neighbour | null = null
      for (const one of compare(identify(text))) {
        if (one.score >= threshold && one.score > (best?.score ?? 0)) best = one
        if (best?.score === 1) break
      }
      return best
    },
    within(text) {
      return [...compare(identify(text))].filter(({ score }) => score >= threshold)
    },
  }
}

/** Kept texts with a word, by how many words they have. */
interface Posting {
  size: number
  byLength: Map<number, number[]>
}

function post(posting: Posting, length: number, at: number): void {
  const known = posting.byLength.get(length)
  if (known) known.push(at)
  else posting.byLength.set(length, [at])
  posting.size += 1
}

/** Positions of kept texts of a possible length that share enough of the rarest words, in the order they were added. */
function findPlausible(
  words: Int32Array,
  { postings, lengths }: { postings: readonly Posting[]; lengths: ReadonlySet<number> },
  threshold: number,
): number[] {
  const rarest = [...words].sort((a, b) => (postings[a]?.size ?? 0) - (postings[b]?.size ?? 0))
  const found = new Set<number>()
  for (const length of lengths) {
    const shared = Math.max(1, Math.ceil((threshold * (words.length + length)) / 2 - 1e-9))
    if (shared > Math.min(words.length, length)) continue
    for (const word of new Set(rarest.slice(0, words.length - shared + 1)))
      for (const at of postings[word]?.byLength.get(length) ?? []) found.add(at)
  }
  return [...found].sort((a, b) => a - b)
}

/**
 * Length of the longest common subsequence with `words`, bit-parallel (Hyyrö 2004): a row of the table is one bit a word of the
 * query, in words of 32 bits; cost is (other's words) x ceil(m / 32). `slotOf` holds -1 for every word; those of the query are set.
 * 0 where fewer than `least` words are shared, whatever their order.
 */
function createLcsQuery(words: Int32Array, slotOf: Int32Array): (other: Int32Array, least: number) => number {
  const width = Math.ceil(words.length / 32)
  const masks: Uint32Array[] = []
  words.forEach((word, at) => {
    if (slotOf[word] === -1) slotOf[word] = masks.push(new Uint32Array(width)) - 1
    const mask = masks[slotOf[word] as number] as Uint32Array
    mask[at >>> 5] = ((mask[at >>> 5] as number) | (1 << (at & 31))) >>> 0
  })
  const row = new Uint32Array(width)

  return (other, least) => {
    let known = 0
    for (const word of other) if (slotOf[word] !== -1) known++
    if (known < least) return 0
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
