// How texts are compared: one normal form and one way to cut it into words, in any script. Owns no threshold and no index.

/** Scripts written without spaces: every character counts as a word. */
const unspaced =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const wordPattern = new RegExp(
  `[${unspaced}]\\p{M}*|(?:(?![${unspaced}])[\\p{L}\\p{M}\\p{N}])+(?:\\.\\d+)*|[^\\s\\p{L}\\p{M}\\p{N}]`,
  'gu',
)
/** Marks that carry meaning between digits and operands: "5 - 3" and "5 / 3" are different questions, and 3.5 is one number. */
const meaningful =
  '(?<=\\d\\s?)[-*/](?=\\s?[\\p{L}\\p{N}(])|(?<=[\\p{L}\\p{N})]\\s?)[-*/](?=\\s?\\d)|(?<=\\d\\s?)%|(?<=\\d)\\.(?=\\d)'
const punctuation = new RegExp(`(?!${meaningful})\\p{P}`, 'gu')
const thousands = /(?<=\d),(?=\d{3}(?!\d))/g

/** Normal form: NFKC, lower case, punctuation as space (arithmetic kept), single spaces. Empty only for a blank text. */
export function normaliseText(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase()
  const bare = folded.replace(thousands, '').replace(punctuation, ' ').replace(/\s+/g, ' ').trim()
  return bare || folded.replace(/\s+/g, ' ').trim()
}

/** Words of the normal form, in order; characters of scripts without spaces stand alone, as do symbols. */
export function wordsOf(text: string): string[] {
  return normaliseText(text).match(wordPattern) ?? []
}
