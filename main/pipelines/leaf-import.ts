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

/** The small files of one leaf, as texts. */
export interface LeafFiles {
  path: LeafPath
  /** qna.yaml. */
  qna: string
  /** attribution.txt; empty where there is none. */
  attribution: string
  /** labdesk.yaml. */
  sidecar?: string
}

/** What of a leaf takes many writes, or may be missing. */
export interface LeafSupplies {
  /** dataset.jsonl of a foundational leaf. */
  dataset?: string
  documents: { name: string; text: string; file?: ReadFile }[]
  /** Documents that are missing or unreadable. */
  problems?: QnaProblem[]
}

/** A leaf whose files say what a leaf has to say. */
export interface ReadLeaf {
  files: LeafFiles
  /** What the outcome calls it: the path of its file. */
  source: string
  outcome: 'valid' | 'upgraded'
  content: QnaContent
  sidecar: Sidecar | undefined
  problems: QnaProblem[]
}

/** Reads a leaf's texts, or refuses it. */
export function readLeaf(files: LeafFiles, source: string): ReadLeaf | ImportOutcome {
  const pathProblems = checkLeafPath(files.path)
  const branch = branchOf(files.path)
  if (!branch || pathProblems.some(({ severity }) => severity === 'error')) {
    return { path: source, outcome: 'refused', problems: pathProblems }
  }
  const { content, outcome, problems: found } = readQna(files.qna, branch)
  const problems = [...pathProblems, ...found]
  if (!content || outcome === 'refused') return { path: source, outcome: 'refused', problems }
  const beside = files.sidecar === undefined ? null : readSidecar(files.sidecar)
  problems.push(...checkAttribution(files.attribution), ...(beside?.problems ?? []))
  return { files, source, outcome, content, sidecar: beside?.sidecar, problems }
}

/** Takes in leaves that are their small files and nothing else: all of them in one write, or none. */
export function importTogether(lab: Lab, leaves: readonly ReadLeaf[]): ImportOutcome[] {
  const { db } = lab.project()
  return db.transaction(() =>
    leaves.map((leaf) => {
      saveTexts(lab, leaf, { problems: leaf.problems, publicFileSha256: null })
      if (leaf.content.branch === 'foundational_skills') savePublicRows(db, { leaf: leaf.files.path, from: 0 }, [])
      return outcomeOf(leaf, leaf.problems)
    }),
  )()
}

/** Takes in a leaf with its rows and documents, which are many writes. */
export async function importSupplied(lab: Lab, leaf: ReadLeaf, supplies: LeafSupplies): Promise<ImportOutcome> {
  const project = lab.project()
  const { path } = leaf.files
  const dataset = supplies.dataset ? readPublicRows(supplies.dataset) : { rows: [], problems: [] }
  const kept = supplies.dataset === undefined ? null : await keepContent(project, supplies.dataset)
  const problems = [...leaf.problems, ...dataset.problems]
  const isLong = dataset.rows.length > 0 || supplies.documents.length > 0
  saveTexts(lab, leaf, {
    problems: isLong ? [...problems, cutShort] : problems,
    publicFileSha256: kept?.sha256 ?? null,
  })
  if (leaf.content.branch === 'foundational_skills') await saveRows(project, path, dataset.rows)
  // What documents are missing or unreadable is told once; it is not a lasting problem of the leaf.
  const passing = [...(supplies.problems ?? [])]
  for (const document of supplies.documents) passing.push(...(await tryDocument(lab, path, document)))
  if (isLong) saveLeafProblems(project.db, path, problems)
  return outcomeOf(leaf, [...problems, ...passing])
}

function outcomeOf({ source, outcome, files }: ReadLeaf, problems: QnaProblem[]): ImportOutcome {
  return { path: source, outcome, leaf: files.path, problems }
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

function saveTexts(
  lab: Lab,
  { files, content, sidecar, outcome }: ReadLeaf,
  state: { problems: QnaProblem[]; publicFileSha256: string | null },
): void {
  const { db } = lab.project()
  const known = findLeaf(db, files.path)
  const { version: _, ...leaf } = content
  const texts = content.seeds.map(({ question, answer }) => `${question}\n${answer}`).join('\n')
  // Turns a user wrote here outlive an import of a folder without its labdesk.yaml, as persona and language do.
  const conversations = sidecar ?? { conversations: (known?.seeds ?? []).filter(hasTurns) }
  saveRevised(
    db,
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
      isSourceCurrent: outcome === 'valid',
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

async function tryDocument(
  lab: Lab,
  leaf: LeafPath,
  document: LeafSupplies['documents'][number],
): Promise<QnaProblem[]> {
  try {
    await addDocument(lab, { leaf, ...document })
    return []
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown)
    if (code !== 'bad-document') throw thrown
    return [{ severity: 'warning', line: 1, column: 1, field: 'document', message, remedy }]
  }
}
