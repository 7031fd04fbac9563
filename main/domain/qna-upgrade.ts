// Older files in the form of version 3. A skill only changes its number. Old knowledge has no contexts: each seed gets the passage of the
// leaf's documents that shares most words with it, or, where there are no documents, the answers themselves as a text to be replaced.

import type { QnaRepair, SeedDraft } from '../contract/taxonomy.ts'
import type { QnaContent } from './qna-form.ts'
import { countWords } from './qna-length.ts'

const pairsPerContext = 3
/** Shorter paragraphs are headings and captions; longer ones break the guidance on contexts. */
const passageWords = { min: 8, max: 500 }
const maxPassages = 5000

/** Old knowledge with contexts and an outline; `documents` are the texts it is about. */
export function upgradeKnowledge(content: QnaContent, documents: readonly string[]): QnaContent {
  const passages = documents.flatMap(passagesOf).slice(0, maxPassages)
  const seeds = passages.length > 0 ? groundIn(passages, content.seeds) : groundInAnswers(content.seeds)
  return { ...content, version: 3, taskDescription: '', documentOutline: content.taskDescription, seeds }
}

/** Replaces a whole text. */
export function replaceAll(text: string, by: string): QnaRepair {
  return { kind: 'upgrade', edits: [{ start: 0, end: text.length, text: by }] }
}

function passagesOf(document: string): string[] {
  return document
    .split(/\r?\n\s*\r?\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => {
      const words = paragraph.startsWith('#') ? 0 : countWords(paragraph)
      return words >= passageWords.min && words <= passageWords.max
    })
}

interface Passage {
  text: string
  words: Set<string>
}

function groundIn(texts: readonly string[], seeds: readonly SeedDraft[]): SeedDraft[] {
  const passages = texts.map((text): Passage => ({ text, words: new Set(wordsOf(text)) }))
  const grounded = seeds.map(({ question, answer }) => ({
    context: nearest(passages, question, answer),
    question,
    answer,
  }))
  const order = new Map([...new Set(grounded.map(({ context }) => context))].map((context, at) => [context, at]))
  return grounded.sort((a, b) => (order.get(a.context) ?? 0) - (order.get(b.context) ?? 0))
}

/** The passage that holds most of the answer's words, then of the question's; the shorter of equals. */
function nearest(passages: readonly Passage[], question: string, answer: string): string {
  const wanted = [...new Set(wordsOf(answer)), ...new Set(wordsOf(question)), ...new Set(wordsOf(answer))]
  let best = { text: passages[0]?.text ?? '', score: -1 }
  for (const { text, words } of passages) {
    const score = wanted.filter((word) => words.has(word)).length
    if (score > best.score || (score === best.score && text.length < best.text.length)) best = { text, score }
  }
  return best.text
}

function groundInAnswers(seeds: readonly SeedDraft[]): SeedDraft[] {
  return seeds.map(({ question, answer }, at) => {
    const first = at - (at % pairsPerContext)
    const context = seeds.slice(first, first + pairsPerContext).map((seed) => seed.answer.trim())
    return { context: context.join('\n'), question, answer }
  })
}

/** Words of three letters or more, and every word of scripts without spaces. */
function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}{3,}|\p{N}+|\p{Script=Han}/gu) ?? []
}
