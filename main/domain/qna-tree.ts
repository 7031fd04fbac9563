// A YAML text as a small tree in which every value knows its line and column. Owns YAML: syntax errors in the author's words,
// aliases, limits. Never throws; what cannot be read becomes a problem.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
} from 'yaml'
import type { QnaProblem } from '../contract/taxonomy.ts'

/** Larger files are refused unread: a leaf's seeds are a few pages. */
export const maxQnaCharacters = 1_000_000
const maxNodes = 50_000
const maxAliases = 100
const maxDepth = 20
const maxSyntaxProblems = 10

export interface Place {
  line: number
  column: number
  /** UTF-16 offsets in the text; the end is behind the last character, a block text's last line break included. */
  start: number
  end: number
}
export type QnaNode = Place &
  (
    | { kind: 'map'; entries: QnaEntry[] }
    | { kind: 'list'; nodes: QnaNode[] }
    /** `isBare`: written without quotes or a block mark. */
    | { kind: 'scalar'; value: unknown; isBare: boolean; source: string }
  )
export interface QnaEntry extends Place {
  key: string
  value: QnaNode
}

/** The tree, or null with at least one error among the problems. */
export function readTree(text: string): { root: QnaNode | null; problems: QnaProblem[] } {
  if (text.length > maxQnaCharacters) {
    const message = `The file is longer than ${maxQnaCharacters} characters.`
    return {
      root: null,
      problems: [fileProblem(message, 'Keep five to fifteen seeds; put long texts into documents.')],
    }
  }
  try {
    const lines = new LineCounter()
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
    const problems = document.errors.slice(0, maxSyntaxProblems).map((error) => syntaxProblem(error, lines))
    if (problems.length > 0) return { root: null, problems }
    const build = createBuilder(document, lines)
    return document.contents ? build(document.contents) : { root: null, problems: [emptyFile] }
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown
    // The parser recurses; a text of ten thousand brackets exhausts the stack. That is the file's fault, not ours.
    const why = thrown instanceof RangeError ? 'it is nested too deeply' : thrown.message
    return {
      root: null,
      problems: [fileProblem(`The file cannot be read as YAML: ${why}.`, 'Write it as a plain qna.yaml.')],
    }
  }
}

/** A problem of the file as a whole, shown at its first character. */
export function fileProblem(message: string, remedy: string): QnaProblem {
  return { severity: 'error', line: 1, column: 1, field: '', message, remedy }
}

const emptyFile = fileProblem('The file is empty.', 'Write at least created_by and seed_examples.')

/** Stops the walk; carries the one problem to show. */
class TreeFault extends Error {
  readonly problem: QnaProblem

  constructor(problem: QnaProblem) {
    super(problem.message)
    this.problem = problem
  }
}
const noAliases = 'Write the texts out instead of using aliases.'

function createBuilder(document: Document, lines: LineCounter) {
  let nodeCount = 0
  let aliasCount = 0

  const placeOf = (node: unknown, fallback: Place): Place => {
    const [start, end] = (node as Node | null)?.range ?? []
    if (start === undefined || end === undefined) return fallback
    const { line, col } = lines.linePos(start)
    return line > 0 ? { line, column: col, start, end } : fallback
  }

  const build = (node: unknown, fallback: Place, depth: number): QnaNode => {
    nodeCount++
    if (nodeCount > maxNodes || depth > maxDepth) {
      throw new TreeFault(fileProblem('The file repeats or nests its parts too often.', noAliases))
    }
    const place = placeOf(node, fallback)
    if (isAlias(node)) {
      aliasCount++
      if (aliasCount > maxAliases) {
        throw new TreeFault(fileProblem(`The file uses more than ${maxAliases} aliases (*name).`, noAliases))
      }
      const target = node.resolve(document)
      if (target) return { ...build(target, place, depth + 1), ...place }
      const message = `"*${node.source}" refers to nothing: a "*" at the beginning of a text makes it an alias.`
      const { line, column } = place
      throw new TreeFault({ ...fileProblem(message, 'Put the text in quotes.'), line, column })
    }
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }): QnaEntry => {
        const at = placeOf(key, place)
        return { ...at, key: keyText(key), value: build(value ?? null, { ...at, start: at.end }, depth + 1) }
      })
      return { ...place, kind: 'map', entries }
    }
    if (isSeq(node)) {
      return { ...place, kind: 'list', nodes: node.items.map((child) => build(child, place, depth + 1)) }
    }
    if (!isScalar(node)) return { ...place, kind: 'scalar', value: null, isBare: true, source: '' }
    return { ...place, kind: 'scalar', value: node.value, isBare: node.type === 'PLAIN', source: node.source ?? '' }
  }

  return (contents: unknown): { root: QnaNode | null; problems: QnaProblem[] } => {
    try {
      return { root: build(contents, { line: 1, column: 1, start: 0, end: 0 }, 0), problems: [] }
    } catch (thrown) {
      if (!(thrown instanceof TreeFault)) throw thrown
      return { root: null, problems: [thrown.problem] }
    }
  }
}

function keyText(key: unknown): string {
  if (isScalar(key)) return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
  return isAlias(key) ? `*${key.source}` : '(not a name)'
}

function syntaxProblem(error: YAMLError, lines: LineCounter): QnaProblem {
  const { line, col } = lines.linePos(error.pos[0])
  const known = syntaxWords[error.code]
  const message = known?.message ?? `This is not YAML: ${error.message.replace(/\s+at line \d+.*$/s, '')}.`
  const remedy = known?.remedy ?? 'Correct this line; compare its indentation and quotes with the lines around it.'
  return { severity: 'error', line: Math.max(1, line), column: Math.max(1, col), field: '', message, remedy }
}

const indentation = 'Indent with spaces only, and line up the keys of one seed.'
const syntaxWords: Partial<Record<YAMLError['code'], { message: string; remedy: string }>> = {
  DUPLICATE_KEY: { message: 'This key is given twice.', remedy: 'Delete one of the two.' },
  TAB_AS_INDENT: { message: 'The line is indented with a tab.', remedy: indentation },
  BAD_INDENT: { message: 'The line is not indented like its neighbours.', remedy: indentation },
  MULTIPLE_DOCS: {
    message: 'The file holds more than one YAML document.',
    remedy: 'Keep one leaf a file; delete the second "---".',
  },
  MISSING_CHAR: {
    message: 'A closing quote, bracket or colon is missing.',
    remedy: 'Close the quote or bracket, or put ": " between key and text.',
  },
  MULTILINE_IMPLICIT_KEY: {
    message: 'A key may not run over several lines; probably a quote or a colon is missing.',
    remedy: 'Write "key: |" and put the text on the next lines, indented.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'A colon stands inside the text of this line.',
    remedy: 'Put the whole text in quotes, or write it under "key: |".',
  },
  BAD_DQ_ESCAPE: {
    message: 'A backslash inside double quotes begins an unknown escape.',
    remedy: 'Double the backslash, or use single quotes.',
  },
  BAD_ALIAS: { message: 'A "*" or "&" begins this text, which makes it an alias.', remedy: 'Put the text in quotes.' },
}
