// Generation runs, candidates and their stage history. Nothing a stage said is ever deleted.

import type { CandidateId, ChunkId, GenerationId, JobId, LeafPath, ModelId, SeedId } from './ids.ts'
import type { Pipeline } from './pipelines.ts'
import type { PageRange } from './taxonomy.ts'

/** Stage names equal the prompt files under main/prompts/<pack>/<lang>/<stage>.yaml; those from `mined-question` on have none: the student's own words, and rules. */
export const stageNames = [
  'knowledge-qa',
  'knowledge-faithful',
  'knowledge-relevant',
  'knowledge-self-contained',
  'knowledge-choice',
  'choice-verify',
  'skill-context',
  'skill-question',
  'skill-question-judge',
  'skill-answer-precise',
  'skill-answer-creative',
  'skill-pair-judge',
  'document-outline',
  'document-clean-up',
  'document-summary',
  'document-extract',
  'document-facts',
  'knowledge-entities',
  'knowledge-entity-pair',
  'question-harder',
  'question-broader',
  'mined-question',
  'mined-answer',
  'student-knows',
  'language',
  'answer-format',
  'form',
  'exact-duplicate',
  'near-duplicate',
  'semantic-duplicate',
  'decontamination',
] as const
export type StageName = (typeof stageNames)[number]

/** What one stage did to one candidate. */
export interface StageOutcome {
  stage: StageName
  passed: boolean
  /** The judge's words, the quote, or the rule's explanation. */
  words: string
  /** What the model thought aloud before it said so; '' when it did not. */
  reasoning: string
  /** Stage's own scale: pair grade 1-3; ROUGE-L 0-1 for near duplicates, cosine for those in meaning; 1/0 for yes/no. */
  score: number | null
  promptSha256: string
  promptTokens: number
  outputTokens: number
  durationMs: number
  seed: number
  temperature: number
}

export type CandidateState = 'in-progress' | 'passed' | 'dropped'

export interface Candidate {
  id: CandidateId
  generationId: GenerationId
  leaf: LeafPath
  /** Position in the run; a slot is filled exactly once whatever was killed in between. */
  slot: number
  seedIds: SeedId[]
  chunkId: ChunkId | null
  context: string
  question: string
  answer: string
  state: CandidateState
  /** Stage that dropped it and why, in plain words. */
  droppedBy: StageName | null
  reason: string
  score: number | null
  teacherId: ModelId
  createdAtMs: number
}

export interface CandidateDetail extends Candidate {
  stages: StageOutcome[]
  chunkText: string
  /** Pages of the document the chunk is from; null for files without pages. */
  chunkPages: PageRange | null
  /** Nearest kept neighbour when marked a near duplicate. */
  duplicateOf: CandidateId | null
}

export interface GenerationPlan {
  teacherId: ModelId
  /** Who judges where the pipeline asks for a judge; the teacher without one. */
  judgeId?: ModelId | undefined
  /** Whose own words are mined, and who is asked what it knows already. */
  studentId?: ModelId | undefined
  /** Who tells how close two samples are in meaning, where the pipeline asks for it. */
  embedderId?: ModelId | undefined
  /** Frozen with the run. Runs made before there were pipelines have none: theirs was `lab`. */
  pipeline?: Pipeline
  /** Minutes of generating after which no slot is started any more; quotas are then what is wanted at most. */
  timeBudgetMinutes?: number | undefined
  leaves: { leaf: LeafPath; quota: number }[]
  seed: number
  /** Sequences evaluated together. */
  parallel: number
  /** Attempts per leaf are bounded by quota times this. */
  maxAttemptsFactor: number
  thresholds: GenerationThresholds
}
export interface GenerationThresholds {
  minPairGrade: number
  nearDuplicateRougeL: number
}

/** What moving a run's thresholds would do to a leaf; what people decided is not touched. */
export interface ThresholdEffect {
  leaf: LeafPath
  /** Accepted now. */
  accepted: number
  /** Would be accepted now, and would not be any more. */
  comes: number
  goes: number
  /** Would pass the rule that dropped them, but no judge behind it has seen them. */
  unjudged: number
}

/** How a judge's word compares with people's verdicts on the same samples. */
export interface JudgeAgreement {
  stage: StageName
  passedAccepted: number
  passedRejected: number
  failedAccepted: number
  failedRejected: number
  /** Share on which both agree, and Cohen's kappa; null where they cannot be told. */
  agreement: number | null
  kappa: number | null
}

export interface GenerationRun {
  id: GenerationId
  jobId: JobId
  plan: GenerationPlan
  createdAtMs: number
  funnel: LeafFunnel[]
  parseFailureCount: number
  callCount: number
}
export interface LeafFunnel {
  leaf: LeafPath
  quota: number
  attempted: number
  accepted: number
  droppedBy: { stage: StageName; count: number }[]
  /** Plain words when the quota was not met. */
  shortfall: string | null
}
