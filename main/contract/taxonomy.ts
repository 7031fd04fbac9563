// The taxonomy as clients see it: branches, leaves, seeds, and what an import made of each file.

import type { ChunkId, DocumentId, LeafPath, SeedId } from './ids.ts'

export const branches = ['knowledge', 'foundational_skills', 'compositional_skills'] as const
export type Branch = (typeof branches)[number]

/** One question and answer said earlier in a conversation. */
export interface Exchange {
  question: string
  answer: string
}

/**
 * A seed before it has an id: one question and answer a person wrote. `context` makes a skill seed grounded, and is required for
 * knowledge; seeds of knowledge that share a context share it by equal text.
 */
export interface SeedDraft extends Exchange {
  context?: string
  /** What was said before the question, oldest first; absent where the seed stands alone. */
  turns?: Exchange[]
}
export interface Seed extends SeedDraft {
  id: SeedId
}

/** Which responder persona stage 3 uses. */
export type Persona = 'precise' | 'creative'

/** What an answer of a leaf must be; `text` asks for nothing. */
export const answerFormats = ['text', 'word', 'number', 'list', 'json', 'yes-no'] as const
export type AnswerFormat = (typeof answerFormats)[number]

export interface Leaf {
  path: LeafPath
  branch: Branch
  /** Skills: what the task is. Empty for knowledge. */
  taskDescription: string
  /** Knowledge: the field it belongs to. Empty for skills. */
  domain: string
  documentOutline: string
  createdBy: string
  /** Derived: true when the seeds carry contexts. Always true for knowledge. */
  isGrounded: boolean
  persona: Persona
  language: string
  /** Absent: free text. */
  answerFormat?: AnswerFormat
  seedCount: number
  documentCount: number
  /** Rows imported as a public dataset (foundational leaves). */
  datasetRowCount: number
  acceptedCount: number
  candidateCount: number
  problems: QnaProblem[]
}

/** How a leaf stands against the run it was last in: `new` was in none. */
export type LeafChange = 'new' | 'changed' | 'same'

/** A leaf in the tree. */
export interface LeafSummary extends Leaf {
  change: LeafChange
  /** Accepted samples its runs asked for, all together. */
  wantedCount: number
}

export interface LeafDetail extends Leaf {
  seeds: Seed[]
  documents: DocumentRef[]
  documentSource: DocumentSource | null
  attribution: string
  /** The file as imported, byte for byte, until an edit makes it stale. */
  sourceText: string | null
}
/** Where a knowledge leaf's documents come from. */
export interface DocumentSource {
  repo: string
  commit: string
  patterns: string[]
}
export interface DocumentRef {
  id: DocumentId
  name: string
}

export type Severity = 'error' | 'warning' | 'hint'

/** One finding of the validator. Lines and columns are 1-based. */
export interface QnaProblem {
  severity: Severity
  line: number
  column: number
  /** Dotted path of the field, e.g. `seed_examples[2].answer`. */
  field: string
  message: string
  remedy: string
  /** A change of the text that ends this problem. */
  repair?: QnaRepair
}

export const repairKinds = [
  'trailing-spaces',
  'line-ends',
  'final-newline',
  'tabs',
  'indentation',
  'long-lines',
  'quotes',
  'version',
  'upgrade',
  'unknown-key',
  'misspelt-key',
  'empty-field',
  'repeated-seed',
] as const
export type RepairKind = (typeof repairKinds)[number]

/** Replaces the characters from `start` up to `end` (UTF-16 offsets of the text the problem is of). */
export interface TextEdit {
  start: number
  end: number
  text: string
}
/** Edits in order that do not overlap. */
export interface QnaRepair {
  kind: RepairKind
  edits: TextEdit[]
}

/** What became of one imported file. */
export interface ImportOutcome {
  path: string
  outcome: 'valid' | 'upgraded' | 'refused'
  leaf?: LeafPath
  problems: QnaProblem[]
}

/** What a document was imported from. */
export const documentTypes = ['markdown', 'text', 'html', 'docx', 'csv', 'pdf'] as const
export type DocumentType = (typeof documentTypes)[number]

export interface DocumentSummary {
  id: DocumentId
  leaf: LeafPath
  name: string
  type: DocumentType
  /** Of the file as it was added. */
  sizeBytes: number
  /** Of the Markdown text. */
  sha256: string
  /** Of the file as it was added. */
  originalSha256: string
  /** Null for files without pages. */
  pageCount: number | null
  /** How many chunks it was last cut into, excluded ones among them; 0 before it was cut. */
  chunkCount: number
  /** What the user should know of its import: what was left out, what was guessed. */
  notes: string[]
}
export interface Chunk {
  id: ChunkId
  documentId: DocumentId
  index: number
  /** Raw text, a contiguous piece of the document; where that begins inside a table, the table's header row stands before it. */
  text: string
  /** Headings above it, outermost first. */
  headings: string[]
  tokenCount: number
}

/** First and last page, counted from 1. */
export interface PageRange {
  first: number
  last: number
}

/** Whose tokens chunks are measured in: the student's, by its name; null where they are estimated. */
export interface ChunkTokens {
  student: string | null
}

/** A chunk as its document's reader sees it: with its place, and what the user made of it. */
export interface PlacedChunk extends Chunk {
  /** UTF-16 offsets in the document's text. */
  start: number
  end: number
  /** Null for files without pages. */
  pages: PageRange | null
  /** Left out of generation by the user. */
  isExcluded: boolean
}
