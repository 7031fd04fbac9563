// A PDF's pages as one Markdown text, and where in it each page begins. Furniture is left out, columns are read in order, words cut at
// line ends are whole again, a sentence that goes on over a page's end is one sentence.

import { isUnfinished, listLine, measurePrint, type PdfBlock, findFlowBlocks, type TextLine } from './pdf-blocks.ts'
import { findFlows } from './pdf-columns.ts'
import { withoutFurniture } from './pdf-furniture.ts'
import { isUnspaced, type PdfPage, visibleRuns } from './pdf-rows.ts'

export interface PdfText {
  text: string
  /** UTF-16 offset where each page's text begins; of a page without text, where the next one's does. */
  pageStarts: number[]
}

/** The whole document. `onPage` is told after each page, since a long document takes a while. */
export function pdfToMarkdown(pages: readonly PdfPage[], onPage: () => void = () => undefined): PdfText {
  const placed = pages.map((page) => {
    onPage()
    return { height: page.height, runs: visibleRuns(page) }
  })
  const bodies = withoutFurniture(placed)
  const print = measurePrint(bodies.flat())
  const blocks = bodies.flatMap((runs, page) => {
    onPage()
    return findFlows(runs).flatMap((flow) => findFlowBlocks(flow, page, print))
  })
  const words = countWords(blocks)
  return compose(joinOver(blocks), { words, pageCount: pages.length })
}

/** Joins paragraphs that go on in the next column or on the next page. */
function joinOver(blocks: readonly PdfBlock[]): PdfBlock[] {
  const joined: PdfBlock[] = []
  for (const block of blocks) {
    const last = joined.at(-1)
    if (last && goesOn(last, block)) {
      last.lines.push(...block.lines)
      last.closesFlow = block.closesFlow
    } else joined.push({ ...block, lines: [...block.lines] })
  }
  return joined
}

function goesOn(last: PdfBlock, next: PdfBlock): boolean {
  if (!last.closesFlow || !next.opensFlow || next.kind !== 'paragraph') return false
  if (last.kind !== 'paragraph' && last.kind !== 'list') return false
  const end = last.lines.at(-1)?.text ?? ''
  const begin = next.lines[0]?.text ?? ''
  if (!isUnfinished(end)) return false
  return /^\p{Ll}/u.test(begin) || (isUnspaced(begin[0]) && isUnspaced(end.at(-1)) && !next.isIndented)
}

/** Words that stand whole inside lines; what is cut at a line's end is put together by them. */
function countWords(blocks: readonly PdfBlock[]): Set<string> {
  const words = new Set<string>()
  for (const { lines } of blocks) {
    for (const { text } of lines) {
      for (const [word] of text.toLowerCase().matchAll(/\p{L}[\p{L}-]*\p{L}/gu)) words.add(word)
    }
  }
  return words
}

function compose(
  blocks: readonly PdfBlock[],
  { words, pageCount }: { words: ReadonlySet<string>; pageCount: number },
): PdfText {
  const pageStarts: number[] = []
  let text = ''
  const open = (page: number, at: number) => {
    while (pageStarts.length <= page) pageStarts.push(at)
  }
  let before: PdfBlock | null = null
  for (const block of blocks) {
    if (before) text += before.kind === 'list' && block.kind === 'list' ? '\n' : '\n\n'
    before = block
    for (const [at, line] of block.lines.entries()) {
      if (at === 0) {
        open(line.page, text.length)
        text += firstLine(block, line)
        continue
      }
      text = block.kind === 'code' ? `${text}\n${line.text}` : joinLine(text, line.text, words)
      open(line.page, Math.max(0, text.length - line.text.length))
    }
    if (block.kind === 'code') text += '\n```'
  }
  open(pageCount - 1, text.length)
  return { text: text === '' ? '' : `${text}\n`, pageStarts }
}

function firstLine({ kind, level }: PdfBlock, { text }: TextLine): string {
  if (kind === 'heading') return `${'#'.repeat(level)} ${text}`
  if (kind === 'list') return listLine(text)
  if (kind === 'code') return `\`\`\`\n${text}`
  // Words that would read as a mark of Markdown.
  return kind === 'paragraph' ? text.replace(/^(#{1,6}\s|[-+*]\s|\d{1,9}[.)]\s|>|\||`{3}|~{3})/, '\\$1') : text
}

/** Puts a line behind a text: a word cut by a hyphen becomes whole, lines of unspaced scripts touch. */
function joinLine(text: string, line: string, words: ReadonlySet<string>): string {
  const cut = /(\p{L}+)[-\u00ad\u2010]$/u.exec(text)
  const rest = /^\p{Ll}+/u.exec(line)
  if (cut && rest) {
    const left = (/[\p{L}-]*$/u.exec(text.slice(0, -1))?.[0] ?? '').toLowerCase()
    const right = (/^\p{Ll}[\p{L}-]*/u.exec(line)?.[0] ?? '').toLowerCase()
    const keepsHyphen = !words.has(left + right) && words.has(`${left}-${right}`)
    return `${keepsHyphen ? `${text.slice(0, -1)}-` : text.slice(0, -1)}${line}`
  }
  const touches = isUnspaced(text.at(-1)) && isUnspaced(line[0])
  return `${text}${touches ? '' : ' '}${line}`
}
