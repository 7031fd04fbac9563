// Tells a new sample from those that are kept already. Exact: same context, question and answer but for case, space and punctuation.
// Near: same source, question AND answer close by ROUGE-L, and no name or number that stands in one question only; so short
// questions that ask the same of another thing ("What colour is ...?") are not taken for each other, as ROUGE-L alone would do.

import { createNeighbourIndex, exactKey, type NeighbourIndex, rougeL } from './near-duplicate.ts'

export interface ScreenedText {
  /** What it was made from: a chunk's id, or '' for skills. Near duplicates are looked for within one source. */
  source: string
  context: string
  question: string
  answer: string
}

export interface Twin {
  /** Key of the kept text. */
  key: string
  /** ROUGE-L of the questions; 1 for an exact duplicate. */
  score: number
}

export interface DuplicateScreen {
  keep(key: string, text: ScreenedText): void
  /** The kept text that says the same, or null. */
  findExact(text: ScreenedText): Twin | null
  /** The earliest kept text that says nearly the same, or null. */
  findNear(text: ScreenedText): Twin | null
}

/** A screen for one threshold of ROUGE-L, which questions and answers must both reach. */
export function createDuplicateScreen(threshold: number): DuplicateScreen {
  const exact = new Map<string, string>()
  const groups = new Map<string, NeighbourIndex>()
  const answers = new Map<string, string>()
  const groupOf = (text: ScreenedText): string => `${text.source}\u0000${tellingKey(text)}`
  return {
    keep(key, text) {
      const whole = wholeKey(text)
      if (!exact.has(whole)) exact.set(whole, key)
      const group = groupOf(text)
      const index = groups.get(group) ?? createNeighbourIndex(threshold)
      groups.set(group, index)
      index.add(key, asked(text))
      answers.set(key, text.answer)
    },
    findExact(text) {
      const key = exact.get(wholeKey(text))
      return key === undefined ? null : { key, score: 1 }
    },
    findNear(text) {
      const close = groups.get(groupOf(text))?.within(asked(text)) ?? []
      return close.find(({ key }) => rougeL(answers.get(key) ?? '', text.answer) >= threshold) ?? null
    },
  }
}

/** What an answer answers: the question behind its context. */
export function asked({ context, question }: Pick<ScreenedText, 'context' | 'question'>): string {
  return context === '' ? question : `${context}\n${question}`
}

function wholeKey({ context, question, answer }: ScreenedText): string {
  return [context, question, answer].map(exactKey).join('\u0000')
}

/**
 * Numbers, capitalised words inside a sentence, and katakana words: what makes an alike question another question. Texts with different
 * keys are never near duplicates.
 */
export function tellingKey(text: Pick<ScreenedText, 'context' | 'question'>): string {
  const words = asked(text).match(telling) ?? []
  return [...new Set(words)].sort().join(' ')
}
const telling = /\d+(?:[.,]\d+)*|(?<=[\p{Ll}\p{N},;:'"(-]\s*)\p{Lu}[\p{L}\p{N}]*|[\p{Script=Katakana}ー]{2,}/gu
