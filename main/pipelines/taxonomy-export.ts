// Writes the taxonomy as a folder tree that InstructLab and Labdesk read: what was imported and not edited comes back byte for byte.
// Existing files of the same names are replaced; nothing else in the folder is touched.

import { mkdir, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ExportOutcome } from '../contract/curation.ts'
import { AppError } from '../contract/errors.ts'
import type { DocumentId } from '../contract/ids.ts'
import type { DocumentSource, DocumentSummary } from '../contract/taxonomy.ts'
import { readQna, writeQna } from '../domain/qna.ts'
import { sidecarName, writeSidecar } from '../domain/sidecar.ts'
import { listDocuments } from '../store/documents.ts'
import { findLeaf, listLeafPaths, listPublicRows, type StoredLeaf } from '../store/taxonomy.ts'
import { readContent, readDocument } from './documents.ts'
import { writeFileDurably } from './durable-file.ts'
import { isInside } from './folder-walk.ts'
import type { Lab, OpenProject } from './lab.ts'

/** Folder of the documents within the export; give it as the documents folder when importing. */
const documentsFolder = 'documents'

/**
 * Writes every leaf: qna.yaml, attribution.txt, dataset.jsonl, and its documents under `documents/<leaf>/`; `extended` adds a labdesk.yaml
 * with what InstructLab's form has no place for. Throws `file-access` where a link would lead a file out of the folder.
 */
export async function exportTaxonomy(
  lab: Lab,
  { folder, extended }: { folder: string; extended: boolean },
): Promise<ExportOutcome> {
  const project = lab.project()
  const files: ExportOutcome['files'] = []
  await mkdir(resolve(folder), { recursive: true })
  const root = await realpath(resolve(folder))
  const write = async (path: string, content: string | Uint8Array, rows: number) => {
    const target = join(root, path)
    await makeFolderInside(root, dirname(target))
    await writeFileDurably(target, content)
    files.push({ path: target, rows, sizeBytes: Buffer.byteLength(content) })
  }
  for (const path of listLeafPaths(project.db)) {
    const leaf = findLeaf(project.db, path)
    if (!leaf) continue
    await write(`${path}/qna.yaml`, textOf(project, leaf), leaf.seeds.length)
    if (extended) await write(`${path}/${sidecarName}`, writeSidecar(leaf), 1)
    if (leaf.attribution) await write(`${path}/attribution.txt`, leaf.attribution, 1)
    if (leaf.datasetRowCount > 0)
      await write(`${path}/dataset.jsonl`, await datasetOf(project, leaf), leaf.datasetRowCount)
    for (const { name, id } of withOwnNames(listDocuments(project.db, path))) {
      await write(`${documentsFolder}/${path}/${name}`, await readDocument(project, id), 1)
    }
  }
  return { files }
}

/** Makes a folder unless that would be outside: a link in the way may lead anywhere. */
async function makeFolderInside(root: string, folder: string): Promise<void> {
  const above = dirname(folder)
  if (folder !== root && above.length >= root.length) await makeFolderInside(root, above)
  await mkdir(folder, { recursive: true })
  if (isInside(root, await realpath(folder))) return
  throw new AppError({
    code: 'file-access',
    message: `"${folder}" is a link to a place outside "${root}", so nothing was written there.`,
    remedy: 'Delete the link, or export into an empty folder.',
  })
}

/** The file as imported, or the newest version of it. */
function textOf(project: OpenProject, leaf: StoredLeaf): string {
  if (leaf.sourceText !== null) {
    const upgraded = leaf.isSourceCurrent ? leaf.sourceText : readQna(leaf.sourceText, leaf.branch).upgradedText
    if (upgraded !== null) return upgraded
  }
  return writeQna({ ...leaf, documentSource: leaf.documentSource ?? localSource(project, leaf) })
}

/** Knowledge written here has no repository; its source names the documents that are exported with it. */
function localSource(project: OpenProject, leaf: StoredLeaf): DocumentSource | null {
  if (leaf.branch !== 'knowledge') return null
  const names = withOwnNames(listDocuments(project.db, leaf.path)).map(({ name }) => name)
  return names.length > 0 ? { repo: 'local', commit: 'none', patterns: names } : null
}

/** Documents of one leaf whose file names differ on every system; where two are called the same, the content's hash is added. */
function withOwnNames(documents: readonly DocumentSummary[]): { id: DocumentId; name: string }[] {
  const taken = new Set<string>()
  return documents.map(({ id, name, sha256 }) => {
    const own = taken.has(name.toLowerCase()) ? name.replace(/(\.[^.]*)?$/, `-${sha256.slice(0, 8)}$1`) : name
    taken.add(own.toLowerCase())
    return { id, name: own }
  })
}

async function datasetOf(project: OpenProject, leaf: StoredLeaf): Promise<string | Uint8Array> {
  const kept = leaf.publicFileSha256 && (await readContent(project, leaf.publicFileSha256))
  if (kept) return kept
  return listPublicRows(project.db, leaf.path)
    .map(({ system, context, question, answer }) => `${JSON.stringify({ system, context, question, answer })}\n`)
    .join('')
}
