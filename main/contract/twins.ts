// Near duplicates among what is kept, files held out beside the exams, and what a run or a dataset was checked against.

import { z } from 'zod'
import type { CandidateId, GenerationId, LeafPath, SeedId } from './ids.ts'

/** exact: same but for case, spacing and punctuation; words: close by ROUGE-L; meaning: close by the cosine of their vectors. */
export type TwinKind = 'exact' | 'words' | 'meaning'

/** One of two near duplicates: an accepted sample as it reads now, or a seed. */
export interface TwinSide {
  id: CandidateId | SeedId
  isSeed: boolean
  leaf: LeafPath
  /** The run that made it; null for a seed. */
  generationId: GenerationId | null
  context: string
  question: string
  answer: string
  /** The last judge's score. */
  score: number | null
  /** A person accepted or edited it. */
  isReviewed: boolean
}

export interface TwinPair {
  number: number
  kind: TwinKind
  /** ROUGE-L of questions or answers, whichever is lower, or the cosine; 0 to 1. */
  score: number
  one: TwinSide
  other: TwinSide
}

/** The latest search; what changed since is not in it. */
export interface TwinSearch {
  wordsThreshold: number
  meaningThreshold: number
  /** Who made the vectors; null: twins were looked for by words only. */
  embedderName: string | null
  /** Seeds and samples that were compared. */
  textCount: number
  isFinished: boolean
  createdAtMs: number
}

/** Pairs of which both sides are still kept and which nobody told apart, closest first. */
export interface TwinPage {
  search: TwinSearch | null
  rows: TwinPair[]
  total: number
}

export const twinWish = z.object({
  words: z.number().min(0.5).max(1).default(0.7),
  meaning: z.number().min(0.5).max(1).default(0.92),
})
export const twinVerdict = z.object({
  number: z.number().int(),
  /** `both`: they differ, and no search shows them again. */
  keep: z.enum(['one', 'other', 'both']),
})

/** A file whose texts no sample may repeat. */
export interface HeldOutFile {
  id: string
  name: string
  sha256: string
  textCount: number
  createdAtMs: number
}

/** What samples or rows were checked against, and what was found. */
export interface DecontaminationReport {
  sources: HeldOutSource[]
  /** Words in a row that count as repetition. */
  runWords: number
  checkedCount: number
  hitCount: number
  /** The first 200. */
  hits: DecontaminationHit[]
}
export interface HeldOutSource {
  name: string
  kind: 'exam' | 'file'
  textCount: number
}
export interface DecontaminationHit {
  /** Candidate, or `dataset:<leaf>#<row>` of an imported dataset. */
  origin: string
  leaf: LeafPath
  question: string
  /** What it repeats, in the rule's words. */
  words: string
}
