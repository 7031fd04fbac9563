// Inputs of what users do with documents: files sent whole, chunks cut, joined and left out.

import { z } from 'zod'
import { type DocumentId, idSchema } from './ids.ts'

/** A file sent in one call; with its frame it stays below what the web host takes. */
export const maxUploadCharacters = 28_000_000
/** A document and the size its chunks are shown at, in tokens. */
export const cutDocument = z.object({
  documentId: idSchema<DocumentId>(),
  tokens: z.number().int().min(20).max(8192).optional(),
})
const offset = z.number().int().min(0)
/** Places are UTF-16 offsets in the document's text: where the second of two chunks begins, or what a chunk spans. */
export const chunkEdit = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['cut', 'join']), at: offset }),
  z.object({ kind: z.enum(['exclude', 'include']), start: offset, end: offset }),
])
