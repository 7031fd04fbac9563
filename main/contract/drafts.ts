// What models say about documents and seeds before a person has looked: drafts of the teacher, and what the student answers with the
// book closed.

import type { ChunkId, DocumentId, ModelId, SeedId } from './ids.ts'

/** A proposal of the teacher. It stays a draft until the user takes it. */
export interface Draft {
  number: number
  kind: 'pair' | 'outline'
  documentId: DocumentId
  /** The chunk a pair was made from; null for an outline. */
  chunkId: ChunkId | null
  /** Its words; empty for an outline. */
  context: string
  /** Empty for an outline. */
  question: string
  /** The answer, or the outline. */
  answer: string
  modelId: ModelId
  createdAtMs: number
}

/** How well the student answers a seed's question without its document. */
export interface SeedCheck {
  seedId: SeedId
  modelId: ModelId
  answer: string
  /** ROUGE-L of both answers, 0 to 1. */
  similarity: number
  /** Of the seed's own answer after its question, in nats a token: nearer to 0 is more familiar. */
  logLikelihood: number
  mark: SeedMark
  checkedAtMs: number
}
/** `known`: the seed teaches the student little. */
export type SeedMark = 'known' | 'partly' | 'unknown'
