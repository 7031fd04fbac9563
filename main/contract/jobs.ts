// Durable jobs: a row, and an event log with sequence numbers that any window or terminal can follow from where it left off.

import type { ErrorFrame } from './errors.ts'
import type { JobId } from './ids.ts'

export const jobStates = ['queued', 'running', 'paused', 'interrupted', 'done', 'failed', 'cancelled'] as const
export type JobState = (typeof jobStates)[number]
export const jobKinds = ['generate', 'tune', 'evaluate', 'export', 'demo', 'twins'] as const
export type JobKind = (typeof jobKinds)[number]

export interface JobProgress {
  /** Units done and to do (slots, steps, questions). */
  done: number
  total: number
  /** What is happening, in a few words. */
  label: string
  /** Units per second over the last while; null when not known. */
  ratePerSecond: number | null
  etaSeconds: number | null
  /** Steps of a larger job (the demo): which of how many, counted from 0; all their names where they are known beforehand. */
  stage?: { index: number; count: number; name: string; names?: string[] }
}

export interface Job {
  id: JobId
  kind: JobKind
  title: string
  state: JobState
  progress: JobProgress
  error: ErrorFrame | null
  createdAtMs: number
  startedAtMs: number | null
  endedAtMs: number | null
  /** Id of the generation, tuning, evaluation... it works on. */
  subject: string
}

export interface JobEvent {
  jobId: JobId
  number: number
  atMs: number
  kind: 'state' | 'log' | 'stage'
  text: string
}
