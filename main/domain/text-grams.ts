// Letters and pairs of letters as words of an index, for texts too short to have a trigram: a word of Japanese is often two characters.
// Case does not count; any character is a letter here, spaces and signs too.

/** Every letter and every pair of neighbours in the texts, each once, as words of ASCII letters and digits parted by spaces. */
export function gramsOf(texts: readonly string[]): string {
  const grams = new Set<string>()
  for (const text of texts) {
    let before = ''
    for (const letter of text) {
      const named = nameOf(letter)
      grams.add(`${named}x`)
      if (before !== '') grams.add(`${before}x${named}`)
      before = named
    }
  }
  return [...grams].join(' ')
}

/** The gram that texts with this one have, of one letter or two; null for other lengths. */
export function gramOf(text: string): string | null {
  const [first, second, ...more] = text
  if (first === undefined || more.length > 0) return null
  return second === undefined ? `${nameOf(first)}x` : `${nameOf(first)}x${nameOf(second)}`
}

/** Digits up to v, so that x only parts. Letters lose their case one by one: the small form of one may hang on its neighbours. */
function nameOf(letter: string): string {
  return (letter.toLowerCase().codePointAt(0) ?? 0).toString(32)
}
