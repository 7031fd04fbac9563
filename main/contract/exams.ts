// Exams, their items, and evaluations of a model on them.

import type { CheckpointId, EvaluationId, ExamId, JobId, LeafPath, ModelId, TuningId } from './ids.ts'

/** choice: log-likelihood over given options. closed-book: free answer, checked against accepted forms. skill: same, per skill leaf.
 *  retention: foundational tasks the base could do. */
export const examKinds = ['choice', 'closed-book', 'skill', 'retention'] as const
export type ExamKind = (typeof examKinds)[number]

export interface ExamQuestion {
  index: number
  leaf: LeafPath | null
  question: string
  /** Accepted answers; the check is by normalised containment of any of them. */
  accepted: string[]
  /** Options of a choice exam; `accepted[0]` is the right one. */
  choices: string[]
  /** Given text for grounded skills. */
  context: string
}

export interface Exam {
  id: ExamId
  name: string
  kind: ExamKind
  sha256: string
  questionCount: number
  source: string
}

export interface Interval {
  low: number
  high: number
}

export interface Evaluation {
  id: EvaluationId
  examId: ExamId
  examName: string
  examKind: ExamKind
  modelId: ModelId
  modelName: string
  tuningId: TuningId | null
  /** `base`, or a phase name. */
  phase: string
  checkpointId: CheckpointId | null
  correct: number
  total: number
  score: number
  /** Wilson 95 % interval. */
  interval: Interval
  perLeaf: { leaf: LeafPath; correct: number; total: number }[]
  jobId: JobId | null
  createdAtMs: number
}

export interface ExamAnswer {
  index: number
  question: string
  accepted: string[]
  answer: string
  isCorrect: boolean
  /** choice exams: mean log-likelihood per option, nats per token, in `choices` order. */
  logLikelihoods: number[]
}

export interface EvaluationDetail extends Evaluation {
  answers: ExamAnswer[]
}
