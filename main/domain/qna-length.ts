// InstructLab's guidance on the length of seeds. Warnings only: a leaf with long seeds works, but fills the teacher's context.

import type { SeedDraft } from '../contract/taxonomy.ts'

const maxContextWords = 500
const maxTextWords = 250
const maxLeafWords = 2300

const byWord = new Intl.Segmenter('und', { granularity: 'word' })

/** Words as a reader counts them, in any script. */
export function countWords(text: string): number {
  let count = 0
  for (const { isWordLike } of byWord.segment(text)) if (isWordLike) count++
  return count
}

/** What is longer than the guidance; contexts shared by several pairs are counted once. */
export function checkLengths(seeds: readonly SeedDraft[]): { message: string; remedy: string }[] {
  const contexts = [...new Set(seeds.map((seed) => seed.context ?? ''))].map(countWords)
  const texts = seeds.flatMap((seed) => [countWords(seed.question), countWords(seed.answer)])
  const total = [...contexts, ...texts].reduce((sum, count) => sum + count, 0)
  const findings: { message: string; remedy: string }[] = []
  const longContexts = contexts.filter((count) => count > maxContextWords)
  const longTexts = texts.filter((count) => count > maxTextWords)
  if (longContexts.length > 0) {
    findings.push({
      message: `${longContexts.length} of the contexts are longer than ${maxContextWords} words (up to ${Math.max(...longContexts)}).`,
      remedy: 'Cut the contexts to the part the questions are about.',
    })
  }
  if (longTexts.length > 0) {
    findings.push({
      message: `${longTexts.length} of the questions and answers are longer than ${maxTextWords} words (up to ${Math.max(...longTexts)}).`,
      remedy: 'Shorten them; generated answers will be as long as these.',
    })
  }
  if (total > maxLeafWords) {
    findings.push({
      message: `All seeds together have ${total} words; the guidance is ${maxLeafWords}.`,
      remedy: 'Shorten the seeds, or make two leaves of them.',
    })
  }
  return findings
}
