// Imports a folder tree of qna.yaml files. Every file found ends as valid, upgraded or refused; a file that cannot be read is one
// refused outcome and the next one follows. Small leaves are written many at a time, one transaction for all.

import { toAppError } from '../contract/errors.ts'
import type { ImportOutcome } from '../contract/taxonomy.ts'
import { sidecarName } from '../domain/sidecar.ts'
import { readBytesAsDocument } from './documents.ts'
import { type FoundFile, resolveFolder } from './folder-walk.ts'
import type { Lab } from './lab.ts'
import { DocumentsFolder } from './leaf-documents.ts'
import { importSupplied, importTogether, type LeafFiles, readLeaf, type ReadLeaf } from './leaf-import.ts'
import { readQnaText, readText, refuse, type TaxonomyFolder, walkTaxonomy } from './taxonomy-folder.ts'

const datasetLimit = { maxBytes: 256 * 1024 * 1024, remedy: 'Make a smaller file of the rows that matter most.' }

/** Leaves read side by side and written together at most, and the bytes of their files. */
const batch = { leaves: 64, bytes: 16 * 1024 * 1024 }

/** Imports every leaf below `folder`; texts of knowledge leaves are looked up in `documentsFolder`. Throws `not-found`, `bad-input`. */
export async function importTaxonomy(
  lab: Lab,
  { folder, documentsFolder }: { folder: string; documentsFolder?: string },
): Promise<ImportOutcome[]> {
  const taxonomy = await walkTaxonomy(folder)
  const documents = documentsFolder === undefined ? null : await openDocuments(lab, documentsFolder)
  const outcomes: ImportOutcome[] = [...taxonomy.refused]
  let done = 0
  for await (const leaves of readAhead(taxonomy)) {
    outcomes.push(...(await takeIn(lab, leaves, { taxonomy, documents })))
    done += leaves.length
    lab.emit({ kind: 'taxonomy.import', done, total: taxonomy.leaves.length })
  }
  lab.emit({ kind: 'changed', what: 'taxonomy' })
  lab.emit({ kind: 'changed', what: 'documents' })
  return outcomes
}

/** Leaves in batches; while one is taken in, the files of the next are read. */
async function* readAhead(taxonomy: TaxonomyFolder): AsyncGenerator<(FoundLeaf | ImportOutcome)[]> {
  let reading: Promise<(FoundLeaf | ImportOutcome)[]> | null = null
  for (const files of batches(taxonomy.leaves)) {
    const next = Promise.all(files.map((file) => readFiles(file, taxonomy)))
    // Told when its turn comes.
    next.catch(() => undefined)
    if (reading) yield await reading
    reading = next
  }
  if (reading) yield await reading
}

function* batches(files: readonly FoundFile[]): Generator<FoundFile[]> {
  let group: FoundFile[] = []
  let bytes = 0
  for (const file of files) {
    if (group.length >= batch.leaves || (group.length > 0 && bytes + file.sizeBytes > batch.bytes)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(file)
    bytes += file.sizeBytes
  }
  if (group.length > 0) yield group
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
interface FoundLeaf extends ReadLeaf {
  file: FoundFile
}

/** The small files of one leaf, or why they are none. */
function readFiles(file: FoundFile, taxonomy: TaxonomyFolder): Promise<FoundLeaf | ImportOutcome> {
  return orRefused(file, async () => {
    const path = taxonomy.leafOf(file)
    if (typeof path !== 'string') return path
    const qna = await readQnaText(file)
    const attribution = taxonomy.beside(file, 'attribution.txt')
    const sidecar = taxonomy.beside(file, sidecarName)
    const files: LeafFiles = {
      path,
      qna,
      attribution: attribution ? await readQnaText(attribution) : '',
      ...(sidecar && { sidecar: await readQnaText(sidecar) }),
    }
    const leaf = readLeaf(files, file.path)
    return 'files' in leaf ? { ...leaf, file } : leaf
  })
}

/** Leaves in their order: those of small files alone in one write, so that the disk is waited for once and not for each. */
async function takeIn(
  lab: Lab,
  leaves: readonly (FoundLeaf | ImportOutcome)[],
  { taxonomy, documents }: Sources,
): Promise<ImportOutcome[]> {
  const outcomes: ImportOutcome[] = []
  let together: FoundLeaf[] = []
  const flush = () => {
    outcomes.push(...importTogether(lab, together))
    together = []
  }
  for (const leaf of leaves) {
    if (!('files' in leaf)) {
      flush()
      outcomes.push(leaf)
      continue
    }
    const { branch, documentSource } = leaf.content
    const dataset = branch === 'foundational_skills' ? taxonomy.beside(leaf.file, 'dataset.jsonl') : undefined
    const source = branch === 'knowledge' ? documentSource : null
    if (!dataset && !(documents && source)) {
      together.push(leaf)
      continue
    }
    flush()
    outcomes.push(
      await orRefused(leaf.file, async () => {
        const found = documents && source ? await documents.find(leaf.files.path, source) : { documents: [] }
        return importSupplied(lab, leaf, {
          ...found,
          ...(dataset && { dataset: await readText(dataset, datasetLimit) }),
        })
      }),
    )
  }
  flush()
  return outcomes
}

async function orRefused<Outcome>(file: FoundFile, read: () => Promise<Outcome>): Promise<Outcome | ImportOutcome> {
  try {
    return await read()
  } catch (thrown) {
    const { code, message, remedy } = toAppError(thrown)
    // A full disk or a broken database is not this file's fault, and would befall the next one too.
    if (code === 'disk-full' || code === 'database' || code === 'internal') throw thrown
    return refuse(file.path, { message, remedy })
  }
}
