// Whether a judge's quote really stands in the source. Only space, width, case of letters and the kind of quotation marks may differ.

/** Quotes shorter than this prove nothing: almost any text contains them. Counted in letters and digits. */
const shortestQuote = 4

/** Null when the quote stands in the source; else why it does not count, in plain words. */
export function quoteProblem(quote: string, source: string): string | null {
  const wanted = normalise(stripMarks(quote))
  const size = wanted.match(/[\p{L}\p{N}]/gu)?.length ?? 0
  if (wanted === '' || wanted === 'none') return 'no sentence of the text was quoted as proof'
  if (size < shortestQuote && wanted !== normalise(source)) return `the quote "${quote}" is too short to prove anything`
  return normalise(source).includes(wanted) ? null : `the quote "${quote}" does not stand in the text`
}

function stripMarks(quote: string): string {
  return quote.trim().replace(/^["'“”‘’«»「『]+|["'“”‘’«»」』]+$/gu, '')
}

function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[“”«»]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
}
