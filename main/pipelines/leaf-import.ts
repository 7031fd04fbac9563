// Takes one leaf into the project from the texts of its files. A refused qna.yaml changes nothing; a leaf whose import was cut short (its
// rows and documents are many writes) says so until it is imported again. What a user set by hand (persona, language) outlives an import.

import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LeafPath } from '../contract/ids.ts'
import type { ImportOutcome, QnaProblem } from '../contract/taxonomy.ts'
import { toAppError } from '../contract/errors.ts'
import { parseAttribution } from '../domain/attribution.ts'
import { branchOf, checkLeafPath } from '../domain/leaf-path.ts'
import { inferLanguage, inferPersona } from '../domain/leaf-traits.ts'
import { type PublicRow, readPublicRows } from '../domain/public-rows.ts'
import { readQna } from '../domain/qna.ts'
import type { QnaContent } from '../domain/qna-form.ts'
import { addTurns, hasTurns, readSidecar, type Sidecar } from '../domain/sidecar.ts'
import { saveRevised } from '../store/leaf-revisions.ts'
import { findLeaf, publicRowBatch, saveLeafProblems, savePublicRows } from '../store/taxonomy.ts'
import { addDocument, keepContent, type ReadFile } from './documents.ts'
import type { Lab, OpenProject } from './lab.ts'

/** The files of one leaf, as texts. */
export interface LeafFiles {
  path: LeafPath
  /** qna.yaml. */
  qna: string
  /** attribution.txt; empty where there is none. */
  attribution: string
  /** labdesk.yaml. */
  sidecar?: string
  /** dataset.jsonl of a foundational leaf. */
  dataset?: string
  documents: { name: string; text: string; file?: ReadFile }[]
  /** Found before the texts were read, e.g. documents that are missing. */
  problems?: QnaProblem[]
}

/** Imports a leaf. `source` is what the outcome calls it: the path of its file. */
export async function importLeaf(lab: Lab, files: LeafFiles, source: string): Promise<ImportOutcome> {
  const pathProblems = checkLeafPath(files.path)
  const branch = branchOf(files.path)
  if (!branch || pathProblems.some(({ severity }) => severity === 'error')) {
    return { path: source, outcome: 'refused', problems: pathProblems }
  }
  const qna = readQna(files.qna, branch)
  const problems = [...pathProblems, ...qna.problems]
  if (!qna.content) return { path: source, outcome: 'refused', problems }
  const isFoundational = branch === 'foundational_skills'
  const dataset = isFoundational && files.dataset ? readPublicRows(files.dataset) : { rows: [], problems: [] }
  const beside = files.sidecar === undefined ? null : readSidecar(files.sidecar)
  problems.push(...checkAttribution(files.attribution), ...(beside?.problems ?? []), ...dataset.problems)
  // What is one write cannot be cut short.
  const isLong = dataset.rows.length > 0 || files.documents.length > 0
  const parts = { content: qna.content, sidecar: beside?.sidecar, isSourceCurrent: qna.outcome === 'valid' }
  await saveFiles(lab, files, { ...parts, problems: isLong ? [...problems, cutShort] : problems })
  if (isFoundational) await saveRows(lab.project(), files.path, dataset.rows)
  // What documents are missing or unreadable is told once; it is not a lasting problem of the leaf.
  const passing = [...(files.problems ?? [])]
  for (const document of files.documents) passing.push(...(await tryDocument(lab, files.path, document)))
  if (isLong) saveLeafProblems(lab.project().db, files.path, problems)
  return { path: source, outcome: qna.outcome, leaf: files.path, problems: [...problems, ...passing] }
}

/** Stands with a leaf while it is being imported. */
const cutShort: QnaProblem = {
  severity: 'warning',
  line: 1,
  column: 1,
  field: 'qna.yaml',
  message: 'The import of this leaf was cut short; some of its rows or documents may be missing.',
  remedy: 'Import the folder again.',
}

async function saveRows({ db }: OpenProject, leaf: LeafPath, rows: readonly PublicRow[]): Promise<void> {
  for (let from = 0; from === 0 || from < rows.length; from += publicRowBatch) {
    savePublicRows(db, { leaf, from }, rows.slice(from, from + publicRowBatch))
    await nextTurn()
  }
}

interface LeafParts {
  content: QnaContent
  sidecar: Sidecar | undefined
  isSourceCurrent: boolean
  problems: QnaProblem[]
}

async function saveFiles(lab: Lab, files: LeafFiles, { content, sidecar, ...state }: LeafParts): Promise<void> {
  const project = lab.project()
  const known = findLeaf(project.db, files.path)
  const kept = files.dataset === undefined ? null : await keepContent(project, files.dataset)
  const { version: _, ...leaf } = content
  const texts = content.seeds.map(({ question, answer }) => `${question}\n${answer}`).join('\n')
  // Turns a user wrote here outlive an import of a folder without its labdesk.yaml, as persona and language do.
  const conversations = sidecar ?? { conversations: (known?.seeds ?? []).filter(hasTurns) }
  saveRevised(
    project.db,
    {
      ...leaf,
      ...state,
      seeds: addTurns(content.seeds, conversations),
      path: files.path,
      persona: sidecar?.persona ?? known?.persona ?? inferPersona(files.path, content.taskDescription),
      language: sidecar?.language ?? known?.language ?? inferLanguage(texts),
      answerFormat: sidecar?.answerFormat ?? known?.answerFormat,
      attribution: files.attribution,
      sourceText: files.qna,
      publicFileSha256: kept?.sha256 ?? null,
    },
    { act: 'imported', nowMs: lab.now() },
  )
}

/** What is wrong with an attribution.txt; an empty text is none. */
export function checkAttribution(text: string): QnaProblem[] {
  if (text !== '') return parseAttribution(text).problems
  const message = 'There is no attribution.txt beside it.'
  const remedy = 'Add one that says where the texts come from, if you want to share the leaf.'
  return [{ severity: 'hint', line: 1, column: 1, field: 'attribution.txt', message, remedy }]
}

async function tryDocument(lab: Lab, leaf: LeafPath, document: LeafFiles['documents'][number]): Promise<QnaProblem[]> {
  try {
    await addDocument(lab, { leaf, ...document })
    return []
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown)
    if (code !== 'bad-document') throw thrown
    return [{ severity: 'warning', line: 1, column: 1, field: 'document', message, remedy }]
  }
}
