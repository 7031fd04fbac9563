// How many tokens a text has for a model, by the vocabulary in its file: byte-level BPE and SentencePiece's merging by score, as llama.cpp
// runs them. Counts words by themselves, since tokens do not cross words. Loads no model; other kinds of tokenizers are not counted.

import { byteAlphabet } from './bpe.ts'

export interface TokenizerFacts {
  /** `tokenizer.ggml.model`: gpt2 is byte-level BPE, llama is SentencePiece. */
  model: string
  /** `tokenizer.ggml.pre`: how BPE splits words. */
  pre: string
  tokens: readonly string[]
  /** BPE: `left right` pairs, most urgent first. */
  merges: readonly string[]
  /** SentencePiece: by token. */
  scores: readonly number[]
}

// Of llama.cpp's splittings those that differ in what matters for counts: how digits and marks stick to words.
const contraction = `'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`
const tail = `\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
const splittings = {
  gpt2: new RegExp(`${contraction}| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|${tail}`, 'gu'),
  llama3: new RegExp(
    `${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${tail}`,
    'gu',
  ),
  qwen: new RegExp(`${contraction}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${tail}`, 'gu'),
  digits: new RegExp(`${contraction}|\\p{N}| ?\\p{L}+| ?[^\\s\\p{L}\\p{N}]+|${tail}`, 'gu'),
}
/** SentencePiece words begin with their spaces. */
const pieces = /[ ]*[^ ]+|[ ]+$/gu
/** Longer words are counted in parts: merging takes time by the square of a word's length. */
const longestWord = 48
const mostKnownWords = 200_000

/** A counter, or null for a tokenizer of another kind. */
export function createTokenCount(facts: TokenizerFacts): ((text: string) => number) | null {
  const { model, pre } = facts
  if (model === 'gpt2' && facts.merges.length > 0) return countWords(splittingOf(pre), countByMerges(facts))
  if (model === 'llama' && facts.scores.length === facts.tokens.length) {
    const count = countWords(pieces, countByScores(facts))
    return (text) => count(text.startsWith(' ') ? text : ` ${text}`)
  }
  return null
}

function splittingOf(pre: string): RegExp {
  if (/llama|dbrx|smaug|tekken|gpt-4/.test(pre)) return splittings.llama3
  if (/qwen|stablelm2|deepseek-r1/.test(pre)) return splittings.qwen
  return /smollm|starcoder|refact|command-r|codeshell|granite/.test(pre) ? splittings.digits : splittings.gpt2
}

function countWords(splitting: RegExp, countWord: (word: string) => number): (text: string) => number {
  const known = new Map<string, number>()
  const count = (word: string): number => {
    const found = known.get(word)
    if (found !== undefined) return found
    const made = countWord(word)
    if (known.size < mostKnownWords) known.set(word, made)
    return made
  }
  return (text) => {
    let sum = 0
    for (const [word] of text.matchAll(splitting)) {
      if (word.length <= longestWord) sum += count(word)
      else for (let at = 0; at < word.length; at += longestWord) sum += count(word.slice(at, at + longestWord))
    }
    return sum
  }
}

function countByMerges({ merges, tokens, pre }: TokenizerFacts): (word: string) => number {
  const ranks = new Map(merges.map((pair, rank) => [pair, rank]))
  const whole = /llama/.test(pre) ? new Set(tokens) : null
  const alphabet = byteAlphabet()
  return (word) => {
    const letters = Array.from(new TextEncoder().encode(word), (byte) => alphabet[byte] ?? '')
    if (whole?.has(letters.join(''))) return 1
    return merge(letters, (left, right) => ranks.get(`${left} ${right}`)).length
  }
}

function countByScores({ tokens, scores }: TokenizerFacts): (word: string) => number {
  const ranks = new Map(tokens.map((token, id) => [token, -(scores[id] ?? 0)]))
  return (word) => {
    const symbols = merge([...word.replaceAll(' ', '\u2581')], (left, right) => ranks.get(left + right))
    // A character that is no token is written as its bytes.
    return symbols.reduce((sum, symbol) => sum + (ranks.has(symbol) ? 1 : new TextEncoder().encode(symbol).length), 0)
  }
}

/** Joins the pair of the lowest rank, the leftmost of equals, until no pair has one. */
function merge(given: string[], rankOf: (left: string, right: string) => number | undefined): string[] {
  const parts = [...given]
  for (;;) {
    let best = -1
    let bestRank = Number.POSITIVE_INFINITY
    for (let at = 0; at + 1 < parts.length; at++) {
      const rank = rankOf(parts[at] as string, parts[at + 1] as string)
      if (rank !== undefined && rank < bestRank) [best, bestRank] = [at, rank]
    }
    if (best < 0) return parts
    parts.splice(best, 2, `${parts[best]}${parts[best + 1]}`)
  }
}
