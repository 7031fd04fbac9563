// Dataset rows as files of other programs: InstructLab's train, test, messages and phase files with their recipes (lab-method section 6),
// plain messages, and Labdesk's own lossless form. Pure text; who writes it where is not decided here.

import { stringify } from 'yaml'
import type { DatasetRow } from '../contract/curation.ts'
import { type GroundedRow, openBookTurn, retrievalTurn, type SourceText } from './retrieval-rows.ts'

export const exportFormats = ['labdesk', 'messages', 'train', 'instructlab'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** A file to write: lines are JSON without the line end, unless `text` holds the whole. */
export interface ExportFile {
  name: string
  rowCount: number
  text: string
}

/** What rows of knowledge were made from: their own chunks by row, and the texts of the whole project as distractors. */
export interface RowSources {
  grounded: readonly GroundedRow[]
  texts: readonly SourceText[]
}

/**
 * Files of `rows` in a format. `stem` names the dataset within file names; it is made safe for any file system. Phase files with
 * documents are written for rows whose chunk is known.
 */
export function exportFiles(
  format: ExportFormat,
  rows: readonly DatasetRow[],
  { stem, sources = { grounded: [], texts: [] } }: { stem: string; sources?: RowSources | undefined },
): ExportFile[] {
  const name = safeStem(stem)
  const train = rows.filter((row) => row.split === 'train')
  const test = rows.filter((row) => row.split === 'validation')
  switch (format) {
    case 'labdesk':
      return [lines(`labdesk_${name}.jsonl`, rows, labdeskRow)]
    case 'messages':
      return [
        lines(`messages_${name}.jsonl`, train, messagesRow),
        ...held(`messages_test_${name}.jsonl`, test, messagesRow),
      ]
    case 'train':
      return [lines(`train_${name}.jsonl`, train, trainRow), ...held(`test_${name}.jsonl`, test, trainRow)]
    case 'instructlab':
      return [
        lines(`train_${name}.jsonl`, train, trainRow),
        lines(`test_${name}.jsonl`, test, trainRow),
        lines(`messages_${name}.jsonl`, train, messagesRow),
        ...phaseFiles(
          'knowledge',
          train.filter((row) => row.branch === 'knowledge'),
          name,
        ),
        ...phaseFiles(
          'skills',
          train.filter((row) => row.branch !== 'knowledge'),
          name,
        ),
        ...nodeFiles(train, sources, name),
      ]
  }
}

/** `{"system","user","assistant"}` */
export function trainRow(row: DatasetRow): object {
  return { system: row.system, user: row.user, assistant: row.assistant }
}

/** `{"messages":[...],"metadata":"<json string>"}` */
export function messagesRow(row: DatasetRow): object {
  return { messages: conversation(row), metadata: metadata(row) }
}

/** `{"id","messages","metadata","unmask"}`: only what the assistant says is trained on. */
export function phaseRow(row: DatasetRow): object {
  return { id: row.origin, messages: conversation(row), metadata: metadata(row), unmask: false }
}

/** Every field but the number, which the order gives. */
export function labdeskRow(row: DatasetRow): object {
  const { origin, leaf, branch, split, system, user, assistant } = row
  return { origin, leaf, branch, split, system, user, assistant }
}

/**
 * InstructLab's phase files by leaf: `_p07` asks each question behind its own chunk; `_p10` has the same and retrieval rows beside.
 * `unmask`: the documents are learnt too.
 */
function nodeFiles(rows: readonly DatasetRow[], { grounded, texts }: RowSources, name: string): ExportFile[] {
  const byOrigin = new Map(grounded.map((row) => [row.origin, row]))
  const leaves = Map.groupBy(
    rows.filter(({ origin }) => byOrigin.has(origin)),
    ({ leaf }) => leaf,
  )
  return [...leaves].flatMap(([leaf, own]) => {
    const told = (user: (row: GroundedRow) => string | null) =>
      own.flatMap((row) => {
        const source = byOrigin.get(row.origin)
        const text = source ? user(source) : null
        return text === null ? [] : [{ ...row, user: text }]
      })
    const openBook = told(openBookTurn)
    const retrieval = told((row) => retrievalTurn(row, texts, name))
    const file = `node_datasets_${name}/${leaf.replaceAll('/', '_')}`
    return [
      lines(`${file}_p07.jsonl`, openBook, unmaskedRow),
      lines(`${file}_p10.jsonl`, [...openBook, ...retrieval], unmaskedRow),
    ]
  })
}

function unmaskedRow(row: DatasetRow): object {
  return { ...phaseRow(row), unmask: true }
}

function conversation(row: DatasetRow): { role: string; content: string }[] {
  const system = row.system === '' ? [] : [{ role: 'system', content: row.system }]
  return [...system, { role: 'user', content: row.user }, { role: 'assistant', content: row.assistant }]
}

function metadata(row: DatasetRow): string {
  return JSON.stringify({ leaf: row.leaf, branch: row.branch, origin: row.origin })
}

/** One phase's rows and the recipe that names them, as InstructLab's mixing step reads it. */
function phaseFiles(phase: 'knowledge' | 'skills', rows: DatasetRow[], name: string): ExportFile[] {
  if (rows.length === 0) return []
  const data = lines(`${phase}_train_msgs_${name}.jsonl`, rows, phaseRow)
  const systems = new Set(rows.map((row) => row.system))
  const only = systems.size === 1 ? [...systems][0] : ''
  const recipe = stringify({
    datasets: [{ path: data.name, sampling_size: rows.length }],
    metadata: { sys_prompt: only },
  })
  return [data, { name: `${phase}_recipe_${name}.yaml`, rowCount: 1, text: recipe }]
}

function held(name: string, rows: DatasetRow[], shape: (row: DatasetRow) => object): ExportFile[] {
  return rows.length === 0 ? [] : [lines(name, rows, shape)]
}

function lines(name: string, rows: readonly DatasetRow[], shape: (row: DatasetRow) => object): ExportFile {
  return { name, rowCount: rows.length, text: rows.map((row) => `${JSON.stringify(shape(row))}\n`).join('') }
}

/** Letters, digits, `-` and `_` of any script; never empty. */
export function safeStem(stem: string): string {
  return (
    stem
      .normalize('NFKC')
      .replace(/[^\p{L}\p{N}_-]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 80) || 'dataset'
  )
}
