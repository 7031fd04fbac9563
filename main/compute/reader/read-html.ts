// HTML to Markdown. What a reader of the page reads is kept: headings, paragraphs, lists, tables, code; menus, scripts, pictures and
// addresses of links are left out, since they teach nothing and cost tokens. Done block by block, so that a long page shows progress.

import type { Element, Nodes, Root, RootContent } from 'hast'
import { fromHtml } from 'hast-util-from-html'
import { toMdast } from 'hast-util-to-mdast'
import type { Nodes as MarkdownNodes, Table } from 'mdast'
import { gfmToMarkdown } from 'mdast-util-gfm'
import { type Handle, type Options, toMarkdown } from 'mdast-util-to-markdown'
import { decodeText } from '../../domain/documents.ts'
import { tableMarkdown } from '../../domain/markdown-table.ts'
import { guessNote, type Progress, type ReadParts, type Source } from './read-document.ts'

/** Elements that are not part of what is read. */
const silent = new Set(
  'script style noscript template iframe object embed svg canvas video audio picture img map button input select textarea nav dialog head title link meta base'.split(
    ' ',
  ),
)
/** Elements that say nothing in Markdown: their content stands for them. */
const transparent = new Set('a span font u small big mark sub sup abbr cite q ins label time data bdi bdo'.split(' '))
const formatting = new Set('b strong i em s del strike code kbd samp tt var'.split(' '))
/** Elements that only hold blocks. */
const containers = new Set('html body main article section div center header footer aside figure form'.split(' '))
const blocks = new Set(
  `${[...containers].join(' ')} p h1 h2 h3 h4 h5 h6 ul ol dl table pre blockquote hr address details fieldset`.split(
    ' ',
  ),
)
/** Nesting beyond this is no document, and parsers that recurse would not survive it. */
const mostDepth = 400

export function readHtml({ name, bytes, onProgress }: Source): ReadParts {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 2048))
  const declared = /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,40})/i.exec(head)?.[1]
  const { text, guessed } = decodeText(name, bytes, declared)
  onProgress()
  return { text: htmlToMarkdown(text, onProgress), notes: guessNote(guessed) }
}

/** The readable part of a page as Markdown. */
export function htmlToMarkdown(html: string, onProgress: Progress): string {
  checkDepth(html)
  const tree = fromHtml(html)
  onProgress()
  const parts: string[] = []
  for (const piece of splitBlocks(readablePart(tree).children)) {
    const root: Root = { type: 'root', children: piece }
    const part = toMarkdown(toMdast(root, { document: true }) as MarkdownNodes, markdownStyle).trim()
    if (part !== '') parts.push(part)
    onProgress()
  }
  return parts.length === 0 ? '' : `${parts.join('\n\n')}\n`
}

const unclosed = /^(br|hr|img|p|li|td|tr|th|dd|dt|input|meta|link|option|col|wbr|source)$/i
/** Counts open tags roughly, before anything recursive sees the text. */
function checkDepth(html: string): void {
  let depth = 0
  for (const [whole, closing, tag = ''] of html.matchAll(/<(\/?)([a-z][\w:.-]*)[^<>]*>?/gi)) {
    if (unclosed.test(tag) || whole.endsWith('/>')) continue
    depth += closing ? -1 : 1
    if (depth < 0) depth = 0
    if (depth > mostDepth) throw new RangeError('Maximum call stack: elements are nested too deeply')
  }
}

/** `<main>` where it holds most of the words, else the body. Silent elements are gone. */
function readablePart(tree: Root): Element | Root {
  prune(tree)
  const main = findElement(tree, 'main') ?? findElement(tree, 'article')
  return main && textLength(main) > textLength(tree) / 2 ? main : tree
}

/**
 * Leaves what is read. Formatting inside the same formatting, or around blocks, is taken off: it says nothing, and what turns a tree
 * into Markdown takes exponential time over it.
 */
function prune(parent: Root | Element, outer: ReadonlySet<string> = new Set()): { hasBlock: boolean } {
  let hasBlock = false
  const kept: RootContent[] = []
  for (const child of parent.children as RootContent[]) {
    if (child.type === 'text') kept.push(child)
    if (child.type !== 'element' || silent.has(child.tagName)) continue
    const isFormatting = formatting.has(child.tagName)
    const inside = prune(child, isFormatting ? new Set([...outer, child.tagName]) : outer)
    const isBlock = inside.hasBlock || blocks.has(child.tagName)
    hasBlock ||= isBlock
    const isTakenOff = transparent.has(child.tagName) || (isFormatting && (isBlock || outer.has(child.tagName)))
    if (isTakenOff) kept.push(...child.children)
    else kept.push(child)
    if (child.tagName === 'table') markHeader(child)
  }
  parent.children = kept as typeof parent.children
  return { hasBlock }
}

/** Word and many pages write a table's header as plain cells; a Markdown table needs one, and its first row is. */
function markHeader(table: Element): void {
  const row = findElement(table, 'tr')
  if (!row || findElement(table, 'th')) return
  for (const cell of row.children) if (cell.type === 'element' && cell.tagName === 'td') cell.tagName = 'th'
}

function findElement(parent: Root | Element, tagName: string): Element | null {
  for (const child of parent.children) {
    if (child.type !== 'element') continue
    const found = child.tagName === tagName ? child : findElement(child, tagName)
    if (found) return found
  }
  return null
}

function textLength(node: Nodes): number {
  if (node.type === 'text') return node.value.trim().length
  return 'children' in node ? node.children.reduce((sum, child) => sum + textLength(child), 0) : 0
}

/** Groups of nodes that can be written one after the other: single blocks, and runs of text between them. */
function* splitBlocks(nodes: readonly Nodes[]): Generator<RootContent[]> {
  let run: RootContent[] = []
  for (const node of nodes as RootContent[]) {
    const isBlock = node.type === 'element' && blocks.has(node.tagName)
    if (!isBlock) {
      run.push(node)
      continue
    }
    if (run.length > 0) yield run
    run = []
    if (containers.has(node.tagName)) yield* splitBlocks(node.children)
    else yield [node]
  }
  if (run.length > 0) yield run
}

const blockMark = /^(#{1,6}\s|[-+*]\s|\d{1,9}[.)]\s|>|`{3}|~{3})/
/** Text as it is: marks of Markdown are masked only where they would change a block or a table's cells. */
const markdownStyle: Options = {
  bullet: '-',
  rule: '-',
  fences: true,
  listItemIndent: 'one',
  extensions: [gfmToMarkdown()],
  handlers: {
    text(node: { value: string }, parent) {
      const isFirst = parent?.type === 'paragraph' && (parent.children[0] as unknown) === node
      return isFirst ? node.value.replace(blockMark, '\\$1') : node.value
    },
    break: () => '\n',
    table: (...[node, , state, info]: Parameters<Handle>) =>
      tableMarkdown(
        (node as Table).children.map((row) => row.children.map((cell) => state.containerPhrasing(cell, info))),
      ),
  },
}
