// What streams in from the engine: jobs, optimiser steps, fresh candidates, hardware. Bounded; starts empty and is filled by
// events and by one catch-up fetch when a screen asks for a run.

import { createStore, type StoreApi } from 'zustand/vanilla'
import type { EngineEvent } from '../../main/contract/api.ts'
import { toAppError } from '../../main/contract/errors.ts'
import type { Candidate } from '../../main/contract/generation.ts'
import type { GenerationId, JobId, TuningId } from '../../main/contract/ids.ts'
import type { Job, JobState } from '../../main/contract/jobs.ts'
import type { TuningStep } from '../../main/contract/tuning.ts'
import type { HardwareReport } from '../../main/contract/workspace.ts'
import type { EngineClient } from '../engine.ts'

export interface LiveState {
  jobs: Record<JobId, Job>
  /** Every step of a run, in order. */
  steps: Record<TuningId, TuningStep[]>
  /** Newest first, at most `candidateLimit` a run. */
  candidates: Record<GenerationId, Candidate[]>
  hardware: HardwareReport | null
  /** Files of the import under way; null while there is none. */
  imported: { done: number; total: number } | null
}

const candidateLimit = 200
const unsettled: readonly JobState[] = ['queued', 'running', 'paused', 'interrupted']

/** An empty live state. */
export function createLive(): StoreApi<LiveState> {
  return createStore<LiveState>(() => ({ jobs: {}, steps: {}, candidates: {}, hardware: null, imported: null }))
}

/** Folds one event of the engine into the live state. */
export function applyEvent(live: StoreApi<LiveState>, event: EngineEvent): void {
  if (event.kind === 'job') live.setState(({ jobs }) => ({ jobs: { ...jobs, [event.job.id]: event.job } }))
  if (event.kind === 'tuning.step') addSteps(live, event.tuningId, event.steps)
  if (event.kind === 'candidates') addCandidates(live, event.generationId, event.candidates)
  if (event.kind === 'hardware') live.setState({ hardware: event.hardware })
  if (event.kind === 'taxonomy.import') {
    const { done, total } = event
    live.setState({ imported: done < total ? { done, total } : null })
  }
}

/** Fetches the jobs and the hardware, once at start and after every reconnection. */
export async function catchUp(live: StoreApi<LiveState>, engine: EngineClient): Promise<void> {
  const [jobs, hardware] = await Promise.allSettled([
    engine.call('job.list', {}),
    engine.call('workspace.hardware', {}),
  ])
  if (jobs.status === 'fulfilled') live.setState({ jobs: Object.fromEntries(jobs.value.map((job) => [job.id, job])) })
  if (hardware.status === 'fulfilled') live.setState({ hardware: hardware.value })
}

/** Fetches every step of a run so far; later ones arrive as events. */
export async function catchUpSteps(live: StoreApi<LiveState>, engine: EngineClient, tuningId: TuningId): Promise<void> {
  try {
    addSteps(live, tuningId, await engine.call('tuning.steps', { tuningId, after: 0 }))
  } catch (thrown) {
    console.warn('steps not fetched', toAppError(thrown).message)
  }
}

/** The job to show in the status bar: the running one, else the newest that waits for someone. */
export function activeJob(jobs: Record<JobId, Job>): Job | null {
  const open = Object.values(jobs)
    .filter((job) => unsettled.includes(job.state))
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
  return open.find((job) => job.state === 'running') ?? open[0] ?? null
}

const stepKey = (step: TuningStep) => `${step.phase} ${step.step}`

/** Merges by phase and step, the later arrival winning: a resumed run may repeat steps. */
function addSteps(live: StoreApi<LiveState>, tuningId: TuningId, arrived: TuningStep[]): void {
  const known = live.getState().steps[tuningId] ?? []
  const fresh = new Set(arrived.map(stepKey))
  const hasOverlap = known.slice(-500).some((step) => fresh.has(stepKey(step))) || arrived.length > 500
  const steps = hasOverlap ? mergeSteps(known, arrived) : [...known, ...arrived]
  live.setState((state) => ({ steps: { ...state.steps, [tuningId]: steps } }))
}

function mergeSteps(known: TuningStep[], arrived: TuningStep[]): TuningStep[] {
  const merged = new Map<string, TuningStep>()
  const phases = [...new Set([...arrived, ...known].map((step) => step.phase))]
  for (const step of [...known, ...arrived]) merged.set(stepKey(step), step)
  return [...merged.values()].sort((a, b) => phases.indexOf(a.phase) - phases.indexOf(b.phase) || a.step - b.step)
}

function addCandidates(live: StoreApi<LiveState>, generationId: GenerationId, arrived: Candidate[]): void {
  const fresh = new Set(arrived.map((candidate) => candidate.id))
  const kept = (live.getState().candidates[generationId] ?? []).filter((candidate) => !fresh.has(candidate.id))
  const candidates = [...arrived.toReversed(), ...kept].slice(0, candidateLimit)
  live.setState((state) => ({ candidates: { ...state.candidates, [generationId]: candidates } }))
}
