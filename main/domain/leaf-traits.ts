// Guesses what a leaf's author did not say: who should answer its questions, and in which language it is written. Guesses only;
// the author's own choice always stands.

import type { Persona } from '../contract/taxonomy.ts'

const creativeWords =
  /\b(?:poems?|poetry|haiku|limericks?|lyrics|songs?|stor(?:y|ies)|tales?|fiction|novels?|role ?play\w*|dialogues?|jokes?|humou?r|slogans?|brainstorm\w*|creative\w*|essays?|letters?|e ?mails?|blogs?|speech(?:es)?|writ(?:e|ing))\b/gi
const preciseWords =
  /\b(?:math\w*|arithmetic|algebra|geometry|add(?:ition)?|subtract\w*|multipl\w*|calculat\w*|count\w*|numbers?|logic\w*|reason\w*|cod(?:e|ing)|program\w*|sql|python|javascript|json|regex|extract\w*|classif\w*|convert\w*|pars(?:e|ing)|tables?|tabular|chemistry|physics|biology|science|engineering|facts?|spelling|grammar|sort\w*|order\w*)\b/gi

/**
 * Persona of the responder (LAB section 3.2: precise for STEM, extraction, code and mathematics; creative for writing and role play).
 * Weighs the words of path and task; precise where they say nothing.
 */
export function inferPersona(path: string, taskDescription: string): Persona {
  const text = `${path.replace(/[/_-]+/g, ' ')} ${taskDescription}`
  const weigh = (words: RegExp) => text.match(words)?.length ?? 0
  return weigh(creativeWords) > weigh(preciseWords) ? 'creative' : 'precise'
}

/** Scripts that name a language by themselves, in the order they are asked; kana before Han, since Japanese has both. */
const scripts: readonly [language: string, letter: RegExp][] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['zh', /\p{Script=Han}/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
  ['th', /\p{Script=Thai}/gu],
]
/** Frequent small words of languages in Latin script that English does not have. */
const smallWords: readonly [language: string, words: RegExp][] = [
  ['de', /\b(?:und|der|das|ist|nicht|ein|eine|mit|auf|wie)\b/gi],
  ['fr', /\b(?:les|des|est|une|dans|que|pour|qui|avec|du)\b/gi],
  ['es', /\b(?:el|los|las|que|una|por|con|para|es|del)\b/gi],
  ['it', /\b(?:il|che|di|una|per|con|della|sono|gli|nel)\b/gi],
  ['pt', /\b(?:os|que|uma|para|com|não|do|da|em|são)\b/gi],
  ['nl', /\b(?:het|een|van|niet|zijn|voor|met|dat|wat|hoe)\b/gi],
  ['en', /\b(?:the|of|and|is|to|what|that|for|with|how)\b/gi],
]

/** ISO 639-1 code of the language most of a text is in; `en` where nothing tells. */
export function inferLanguage(text: string): string {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const byScript = scripts.find(([, letter]) => (text.match(letter)?.length ?? 0) > letters / 5)
  if (byScript) return byScript[0]
  let best = { language: 'en', count: 0 }
  for (const [language, words] of smallWords) {
    const count = text.match(words)?.length ?? 0
    if (count > best.count) best = { language, count }
  }
  return best.language
}
