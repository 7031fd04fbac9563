// Edits of a text as ranges and replacements: the one form in which repairs are made, shown and applied.

import type { TextEdit } from '../contract/taxonomy.ts'

/** The text with every edit made; of edits that overlap only the first is. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const ordered = edits.toSorted((a, b) => a.start - b.start || a.end - b.end)
  const parts: string[] = []
  let at = 0
  for (const edit of ordered) {
    if (edit.start < at || edit.end < edit.start || edit.end > text.length) continue
    parts.push(text.slice(at, edit.start), edit.text)
    at = edit.end
  }
  return parts.join('') + text.slice(at)
}

/** Start of the line a character stands in. */
export function lineStart(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** Behind the line break that ends the line a character stands in, or the end of the text. */
export function lineEnd(text: string, at: number): number {
  const found = text.indexOf('\n', at)
  return found === -1 ? text.length : found + 1
}
