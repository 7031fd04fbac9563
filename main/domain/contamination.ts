// Keeps exams unseen: finds texts that hold a run of 13 words of an exam, or a whole shorter exam text. Exact: a hash hit is
// confirmed word by word. Owns no exam; it is built from the texts it is given.

import { wordsOf } from './text-tokens.ts'

/** Where a text repeats an exam. */
export interface Contamination {
  /** The exam text as it was given. */
  examText: string
  /** The shared run of words, in normal form. */
  words: string
}

/** Shorter exam texts are matched whole; below this many words only when the text is nothing else. */
const minimumRun = 6

/** A check against the given exam texts; runs of `size` words, 13 as in the usual decontamination of training data. */
export function createContaminationCheck(
  examTexts: readonly string[],
  size = 13,
): (text: string) => Contamination | null {
  const runs = new Map<number, Map<number, number>>() // length -> hash -> exam position
  const exams = examTexts.map(wordsOf)
  exams.forEach((words, position) => {
    const length = Math.min(size, words.length)
    if (length === 0) return
    const ofLength = runs.get(length) ?? new Map<number, number>()
    runs.set(length, ofLength)
    for (let at = 0; at + length <= words.length; at++) {
      const hash = hashRun(words, at, length)
      if (!ofLength.has(hash)) ofLength.set(hash, position)
    }
  })

  return (text) => {
    const words = wordsOf(text)
    for (const [length, ofLength] of runs) {
      if (length < minimumRun && length !== words.length) continue
      for (let at = 0; at + length <= words.length; at++) {
        const position = ofLength.get(hashRun(words, at, length))
        if (position === undefined || !holdsRun(exams[position] ?? [], words.slice(at, at + length))) continue
        return { examText: examTexts[position] ?? '', words: words.slice(at, at + length).join(' ') }
      }
    }
    return null
  }
}

function holdsRun(words: readonly string[], run: readonly string[]): boolean {
  for (let at = 0; at + run.length <= words.length; at++) {
    if (run.every((word, offset) => words[at + offset] === word)) return true
  }
  return false
}

/** 53 bits of a run of words. */
function hashRun(words: readonly string[], from: number, length: number): number {
  let high = 0x811c9dc5
  let low = 0x9747b28c
  for (let at = from; at < from + length; at++) {
    const word = words[at] ?? ''
    for (let unit = 0; unit < word.length; unit++) {
      high = Math.imul(high ^ word.charCodeAt(unit), 0x01000193)
      low = Math.imul(low ^ word.charCodeAt(unit), 0x5bd1e995) ^ (low >>> 13)
    }
    high = Math.imul(high ^ 0x1f, 0x01000193)
    low = Math.imul(low ^ 0x1f, 0x5bd1e995) ^ (low >>> 15)
  }
  return (high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff)
}
