// Cuts a held-out file into the texts no sample may repeat: every longer string of JSON and JSONL, else paragraphs. Pure.

/** Shorter texts say nothing: a label, a letter, a number. */
const leastCharacters = 12
const mostDepth = 20

/** The texts of a file, each once. A JSON line that cannot be read counts as text. */
export function heldOutTexts(name: string, content: string): string[] {
  const isJson = /\.(json|jsonl|ndjson)$/i.test(name)
  const found = isJson ? jsonTexts(content) : content.split(/\n\s*\n/)
  const texts = found.map((text) => text.trim()).filter((text) => text.length >= leastCharacters)
  return [...new Set(texts)]
}

function jsonTexts(content: string): string[] {
  const whole = parse(content)
  if (whole !== undefined) return stringsOf(whole)
  return content.split('\n').flatMap((line) => {
    const value = parse(line)
    return value === undefined ? [line] : stringsOf(value)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function stringsOf(value: unknown, depth = 0): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || depth > mostDepth) return []
  return Object.values(value).flatMap((part) => stringsOf(part, depth + 1))
}
