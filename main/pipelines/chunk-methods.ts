// The document.* methods that show and edit chunks.

import type { DocumentId } from '../contract/ids.ts'
import type { ChunkEdit } from '../domain/chunk-edits.ts'
import { editChunks, previewChunks } from './chunks.ts'
import { requireDocument } from './documents.ts'
import type { Handlers, Lab } from './lab.ts'
import { chunkTokensOf } from './student-tokens.ts'

type ChunkMethods = 'document.chunks' | 'document.tokens' | 'document.edit' | 'document.undo' | 'document.redo'

export function chunkMethods(lab: Lab): Handlers<ChunkMethods> {
  const edit = async (
    { documentId, tokens }: { documentId: DocumentId; tokens?: number | undefined },
    act: ChunkEdit | 'undo' | 'redo',
  ) => {
    requireDocument(lab.project(), documentId)
    const chunks = await editChunks(lab, { documentId, act, wish: { maxTokens: tokens } })
    lab.emit({ kind: 'changed', what: 'documents' })
    return chunks
  }
  return {
    'document.chunks': ({ documentId, tokens }) => {
      const project = lab.project()
      requireDocument(project, documentId)
      return previewChunks(project, documentId, { maxTokens: tokens })
    },
    'document.tokens': () => chunkTokensOf(lab.project()),
    'document.edit': (input) => edit(input, input.edit),
    'document.undo': (input) => edit(input, 'undo'),
    'document.redo': (input) => edit(input, 'redo'),
  }
}
