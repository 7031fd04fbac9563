// Invented names made of two syllables, split by hash in two parts that share no name: one only for training, one only for the demo
// world and for examining the teacher. Words of the language are never names.

import { hashText, type Random } from './random.ts'

const onsets = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'v', 'z']
const firstSyllables = onsets.flatMap((onset) => ['a', 'e', 'i', 'o', 'u'].map((vowel) => onset + vowel))
const lastSyllables = [
  'bar',
  'bin',
  'dal',
  'den',
  'dor',
  'fel',
  'fin',
  'gan',
  'gor',
  'kin',
  'kul',
  'lan',
  'lor',
  'mel',
  'mir',
  'mun',
].concat([
  'nal',
  'nor',
  'pel',
  'pin',
  'ral',
  'ren',
  'rin',
  'sel',
  'sor',
  'tan',
  'tel',
  'tor',
  'val',
  'ven',
  'vor',
  'zan',
  'zel',
  'zin',
])
const words = new Set([
  'barrel',
  'button',
  'garden',
  'market',
  'mirror',
  'ribbon',
  'sudden',
  'wooden',
  'linden',
  'maiden',
  'burden',
  'pastel',
  'satan',
  'vegan',
  'human',
  'titan',
])

/** `training` names never occur in the demo, `held-out` names never in training. */
export type NameSplit = 'training' | 'held-out'

/** One name in five is held out. */
export function splitOf(name: string): NameSplit {
  return hashText(`name:${name.toLowerCase()}`) % 5 === 0 ? 'held-out' : 'training'
}

/** Draws names that differ in their first syllable from every name drawn before by the same source. */
export interface NameSource {
  next(isCapitalised: boolean): string
}

export function nameSource(random: Random, split: NameSplit): NameSource {
  const taken = new Set<string>()
  return {
    next(isCapitalised) {
      for (;;) {
        const first = random.pick(firstSyllables)
        const name = first + random.pick(lastSyllables)
        if (taken.has(first) || words.has(name) || splitOf(name) !== split) continue
        taken.add(first)
        return isCapitalised ? capitalise(name) : name
      }
    },
  }
}

const wholeName = new RegExp(`^(${firstSyllables.join('|')})(${lastSyllables.join('|')})$`)

/** Is this one of the invented names? */
export function isName(word: string): boolean {
  return wholeName.test(word.toLowerCase()) && !words.has(word.toLowerCase())
}

/** A name that differs from this one in a single syllable, with the same capitals. */
export function similarName(name: string, random: Random, split: NameSplit): string {
  const [plain, first = '', last = ''] = wholeName.exec(name.toLowerCase()) ?? []
  if (plain === undefined) throw new RangeError(`${name} is not an invented name`)
  for (;;) {
    const other = random.chance(0.5) ? first + random.pick(lastSyllables) : random.pick(firstSyllables) + last
    if (other === plain || words.has(other) || splitOf(other) !== split) continue
    return name.toLowerCase() === name ? other : capitalise(other)
  }
}

const namePattern = new RegExp(`\\b(${firstSyllables.join('|')})(${lastSyllables.join('|')})\\b`, 'gi')

/** Puts a mark between the syllables of every name, so that a tokenizer trained on the text learns syllables and not names. */
export function markSyllables(text: string, mark: string): string {
  return text.replace(namePattern, `$1${mark}$2`)
}

/** Every syllable as a word may show it: inside, at the start, after a space, capitalised. */
export function syllableForms(): string[] {
  const starts = firstSyllables.flatMap((first) => [first, capitalise(first), ` ${first}`, ` ${capitalise(first)}`])
  return [...starts, ...lastSyllables]
}

/** First letter upper-cased. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
