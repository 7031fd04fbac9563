// The chunk a knowledge sample was made from, with the judge's quote marked where it occurs.

interface ChunkTextProps {
  text: string
  /** What the stages said; the longest piece of it that stands in the chunk is the quote. */
  words: readonly string[]
}

/** Plain text when no quote is found. */
export function ChunkText({ text, words }: ChunkTextProps) {
  const quote = findQuote(text, words)
  if (!quote) return <div className="text-box">{text}</div>
  const at = text.indexOf(quote)
  return (
    <div className="text-box">
      {text.slice(0, at)}
      <mark>{quote}</mark>
      {text.slice(at + quote.length)}
    </div>
  )
}

const shortestQuote = 8

/** The longest quoted or whole statement of a stage that occurs in the text. */
export function findQuote(text: string, words: readonly string[]): string | null {
  const pieces = words.flatMap((said) => [said, ...said.split(/["“”「」\n]/)]).map((piece) => piece.trim())
  const found = pieces.filter((piece) => piece.length >= shortestQuote && text.includes(piece))
  return found.sort((a, b) => b.length - a.length)[0] ?? null
}
