// How an answer is marked: containment of an accepted answer, word by word, numbers by value; choices by mean log-likelihood. No model,
// no judge: the same answer always gets the same mark.

import { wordsOf } from './text-tokens.ts'

/**
 * True when any accepted answer occurs in `answer` as whole words in a row, after both are normalised (case, width, punctuation,
 * thousands separators; `3.0` equals `3`, `-5` is not `5`). An accepted answer without words never matches.
 */
export function isAccepted(answer: string, accepted: readonly string[]): boolean {
  const said = markedWords(answer)
  return accepted.some((form) => containsRun(said, markedWords(form)))
}

/** A minus that is a sign, not a subtraction or a hyphen. */
const sign = /(?<![\p{L}\p{N})\]])[-\u2212](?=\d)/gu
const number = /^\d+(?:\.\d+)?$/

/** Words with numbers in one form each; a negative number is one word of its own. */
function markedWords(text: string): string[] {
  return wordsOf(text.normalize('NFKC').replace(sign, ' minus')).map((word) =>
    number.test(word) && word.length <= 15 ? String(Number(word)) : word,
  )
}

function containsRun(words: readonly string[], run: readonly string[]): boolean {
  if (run.length === 0) return false
  for (let start = 0; start + run.length <= words.length; start++) {
    if (run.every((word, at) => words[start + at] === word)) return true
  }
  return false
}

export interface OptionScore {
  logLikelihood: number
  tokens: number
}

/** Log-likelihood per token of each option, nats: the length of an option must not decide (MMLU style, length-normalised). */
export function meanLogLikelihoods(options: readonly OptionScore[]): number[] {
  return options.map((option) => option.logLikelihood / Math.max(1, option.tokens))
}

/** Place of the likeliest option; the first of equals. -1 for none. */
export function likeliest(means: readonly number[]): number {
  let best = -1
  for (let at = 0; at < means.length; at++) {
    if (best < 0 || (means[at] ?? -Infinity) > (means[best] ?? -Infinity)) best = at
  }
  return best
}
