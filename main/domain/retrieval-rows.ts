// Rows that teach a student to answer from documents it is shown (RAFT, arXiv 2403.10131; InstructLab's phase files): the question behind
// its own chunk, and the question behind several chunks of which one, or none, holds the answer. A distractor is taken only when it
// provably lacks the answer: it shares none of the answer's telling words, and no quote that bore the answer out.

import { createRandom } from './random.ts'
import { quoteProblem } from './quotes.ts'
import { wordsOf } from './text-tokens.ts'
import { userTurn } from './user-turn.ts'

export interface SourceText {
  id: string
  text: string
}
/** A question with the chunk it was made from. */
export interface GroundedRow {
  origin: string
  question: string
  answer: string
  chunk: SourceText
  /** What judges quoted from the chunk as proof. */
  quotes: readonly string[]
}

/** Documents shown in a retrieval row, and how often the golden one is among them. */
export const retrievalShape = { documents: 4, goldenShare: 0.4 } as const

/** The user's turn: the chunk, then the question. */
export function openBookTurn({ chunk, question }: GroundedRow): string {
  return userTurn(chunk.text, question)
}

/**
 * The user's turn with up to four documents in random order; a function of the seed and the row. Fewer where not enough texts
 * provably lack the answer; null where there is none at all, or the answer has no telling word to prove it by.
 */
export function retrievalTurn(row: GroundedRow, texts: readonly SourceText[], seed: string): string | null {
  const random = createRandom(`${seed} ${row.origin}`)
  const telling = tellingWords(row)
  if (telling.length === 0) return null
  const hasGolden = random.next() < retrievalShape.goldenShare
  const wanted = retrievalShape.documents - (hasGolden ? 1 : 0)
  const distractors: SourceText[] = []
  for (const text of random.shuffle(texts)) {
    if (distractors.length === wanted) break
    if (text.id !== row.chunk.id && lacksAnswer(text.text, row, telling)) distractors.push(text)
  }
  if (distractors.length === 0) return null
  const shown = random.shuffle(hasGolden ? [...distractors, row.chunk] : distractors)
  const documents = shown.map(({ text }) => `Document:\n${text}`).join('\n\n')
  return userTurn(documents, row.question)
}

/** Whether a text provably does not hold the answer of a row. */
export function lacksAnswer(text: string, row: GroundedRow, telling: readonly string[] = tellingWords(row)): boolean {
  const words = new Set(wordsOf(text))
  if (telling.length === 0 || telling.some((word) => words.has(word))) return false
  return row.quotes.every((quote) => quoteProblem(quote, text) !== null)
}

/** Words without which the answer cannot be given: those of the answer that the question does not say, numbers and words of some length. */
function tellingWords({ question, answer }: GroundedRow): string[] {
  const asked = new Set(wordsOf(question))
  return [...new Set(wordsOf(answer))].filter((word) => !asked.has(word) && isTelling(word))
}

/** Numbers, words of four letters and more, and characters of scripts whose words are not spaced (but kana, which is grammar). */
function isTelling(word: string): boolean {
  return /\d/.test(word) || [...word].length >= 4 || /\p{Script=Han}|\p{Script=Hangul}/u.test(word)
}
