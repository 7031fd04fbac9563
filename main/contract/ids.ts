// Branded identifiers. An id of one kind cannot be handed where another kind is meant; all are opaque strings on the wire.

import { z } from 'zod'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

export type ModelId = Branded<'model'>
/** A leaf's identity is its taxonomy path, e.g. `knowledge/science/birds/chickadee`. */
export type LeafPath = Branded<'leaf'>
export type DocumentId = Branded<'document'>
export type ChunkId = Branded<'chunk'>
export type SeedId = Branded<'seed'>
export type GenerationId = Branded<'generation'>
export type CandidateId = Branded<'candidate'>
export type DatasetId = Branded<'dataset'>
export type TuningId = Branded<'tuning'>
export type CheckpointId = Branded<'checkpoint'>
export type ExamId = Branded<'exam'>
export type EvaluationId = Branded<'evaluation'>
export type JobId = Branded<'job'>

/** A zod schema for one kind of id. */
export function idSchema<Id extends string>(): z.ZodType<Id> {
  return z.string().min(1).max(400) as unknown as z.ZodType<Id>
}
