// Whether a student knew a seed's answer with the book closed: by the words it said, not by how sure it was. Words that the question
// gave away count for nothing, since a wrong answer repeats them too.

import type { SeedMark } from '../contract/drafts.ts'
import { isAccepted } from './exam-scoring.ts'
import { wordsOf } from './text-tokens.ts'

/** Shares of the answer's own words that were said. */
const known = 0.8
const partly = 0.4

/** Marks an answer against the seed's. */
export function markOf({
  question,
  expected,
  answer,
}: {
  question: string
  expected: string
  answer: string
}): SeedMark {
  if (isAccepted(answer, [expected])) return 'known'
  const given = wordsOf(question)
  const own = [...new Set(wordsOf(expected))].filter((word) => !given.some((other) => isSameWord(word, other)))
  const said = wordsOf(answer)
  const share = own.filter((word) => said.includes(word)).length / Math.max(1, own.length)
  if (share >= known) return 'known'
  return share >= partly ? 'partly' : 'unknown'
}

/** "eat" and "eats": one begins with the other. */
function isSameWord(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one]
  return short === long || (short.length >= 3 && long.startsWith(short) && long.length - short.length <= 2)
}
