// Measures pieces of a document in tokens, and writes them as chunks: the space around a piece does not count, and the header row of a
// table stands before a piece that begins among the table's rows.

import type { Block } from './markdown-blocks.ts'
import type { Piece } from './sentences.ts'

/** The name under which chunks counted by `approximateTokens` are kept. */
export const approximateTokenizer = 'approximate'

/** Stands in for the student's tokenizer until one is chosen: 4 characters a token, a character of an unspaced script a token. */
export function approximateTokens(text: string): number {
  const unspaced = text.match(unspacedCharacter)?.length ?? 0
  return unspaced + Math.ceil((text.length - unspaced) / 4)
}
const unspacedCharacter =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu

export interface Ruler {
  maxTokens: number
  /** Tokens of a piece as a chunk. */
  count(piece: Piece): number
  countText(raw: string): number
  trim(piece: Piece): Piece
  /** The piece as a chunk's text. */
  textOf(piece: Piece): string
}

interface Table extends Piece {
  /** Where its rows begin. */
  rows: number
  /** Header row and rule, with their line ends. */
  header: string
}

/** A ruler for one document cut into `blocks`. */
export function createRuler(
  text: string,
  options: { blocks: readonly Block[]; maxTokens: number; countTokens?: (text: string) => number },
): Ruler {
  const countTokens = options.countTokens ?? approximateTokens
  const maxTokens = Math.max(1, options.maxTokens)
  const countText = (raw: string): number => countTokens(raw.trim())
  const tables = findTables(text, options.blocks).filter(({ header }) => countText(header) <= maxTokens / 2)
  const trim = ({ start, end }: Piece): Piece => {
    const raw = text.slice(start, end)
    return { start: start + raw.length - raw.trimStart().length, end: end - raw.length + raw.trimEnd().length }
  }
  const textOf = (piece: Piece): string => {
    const { start, end } = trim(piece)
    return headerAt(tables, text, start) + text.slice(start, Math.max(start, end))
  }
  return { maxTokens, countText, trim, textOf, count: (piece) => countTokens(textOf(piece)) }
}

function findTables(text: string, blocks: readonly Block[]): Table[] {
  return blocks.flatMap(({ kind, start, end }) => {
    if (kind !== 'table') return []
    const rule = text.indexOf('\n', start) + 1
    const rows = text.indexOf('\n', rule) + 1
    return rows > 0 && rows < end ? [{ start, end, rows, header: text.slice(start, rows) }] : []
  })
}

/** The header to repeat before a piece that starts here: none inside a row, where the piece is no table any more. */
function headerAt(tables: readonly Table[], text: string, start: number): string {
  let [low, high] = [0, tables.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tables[middle]?.end ?? 0) <= start) low = middle + 1
    else high = middle
  }
  const table = tables[low]
  const isAmongRows = table && start >= table.rows && start < table.end
  return isAmongRows && /(^|\n)[ \t]*$/.test(text.slice(Math.max(0, start - 80), start)) ? table.header : ''
}
