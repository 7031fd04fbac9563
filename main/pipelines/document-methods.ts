// The document.* methods, but for those of chunks.

import { AppError, toAppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { DocumentSummary } from '../contract/taxonomy.ts'
import { listDocuments, removeDocument } from '../store/documents.ts'
import { findLeaf } from '../store/taxonomy.ts'
import {
  addDocument,
  readBytesAsDocument,
  readDocument,
  type ReadFile,
  readFileAsDocument,
  requireDocument,
} from './documents.ts'
import type { Handlers, Lab } from './lab.ts'

type DocumentMethods =
  | 'document.list'
  | 'document.import'
  | 'document.upload'
  | 'document.add'
  | 'document.remove'
  | 'document.text'

export function documentMethods(lab: Lab): Handlers<DocumentMethods> {
  const announce = () => {
    lab.emit({ kind: 'changed', what: 'documents' })
    lab.emit({ kind: 'changed', what: 'taxonomy' })
  }
  const requireKnowledge = (path: LeafPath) => {
    const leaf = findLeaf(lab.project().db, path)
    if (leaf?.branch === 'knowledge') return
    throw new AppError({
      code: leaf ? 'bad-input' : 'not-found',
      message: leaf ? `"${path}" is a skill: its seeds teach it, not documents.` : `There is no leaf "${path}".`,
      remedy: 'Choose a leaf under knowledge/.',
    })
  }
  const add = async (leaf: LeafPath, file: ReadFile): Promise<DocumentSummary> => {
    const document = await addDocument(lab, { leaf, name: file.name, text: file.text, file })
    announce()
    return document
  }
  return {
    'document.list': ({ leaf }) => listDocuments(lab.project().db, leaf),
    'document.import': async ({ leaf, paths }) => {
      requireKnowledge(leaf)
      const outcome: { added: DocumentSummary[]; refused: { path: string; message: string; remedy: string }[] } = {
        added: [],
        refused: [],
      }
      for (const path of paths) {
        try {
          outcome.added.push(await add(leaf, await readFileAsDocument(lab, path)))
        } catch (thrown) {
          outcome.refused.push({ path, ...refusalOf(thrown) })
        }
      }
      return outcome
    },
    'document.upload': async ({ leaf, name, base64 }) => {
      requireKnowledge(leaf)
      return add(leaf, await readBytesAsDocument(lab, name, Buffer.from(base64, 'base64')))
    },
    'document.add': async (input) => {
      requireKnowledge(input.leaf)
      const document = await addDocument(lab, input)
      announce()
      return document
    },
    'document.remove': ({ documentId }) => {
      const project = lab.project()
      requireDocument(project, documentId)
      removeDocument(project.db, documentId, lab.now())
      announce()
      return null
    },
    'document.text': async ({ documentId }) => ({ text: await readDocument(lab.project(), documentId) }),
  }
}

/** Why one file was refused. What is not its fault (a full disk, a broken database) would befall the next one too, and is thrown. */
function refusalOf(thrown: unknown): { message: string; remedy: string } {
  const { code, message, remedy } = toAppError(thrown)
  if (code === 'disk-full' || code === 'database' || code === 'internal' || code === 'cancelled') throw thrown
  return { message, remedy }
}
