// Where a text may be cut: sentences of any language, then spaces, then whole characters. Positions are UTF-16 offsets into the
// text given; pieces touch one another and cover it.

export interface Piece {
  start: number
  end: number
}

const bySentence = new Intl.Segmenter('und', { granularity: 'sentence' })
const byGrapheme = new Intl.Segmenter('und', { granularity: 'grapheme' })

/** Ends that look like a sentence's and are not: titles, initials, common abbreviations. */
const abbreviation =
  /(?:^|[\s("'*_])(?:\p{L}|Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Rev|Gen|Col|No|Nr|Fig|Vol|pp?|ca?|cf|vs|approx|e\.g|i\.e|z\.B|bzw|u\.a)\.\s*$/u

/** Sentences by Unicode's rules (UAX 29), a line break inside a paragraph not being an end; short ends such as "Dr." are joined on. */
export function splitSentences(text: string): Piece[] {
  const unwrapped = text.replace(/[\r\n\u0085\u2028\u2029]/g, ' ')
  const pieces: Piece[] = []
  let start = 0
  for (const { index, segment } of bySentence.segment(unwrapped)) {
    const end = index + segment.length
    if (end < text.length && abbreviation.test(segment)) continue
    pieces.push({ start, end })
    start = end
  }
  return pieces
}

/** The sentences of a text without the space around them; where there are more than `most`, neighbours stand together. At least one. */
export function statementsOf(text: string, most: number): string[] {
  const sentences = splitSentences(text)
    .map(({ start, end }) => text.slice(start, end).trim())
    .filter((sentence) => sentence !== '')
  const size = Math.max(1, Math.ceil(sentences.length / most))
  const count = Math.max(1, Math.ceil(sentences.length / size))
  return Array.from({ length: count }, (_, at) => sentences.slice(at * size, (at + 1) * size).join(' '))
}

/** Lines with their line ends. */
export function splitLines(text: string): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  while (start < text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline + 1
    pieces.push({ start, end })
    start = end
  }
  return pieces
}

/**
 * Cuts a text without usable ends into pieces that each fit: after a space in the second half of what fits, else between
 * characters as a reader sees them, else between code points. One code point is never cut, even where it alone does not fit.
 */
export function splitAnywhere(text: string, fits: (piece: string) => boolean): Piece[] {
  const pieces: Piece[] = []
  let start = 0
  while (start < text.length) {
    const end = start + fittingLength(text.slice(start), fits)
    pieces.push({ start, end })
    start = end
  }
  return pieces
}

function fittingLength(text: string, fits: (piece: string) => boolean): number {
  const longest = longestPrefix(text, fits)
  if (longest >= text.length) return text.length
  const space = text.slice(0, longest).search(/\s\S*$/)
  if (space >= longest / 2) return space + 1
  const window = text.slice(0, longest + 64)
  const whole = byGrapheme.segment(window).containing(longest)?.index ?? 0
  if (whole > 0) return whole
  const firstCodePoint = (text.codePointAt(0) ?? 0) > 0xffff ? 2 : 1
  const isInsidePair = /[\ud800-\udbff]$/.test(text.slice(0, longest))
  return Math.max(firstCodePoint, isInsidePair ? longest - 1 : longest)
}

/** Longest prefix that fits, by doubling and halving; assumes that a prefix of what fits also fits. */
function longestPrefix(text: string, fits: (piece: string) => boolean): number {
  let fitting = 0
  let step = 64
  while (fitting + step <= text.length && fits(text.slice(0, fitting + step))) {
    fitting += step
    step *= 2
  }
  for (; step >= 1; step = Math.floor(step / 2)) {
    if (fitting + step <= text.length && fits(text.slice(0, fitting + step))) fitting += step
  }
  return fitting
}
