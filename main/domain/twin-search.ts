// Near duplicates among all that is kept: seeds and accepted samples of every leaf and round. Twins by words: question and answer close by
// ROUGE-L; twins by meaning: their vectors close by cosine; both with the same names and numbers in the question, and about the
// same thing as far as their sources tell. Finds, decides nothing.

import { asked, tellingKey } from './duplicate-screen.ts'
import { cosine } from './meaning-index.ts'
import { createPairFinder, likenessOf, type PairFinder } from './min-hash.ts'
import { exactKey, rougeL } from './near-duplicate.ts'
import { wordsOf } from './text-tokens.ts'

export interface KeptText {
  /** Id of a seed or a candidate. */
  id: string
  isSeed: boolean
  context: string
  question: string
  answer: string
  /** Words of the chunk it was made from; null for skills and seeds. */
  sourceWords: ReadonlySet<string> | null
  vector: Float32Array | null
}

export interface FoundTwin {
  one: string
  other: string
  kind: 'exact' | 'words' | 'meaning'
  /** ROUGE-L of the two that is lower, or the cosine. */
  score: number
}

export interface TwinThresholds {
  /** ROUGE-L F1 that questions and answers must both reach. */
  words: number
  /** Cosine from which two say the same. */
  meaning: number
}

/**
 * Yields the twins each text has among those before it, text by text, so that the caller may stop, breathe or count in between. Two seeds
 * are no twins: their author wrote both. By words a pair that just reaches the threshold is missed with a probability of 0.1 %.
 */
export function* searchTwins(texts: readonly KeptText[], thresholds: TwinThresholds): Generator<FoundTwin[]> {
  const groups = new Map<string, { finder: PairFinder; members: KeptText[] }>()
  for (const text of texts) {
    const key = tellingKey(text)
    const group = groups.get(key) ?? {
      finder: createPairFinder(likenessOf(thresholds.words)),
      members: [],
    }
    groups.set(key, group)
    const likely = group.finder.add(wordsOf(asked(text)))
    const isLikely = new Set(likely)
    // Meanings are compared with all of the group; words only where MinHash sees a chance.
    const places = text.vector ? group.members.keys() : likely
    yield [...places].flatMap((place) => {
      const other = group.members[place] as KeptText
      if (text.isSeed && other.isSeed) return []
      if (speakOfOthers(text, other)) return []
      const found =
        (isLikely.has(place) ? byWords(other, text, thresholds.words) : null) ??
        byMeaning(other, text, thresholds.meaning)
      return found ? [{ one: other.id, other: text.id, ...found }] : []
    })
    group.members.push(text)
  }
}

/** Whether each question names what only its own text speaks of: "What does the wren eat?" and "What does the robin eat?". */
function speakOfOthers(one: KeptText, other: KeptText): boolean {
  const { sourceWords: of } = one
  const { sourceWords: ofOther } = other
  if (!of || !ofOther || of === ofOther) return false
  const names = (question: string, own: ReadonlySet<string>, foreign: ReadonlySet<string>) =>
    wordsOf(question).some((word) => own.has(word) && !foreign.has(word))
  return names(one.question, of, ofOther) && names(other.question, ofOther, of)
}

function byWords(one: KeptText, other: KeptText, threshold: number): Pick<FoundTwin, 'kind' | 'score'> | null {
  const isExact = exactKey(asked(one)) === exactKey(asked(other)) && exactKey(one.answer) === exactKey(other.answer)
  if (isExact) return { kind: 'exact', score: 1 }
  const questions = rougeL(asked(one), asked(other))
  if (questions < threshold) return null
  const score = Math.min(questions, rougeL(one.answer, other.answer))
  return score >= threshold ? { kind: 'words', score } : null
}

function byMeaning(one: KeptText, other: KeptText, threshold: number): Pick<FoundTwin, 'kind' | 'score'> | null {
  if (!one.vector || !other.vector) return null
  const score = cosine(one.vector, other.vector)
  return score >= threshold ? { kind: 'meaning', score } : null
}
