// Imports a folder tree of qna.yaml files. Every file found ends as valid, upgraded or refused; a file that cannot be read is one
// refused outcome and the next one follows.

import { sep } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import type { ImportOutcome, QnaProblem } from '../contract/taxonomy.ts'
import { matchDocuments } from '../domain/document-match.ts'
import { branchOf, leafPathOf } from '../domain/leaf-path.ts'
import { readQna } from '../domain/qna.ts'
import { fileProblem, maxQnaCharacters } from '../domain/qna-tree.ts'
import { readBounded, readFileAsDocument } from './documents.ts'
import { type FolderContents, type FoundFile, walkFolder } from './folder-walk.ts'
import type { Lab } from './lab.ts'
import { importLeaf, type LeafFiles } from './leaf-import.ts'

/** UTF-8 takes at most four bytes a character; the text's own limit is checked when it is read. */
const qnaLimit = {
  maxBytes: 4 * maxQnaCharacters,
  remedy: 'Keep five to fifteen seeds; put long texts into documents.',
}
const datasetLimit = { maxBytes: 256 * 1024 * 1024, remedy: 'Make a smaller file of the rows that matter most.' }
/** Names people give the file; only the first is read, as InstructLab does. */
const qnaName = 'qna.yaml'
const almostQna = /^qna\.ya?ml$/i

/** Imports every leaf below `folder`; texts of knowledge leaves are looked up in `documentsFolder`. Throws `not-found`, `bad-input`. */
export async function importTaxonomy(
  lab: Lab,
  { folder, documentsFolder }: { folder: string; documentsFolder?: string },
): Promise<ImportOutcome[]> {
  const taxonomy = await walkFolder(folder)
  const documents = documentsFolder === undefined ? null : await walkFolder(documentsFolder)
  const leaves = taxonomy.files.filter(({ segments }) => almostQna.test(segments.at(-1) ?? ''))
  const outcomes: ImportOutcome[] = taxonomy.refused.map(({ path, ...why }) => refuse(path, why))
  if (leaves.length === 0 && outcomes.length === 0) {
    throw new AppError({
      code: 'bad-input',
      message: `There is no ${qnaName} in "${folder}" or below it.`,
      remedy: 'Choose the folder that holds knowledge, foundational_skills or compositional_skills.',
    })
  }
  for (const file of leaves) outcomes.push(await importFile(lab, file, { taxonomy, documents }))
  lab.emit({ kind: 'changed', what: 'taxonomy' })
  lab.emit({ kind: 'changed', what: 'documents' })
  return outcomes
}

interface Sources {
  taxonomy: FolderContents
  documents: FolderContents | null
}

async function importFile(lab: Lab, file: FoundFile, sources: Sources): Promise<ImportOutcome> {
  const name = file.segments.at(-1) ?? ''
  if (name !== qnaName) {
    const message = `The file is called "${name}".`
    return refuse(file.path, { message, remedy: `Rename it to "${qnaName}".` })
  }
  const path = leafPathOf(sources.taxonomy.root.split(sep), file.segments.slice(0, -1))
  if (path === null) {
    const message = 'The file lies under no branch.'
    const remedy = 'Put its folder under knowledge, foundational_skills or compositional_skills.'
    return refuse(file.path, { message, remedy })
  }
  try {
    const qna = await readText(file, qnaLimit)
    const files: LeafFiles = {
      path,
      qna,
      attribution: await readBeside(file, sources, 'attribution.txt'),
      documents: [],
    }
    if (branchOf(path) === 'foundational_skills') await addDataset(files, file, sources)
    if (branchOf(path) === 'knowledge') await addDocuments(lab, files, sources.documents)
    return await importLeaf(lab, files, file.path)
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown)
    // A full disk or a broken database is not this file's fault, and would befall the next one too.
    if (code === 'disk-full' || code === 'database' || code === 'internal') throw thrown
    return refuse(file.path, { message, remedy })
  }
}

function refuse(path: string, { message, remedy }: { message: string; remedy: string }): ImportOutcome {
  return { path, outcome: 'refused', problems: [fileProblem(message, remedy)] }
}

/** Text of a file whose bytes come back when it is written again: UTF-8, its mark kept. */
async function readText(file: FoundFile, limit: { maxBytes: number; remedy: string }): Promise<string> {
  const name = file.segments.at(-1) ?? ''
  if (file.sizeBytes > limit.maxBytes) {
    const message = `${name} is larger than ${Math.floor(limit.maxBytes / 1_000_000)} MB.`
    throw new AppError({ code: 'bad-qna', message, remedy: limit.remedy })
  }
  const bytes = await readBounded(file.path, limit.maxBytes)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    const remedy = 'Open it in an editor, save it with the encoding UTF-8, then import it again.'
    throw new AppError({ code: 'bad-qna', message: `${name} is not in UTF-8.`, remedy }, { cause: thrown })
  }
}

function findBeside(file: FoundFile, { taxonomy }: Sources, name: string): FoundFile | undefined {
  const wanted = [...file.segments.slice(0, -1), name].join('/')
  return taxonomy.files.find(({ segments }) => segments.join('/') === wanted)
}

async function readBeside(file: FoundFile, sources: Sources, name: string): Promise<string> {
  const found = findBeside(file, sources, name)
  return found ? readText(found, qnaLimit) : ''
}

async function addDataset(files: LeafFiles, file: FoundFile, sources: Sources): Promise<void> {
  const found = findBeside(file, sources, 'dataset.jsonl')
  if (found) files.dataset = await readText(found, datasetLimit)
}

/** Documents the leaf names, where they are in the folder given; what is missing or unreadable becomes a warning. */
async function addDocuments(lab: Lab, files: LeafFiles, documents: FolderContents | null): Promise<void> {
  const source = readQna(files.qna, 'knowledge').content?.documentSource
  if (!documents || !source) return
  const problems: QnaProblem[] = []
  const warn = (message: string, remedy: string) =>
    problems.push({ severity: 'warning', line: 1, column: 1, field: 'document.patterns', message, remedy })
  const found = matchDocuments({ path: files.path, patterns: source.patterns }, documents.files)
  if (found.length === 0) {
    warn(
      `No document of this leaf (${source.patterns.join(', ')}) is in ${documents.root}.`,
      'Put the files there and import again, or add them on the page of the leaf.',
    )
  }
  for (const { path, segments } of found) {
    const name = segments.at(-1) ?? ''
    try {
      const file = await readFileAsDocument(lab, path)
      files.documents.push({ name, text: file.text, file })
    } catch (thrown) {
      const { code, message, remedy } = toAppError(thrown)
      if (code !== 'bad-document' && code !== 'file-access') throw thrown
      warn(message, remedy)
    }
  }
  files.problems = problems
}
