// Authoring a taxonomy: the leaf as it is being edited, checks and repairs of files, the history of a leaf, and what changed.

import { z } from 'zod'
import { type GenerationId, idSchema, type LeafPath } from './ids.ts'
import { answerFormats, branches, type ImportOutcome, type QnaProblem, type RepairKind } from './taxonomy.ts'

const leaf = idSchema<LeafPath>()
const text = (max: number) => z.string().max(max)
const path = z.string().min(1).max(4096)

const exchange = z.object({ question: text(20_000).min(1), answer: text(20_000).min(1) })
const seedDraft = exchange.extend({
  context: text(20_000).optional(),
  turns: z.array(exchange).max(20).optional(),
})
export const leafDraft = z.object({
  path: leaf,
  branch: z.enum(branches),
  taskDescription: text(4000).default(''),
  domain: text(400).default(''),
  documentOutline: text(4000).default(''),
  createdBy: text(200).default('labdesk'),
  persona: z.enum(['precise', 'creative']).default('precise'),
  language: text(20).default('en'),
  answerFormat: z.enum(answerFormats).default('text'),
  /** attribution.txt; without it the leaf keeps the one it has. */
  attribution: text(100_000).optional(),
  seeds: z.array(seedDraft).max(2000),
})
export type LeafDraft = z.infer<typeof leafDraft>

/** Where the text to repair stands: a qna.yaml on disk, or a leaf as it is being edited. */
export const repairSubject = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path, documentsFolder: path.optional() }),
  z.object({ kind: z.literal('leaf'), draft: leafDraft }),
])
export type RepairSubject = z.infer<typeof repairSubject>

/** What a repair makes of a text. */
export interface RepairOutcome {
  before: string
  after: string
  /** Repairs that were made. */
  made: RepairKind[]
  /** What is still to say about the text. */
  problems: QnaProblem[]
  /** The leaf as it would be; null where the text has errors. */
  draft: LeafDraft | null
}

/** One file of a folder that was checked without importing it. */
export interface FileReport {
  path: string
  outcome: ImportOutcome['outcome']
  leaf: LeafPath | null
  problems: QnaProblem[]
  /** Repairs that were written into the file. */
  repaired: RepairKind[]
}

/** What happened to a leaf. */
export const revisionActs = ['found', 'saved', 'imported', 'repaired', 'moved', 'removed', 'restored'] as const
export type RevisionAct = (typeof revisionActs)[number]

/** One state a leaf was in. */
export interface LeafRevision {
  number: number
  act: RevisionAct
  /** Where the leaf was then. */
  path: LeafPath
  seedCount: number
  createdAtMs: number
}
export interface LeafRevisionText extends LeafRevision {
  /** What the leaf says, in one form whoever wrote it. */
  text: string
  /** The file it was imported from, where it still was that. */
  file: string | null
}

/** What differs from a base: a run, or a revision of a repository. */
export interface TaxonomyDiff {
  base: { kind: 'last-runs' } | { kind: 'run'; generationId: GenerationId } | { kind: 'git'; commit: string }
  added: LeafPath[]
  changed: LeafPath[]
  removed: LeafPath[]
  sameCount: number
}
