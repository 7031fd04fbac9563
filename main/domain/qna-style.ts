// What InstructLab's YAML linter stops at although the content is sound: spaces at line ends, foreign line breaks, a missing final
// line break, lines that are too long. Hints only, each with the edits that end it for the whole file.

import { isScalar, type Pair, parseDocument, type Scalar, stringify, visit } from 'yaml'
import type { QnaProblem, RepairKind, TextEdit } from '../contract/taxonomy.ts'
import { applyEdits, lineStart } from './text-edits.ts'

/** InstructLab's own limit. */
const maxLineLength = 120
const foldedWidth = 100

/** Hints on the form of a text that was read without errors. */
export function checkStyle(text: string): QnaProblem[] {
  return [findTrailingSpaces(text), findLineEnds(text), findFinalNewline(text), findLongLines(text)].filter(
    (problem) => problem !== null,
  )
}

interface Finding {
  kind: RepairKind
  message: string
  remedy: string
  edits: TextEdit[]
}

function hint(text: string, at: number, { kind, message, remedy, edits }: Finding): QnaProblem {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - lineStart(text, at) + 1
  const problem: QnaProblem = { severity: 'hint', line, column, field: '', message, remedy }
  return edits.length > 0 ? { ...problem, repair: { kind, edits } } : problem
}

const removed = (match: RegExpMatchArray, start = match.index ?? 0): TextEdit => ({
  start,
  end: start + match[0].length,
  text: '',
})

function findTrailingSpaces(text: string): QnaProblem | null {
  const edits = [...text.matchAll(/[ \t]+(?=\r?\n|$)/g)].map((match) => removed(match))
  const [first] = edits
  if (!first) return null
  const message = `${edits.length === 1 ? 'A line ends' : `${edits.length} lines end`} with spaces.`
  return hint(text, first.start, { kind: 'trailing-spaces', message, remedy: 'Delete the spaces at the end.', edits })
}

function findLineEnds(text: string): QnaProblem | null {
  const edits = [...text.matchAll(/\r\n?/g)].map((match) => ({ ...removed(match), text: '\n' }))
  const [first] = edits
  if (!first) return null
  const message = 'The lines end as on Windows.'
  return hint(text, first.start, { kind: 'line-ends', message, remedy: 'Save the file with Unix line ends.', edits })
}

function findFinalNewline(text: string): QnaProblem | null {
  if (text.endsWith('\n')) return null
  const edits = [{ start: text.length, end: text.length, text: '\n' }]
  const message = 'The last line does not end with a line break.'
  return hint(text, text.length, { kind: 'final-newline', message, remedy: 'End the file with an empty line.', edits })
}

function findLongLines(text: string): QnaProblem | null {
  const long = longLines(text)
  const [first] = long
  if (!first) return null
  const count = long.length === 1 ? 'A line is' : `${long.length} lines are`
  const message = `${count} longer than ${maxLineLength} characters.`
  const edits = foldLongLines(text, long)
  return hint(text, first.start + maxLineLength, {
    kind: 'long-lines',
    message,
    remedy: 'Write the text under "key: >-", broken at spaces.',
    edits,
  })
}

interface Line {
  start: number
  end: number
}

/** Lines over the limit that have a place to break. */
function longLines(text: string): Line[] {
  const lines: Line[] = []
  let start = 0
  for (const line of text.split('\n')) {
    const end = start + line.replace(/\r$/, '').length
    if (end - start > maxLineLength && /\S\s+\S+\s+\S/.test(line)) lines.push({ start, end })
    start += line.length + 1
  }
  return lines
}

/** Writes the texts that run over long lines as folded ones; nothing where that would change what the file says. */
function foldLongLines(text: string, lines: readonly Line[]): TextEdit[] {
  const document = parseDocument(text, { logLevel: 'silent' })
  const edits: TextEdit[] = []
  visit(document, {
    Pair: (_, pair) => {
      const edit = foldPair(text, pair, lines)
      if (edit) edits.push(edit)
    },
  })
  if (edits.length === 0) return []
  const folded = applyEdits(text, edits)
  const said = (of: string) => JSON.stringify(parseDocument(of, { logLevel: 'silent' }).toJS({ maxAliasCount: 100 }))
  return said(folded) === said(text) && longLines(folded).length < lines.length ? edits : []
}

function foldPair(text: string, pair: Pair, lines: readonly Line[]): TextEdit | null {
  const { key, value } = pair
  if (!isScalar(key) || !isScalar(value) || typeof value.value !== 'string') return null
  const [start, end] = value.range ?? [0, 0]
  if (value.anchor || !lines.some((line) => line.start < end && start < line.end)) return null
  const keyStart = key.range?.[0] ?? 0
  const indent = ' '.repeat(keyStart - lineStart(text, keyStart))
  const written = stringify(
    { k: value.value },
    { defaultKeyType: 'PLAIN', defaultStringType: 'BLOCK_FOLDED', lineWidth: foldedWidth },
  )
  const [header = '', ...content] = written.slice('k: '.length).replace(/\n$/, '').split('\n')
  const body = content.map((line) => (line === '' ? '' : indent + line))
  const isBlock = blockTypes.includes(value.type ?? '')
  return { start, end, text: [header, ...body].join('\n') + (isBlock ? '\n' : '') }
}

const blockTypes: readonly (Scalar.Type | '')[] = ['BLOCK_FOLDED', 'BLOCK_LITERAL']
