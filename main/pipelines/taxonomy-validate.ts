// Checks a folder of qna.yaml files without importing it, and mends it when asked to. Needs no project and writes nothing but the files
// it repaired.

import type { FileReport } from '../contract/authoring.ts'
import { toAppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { ImportOutcome } from '../contract/taxonomy.ts'
import { branchOf, checkLeafPath } from '../domain/leaf-path.ts'
import { readQna } from '../domain/qna.ts'
import { repairQna } from '../domain/qna-repair.ts'
import { readSidecar, sidecarName } from '../domain/sidecar.ts'
import { writeFileDurably } from './durable-file.ts'
import { type FoundFile, resolveFolder } from './folder-walk.ts'
import { DocumentsFolder } from './leaf-documents.ts'
import { checkAttribution } from './leaf-import.ts'
import { readQnaText, refuse, type TaxonomyFolder, walkTaxonomy } from './taxonomy-folder.ts'

export interface ValidateWish {
  folder: string
  /** Where passages for the contexts of old knowledge are taken from. */
  documentsFolder?: string | undefined
  /** Writes what the repairs make of a file over it. */
  fix?: boolean
}

/** A report for every file, the worst of which decides whether the folder is good. Throws `not-found`, `bad-input`. */
export async function validateTaxonomy({ folder, documentsFolder, fix = false }: ValidateWish): Promise<FileReport[]> {
  const taxonomy = await walkTaxonomy(folder)
  const documents = documentsFolder === undefined ? null : new DocumentsFolder(await resolveFolder(documentsFolder))
  const reports = taxonomy.refused.map((outcome) => reportOf(outcome, null))
  for (const file of taxonomy.leaves) {
    const leaf = taxonomy.leafOf(file)
    if (typeof leaf === 'string') reports.push(await checkFile(file, leaf, { taxonomy, documents, fix }))
    else reports.push(reportOf(leaf, null))
  }
  return reports
}

function reportOf({ path, outcome, problems }: ImportOutcome, leaf: LeafPath | null): FileReport {
  return { path, outcome, leaf, problems, repaired: [] }
}

interface Checking {
  taxonomy: TaxonomyFolder
  documents: DocumentsFolder | null
  fix: boolean
}

async function checkFile(file: FoundFile, leaf: LeafPath, { taxonomy, documents, fix }: Checking): Promise<FileReport> {
  const branch = branchOf(leaf) ?? 'compositional_skills'
  try {
    const text = await readQnaText(file)
    const source = documents ? readQna(text, branch).content?.documentSource : null
    const found = documents && source ? await documents.find(leaf, source) : { documents: [], problems: [] }
    const options = { documents: found.documents.map((document) => document.text) }
    const mended = fix ? repairQna(text, branch, options) : { text, made: [], file: readQna(text, branch, options) }
    if (mended.text !== text) await writeFileDurably(file.path, mended.text)
    const attribution = taxonomy.beside(file, 'attribution.txt')
    const sidecar = taxonomy.beside(file, sidecarName)
    const problems = [
      ...checkLeafPath(leaf),
      ...mended.file.problems,
      ...checkAttribution(attribution ? await readQnaText(attribution) : ''),
      ...(sidecar ? readSidecar(await readQnaText(sidecar)).problems : []),
      ...found.problems,
    ]
    const isRefused = problems.some(({ severity }) => severity === 'error')
    const outcome = isRefused ? 'refused' : mended.file.outcome
    return { path: file.path, outcome, leaf, problems, repaired: [...new Set(mended.made)] }
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown)
    if (code === 'disk-full' || code === 'internal') throw thrown
    return reportOf(refuse(file.path, { message, remedy }), leaf)
  }
}
