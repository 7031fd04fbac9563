// Imports a folder tree of qna.yaml files. Every file found ends as valid, upgraded or refused; a file that cannot be read is one
// refused outcome and the next one follows.

import { toAppError } from '../contract/errors.ts'
import type { ImportOutcome } from '../contract/taxonomy.ts'
import { branchOf } from '../domain/leaf-path.ts'
import { readQna } from '../domain/qna.ts'
import { sidecarName } from '../domain/sidecar.ts'
import { readBytesAsDocument } from './documents.ts'
import { type FoundFile, resolveFolder } from './folder-walk.ts'
import type { Lab } from './lab.ts'
import { DocumentsFolder } from './leaf-documents.ts'
import { importLeaf, type LeafFiles } from './leaf-import.ts'
import { readQnaText, readText, refuse, type TaxonomyFolder, walkTaxonomy } from './taxonomy-folder.ts'

const datasetLimit = { maxBytes: 256 * 1024 * 1024, remedy: 'Make a smaller file of the rows that matter most.' }

/** Imports every leaf below `folder`; texts of knowledge leaves are looked up in `documentsFolder`. Throws `not-found`, `bad-input`. */
export async function importTaxonomy(
  lab: Lab,
  { folder, documentsFolder }: { folder: string; documentsFolder?: string },
): Promise<ImportOutcome[]> {
  const taxonomy = await walkTaxonomy(folder)
  const documents = documentsFolder === undefined ? null : await openDocuments(lab, documentsFolder)
  const outcomes: ImportOutcome[] = [...taxonomy.refused]
  for (const file of taxonomy.leaves) outcomes.push(await importFile(lab, file, { taxonomy, documents }))
  lab.emit({ kind: 'changed', what: 'taxonomy' })
  lab.emit({ kind: 'changed', what: 'documents' })
  return outcomes
}

/** Documents of every kind, each read as it is when it is added by hand. */
async function openDocuments(lab: Lab, folder: string): Promise<DocumentsFolder> {
  return new DocumentsFolder(await resolveFolder(folder), async (name, bytes) => {
    const file = await readBytesAsDocument(lab, name, bytes)
    return { text: file.text, file }
  })
}

interface Sources {
  taxonomy: TaxonomyFolder
  documents: DocumentsFolder | null
}

async function importFile(lab: Lab, file: FoundFile, { taxonomy, documents }: Sources): Promise<ImportOutcome> {
  const path = taxonomy.leafOf(file)
  if (typeof path !== 'string') return path
  try {
    const qna = await readQnaText(file)
    const attribution = taxonomy.beside(file, 'attribution.txt')
    const sidecar = taxonomy.beside(file, sidecarName)
    const files: LeafFiles = {
      path,
      qna,
      attribution: attribution ? await readQnaText(attribution) : '',
      ...(sidecar && { sidecar: await readQnaText(sidecar) }),
      documents: [],
    }
    const dataset = branchOf(path) === 'foundational_skills' ? taxonomy.beside(file, 'dataset.jsonl') : undefined
    if (dataset) files.dataset = await readText(dataset, datasetLimit)
    const source = branchOf(path) === 'knowledge' ? readQna(qna, 'knowledge').content?.documentSource : null
    if (documents && source) Object.assign(files, await documents.find(path, source))
    return await importLeaf(lab, files, file.path)
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown)
    // A full disk or a broken database is not this file's fault, and would befall the next one too.
    if (code === 'disk-full' || code === 'database' || code === 'internal') throw thrown
    return refuse(file.path, { message, remedy })
  }
}
