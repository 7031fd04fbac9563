// Whether a text is written in the language it should be. Cautious: short texts, names, numbers and code never count against it.

/** Letters a text must have before its language is judged: few where scripts differ, more where only words do. */
const fewestLetters = { otherScript: 4, sameScript: 30 }
/** How much likelier the other language must be. The detector's scores lie in [0, 1]. */
const margin = 0.15

/** The language the text is in where that is not `wanted` (a BCP 47 tag, e.g. `ja` or `pt-BR`), as a code; null when it fits or cannot be told. */
export async function foreignLanguage(text: string, wanted: string): Promise<string | null> {
  const prose = text.replace(/```[\s\S]*?```|`[^`]*`|https?:\S+/g, ' ')
  const letters = prose.match(/\p{L}/gu)?.length ?? 0
  if (letters < fewestLetters.otherScript) return null
  // Loaded when first needed: its tables take a quarter of a second.
  const { eld } = await import('eld/small')
  const found = eld.detect(prose)
  const expected = wanted.toLowerCase().split(/[-_]/)[0] ?? ''
  if (found.language === '' || found.language === expected) return null
  const scores = found.getScores()
  const sharesScript = expected in scores
  if (letters < (sharesScript ? fewestLetters.sameScript : scriptLetters(prose, expected))) return null
  return (scores[found.language] ?? 0) - (scores[expected] ?? 0) > margin ? found.language : null
}

/** Latin words may stand in any text, so a text counts as foreign by its script only when nothing of the own script is in it. */
function scriptLetters(text: string, language: string): number {
  const own = scripts[language]
  if (own === undefined)
    return /[^\p{Script=Latin}\P{L}]/u.test(text) ? fewestLetters.otherScript : fewestLetters.sameScript
  return own.test(text) ? Number.POSITIVE_INFINITY : fewestLetters.sameScript
}

const scripts: Record<string, RegExp> = {
  ja: /[\p{Script=Hiragana}\p{Script=Katakana}]/u,
  zh: /\p{Script=Han}/u,
  ko: /\p{Script=Hangul}/u,
  ru: /\p{Script=Cyrillic}/u,
  uk: /\p{Script=Cyrillic}/u,
  bg: /\p{Script=Cyrillic}/u,
  sr: /\p{Script=Cyrillic}/u,
  el: /\p{Script=Greek}/u,
  ar: /\p{Script=Arabic}/u,
  fa: /\p{Script=Arabic}/u,
  ur: /\p{Script=Arabic}/u,
  he: /\p{Script=Hebrew}/u,
  hi: /\p{Script=Devanagari}/u,
  th: /\p{Script=Thai}/u,
}
