// CSV to one Markdown table, its first row the header. The separator is the one that parts the first lines most evenly.

import { CsvError, parse } from 'csv-parse/sync'
import { badDocument } from '../../domain/document-types.ts'
import { decodeText } from '../../domain/documents.ts'
import { tableMarkdown } from '../../domain/markdown-table.ts'
import { guessNote, type ReadParts, type Source } from './read-document.ts'

const separators = [',', ';', '\t', '|'] as const
const mostColumns = 500
const sampleLines = 30
/** Rows written at a time. */
const batchRows = 2000

export function readCsv({ name, bytes, onProgress }: Source): ReadParts {
  const { text, guessed } = decodeText(name, bytes)
  const rows = parseRows(name, text.replace(/^\ufeff/, ''))
  onProgress()
  const widths = new Set(rows.map((row) => row.length))
  const width = Math.max(...widths)
  if (width > mostColumns)
    throw badDocument(
      `"${name}" has a row of ${width} columns.`,
      `Keep the columns that matter, at most ${mostColumns}.`,
    )
  const notes = guessNote(guessed)
  if (widths.size > 1)
    notes.push(`Rows have between ${Math.min(...widths)} and ${width} cells; short ones were filled up.`)
  const [header = [], ...body] = rows
  const filled = Array.from({ length: width }, (_, at) => header[at] ?? '')
  const parts: string[] = []
  for (let from = 0; from === 0 || from < body.length; from += batchRows) {
    const table = tableMarkdown([filled, ...body.slice(from, from + batchRows)])
    parts.push(from === 0 ? table : table.split('\n').slice(2).join('\n'))
    onProgress()
  }
  return { text: `${parts.join('\n')}\n`, notes }
}

function parseRows(name: string, text: string): string[][] {
  try {
    return parse(text, {
      delimiter: findSeparator(text),
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
    })
  } catch (thrown) {
    if (!(thrown instanceof CsvError)) throw thrown
    const line = typeof thrown['lines'] === 'number' ? `line ${thrown['lines']}` : 'a line'
    throw badDocument(
      `"${name}" is not valid CSV at ${line}: a quotation mark is not closed, or stands inside a cell.`,
      'Correct that line (a quotation mark inside a quoted cell is written twice), or export the file again.',
      thrown,
    )
  }
}

/** The separator that gives the first lines the same number of cells, and most of them. */
function findSeparator(text: string): string {
  const lines = text.slice(0, 100_000).split(/\r?\n/, sampleLines).filter(Boolean)
  const scored = separators.map((separator) => {
    const counts = lines.map((line) => line.replace(/"[^"]*"/g, '').split(separator).length - 1)
    const usual = counts.sort((a, b) => a - b)[Math.floor(counts.length / 2)] ?? 0
    return { separator, score: usual === 0 ? 0 : counts.filter((count) => count === usual).length * 100 + usual }
  })
  return scored.sort((a, b) => b.score - a.score)[0]?.separator ?? ','
}
