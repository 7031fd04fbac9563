// Wire messages between the document reader's supervisor and its process. Structured-clone values only.

import type { DocumentType } from '../contract/taxonomy.ts'
import type { ErrorFrame } from '../contract/errors.ts'
import type { BlockedAttempt } from './offline-guard.ts'

export interface ReadRequest {
  id: number
  name: string
  bytes: Uint8Array
  limits: ReadLimits
}

/** What one document may take before it is given up. */
export interface ReadLimits {
  /** Processor time without a sign of progress. */
  stallMs: number
  /** Memory of the reader's whole process. */
  memoryBytes: number
}

/** A file as Markdown. */
export interface ReadDocument {
  type: DocumentType
  text: string
  /** UTF-16 offset in `text` where each page begins; null for files without pages. */
  pageStarts: number[] | null
  /** What the user should know: what was left out, what was guessed. */
  notes: string[]
}

export type ToReader = { kind: 'read'; request: ReadRequest }
export type FromReader =
  | { kind: 'ready' }
  | { kind: 'blocked'; attempt: BlockedAttempt }
  | { kind: 'progress'; id: number }
  | { kind: 'read'; id: number; document: ReadDocument; memoryBytes: number }
  | { kind: 'refused'; id: number; error: ErrorFrame; memoryBytes: number }

/** What the reader's watchdog says last on standard error, so that its supervisor knows why it ended. */
export const lastWords = { stalled: 'labdesk-reader: stalled', memory: 'labdesk-reader: out of memory' } as const
