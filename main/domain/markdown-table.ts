// Writes rows of cells as a Markdown table. The first row is its header; short rows are filled up; a cell is one line.

/** The table; empty for no rows. */
export function tableMarkdown(rows: readonly (readonly string[])[]): string {
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0)
  if (width === 0) return ''
  const line = (row: readonly string[]) => {
    const cells = Array.from({ length: width }, (_, at) => tableCell(row[at] ?? ''))
    return `| ${cells.join(' | ')} |`
  }
  const [header = [], ...body] = rows
  return [line(header), `|${' --- |'.repeat(width)}`, ...body.map(line)].join('\n')
}

function tableCell(text: string): string {
  return text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|')
}
