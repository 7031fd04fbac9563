// The document.* methods.

import { AppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import { listDocuments, removeDocument } from '../store/documents.ts'
import { findLeaf } from '../store/taxonomy.ts'
import { addDocument, chunksOf, importDocument, readDocument, requireDocument } from './documents.ts'
import type { Handlers, Lab } from './lab.ts'

type DocumentMethods =
  | 'document.list'
  | 'document.import'
  | 'document.add'
  | 'document.remove'
  | 'document.text'
  | 'document.chunks'

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
  return {
    'document.list': ({ leaf }) => listDocuments(lab.project().db, leaf),
    'document.import': async (input) => {
      requireKnowledge(input.leaf)
      const document = await importDocument(lab, input)
      announce()
      return document
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
    'document.chunks': ({ documentId, maxTokens }) => {
      const project = lab.project()
      requireDocument(project, documentId)
      return chunksOf(project, documentId, { maxTokens })
    },
  }
}
