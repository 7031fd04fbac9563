// Samples (candidate + latest verdict), and frozen datasets made of them.

import type { CandidateId, DatasetId, JobId, LeafPath } from './ids.ts'
import type { Candidate } from './generation.ts'
import type { Branch } from './taxonomy.ts'

export type VerdictKind = 'accept' | 'reject' | 'edit' | 'reopen'
export type Author = 'human' | 'rule' | 'judge'

export interface Verdict {
  /** Rising sequence number. */
  number: number
  candidateId: CandidateId
  kind: VerdictKind
  author: Author
  question?: string
  answer?: string
  reason: string
  createdAtMs: number
}

/** accepted: passed the chain or accepted by hand; rejected: by hand; dropped: by a stage; edited counts as accepted. */
export type SampleStatus = 'accepted' | 'rejected' | 'dropped' | 'edited'

/** A view: candidate + latest verdict. `question`/`answer` are the edited ones where edited. */
export interface Sample extends Candidate {
  status: SampleStatus
  verdict: Verdict | null
  branch: Branch
}

export interface SampleFilter {
  leaf?: LeafPath
  status?: SampleStatus
  droppedBy?: string
  minScore?: number
  text?: string
  reviewed?: boolean
}

export interface SamplePage {
  rows: Sample[]
  total: number
}

export interface DatasetSplit {
  trainCount: number
  validationCount: number
}

export interface Dataset {
  id: DatasetId
  name: string
  sha256: string
  createdAtMs: number
  seed: number
  split: DatasetSplit
  leaves: { leaf: LeafPath; branch: Branch; count: number }[]
}

/** One row of a frozen dataset. `origin` is a candidate id, or `dataset:<leaf>#<row>` for imported public datasets. */
export interface DatasetRow {
  index: number
  origin: string
  leaf: LeafPath
  branch: Branch
  system: string
  user: string
  assistant: string
  split: 'train' | 'validation'
}

export interface ExportOutcome {
  jobId?: JobId
  files: { path: string; rows: number; sizeBytes: number }[]
}
