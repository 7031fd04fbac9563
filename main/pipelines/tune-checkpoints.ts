// Checkpoints of a phase: recorded as soon as they are on disk, measured (validation loss, choosing exams) once, and thinned out to
// the best and the last. Everything here may be repeated after a crash and ends the same.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CheckpointId, ExamId } from '../contract/ids.ts'
import type { ExamKind } from '../contract/exams.ts'
import type { PhasePlan } from '../contract/tuning.ts'
import type { Trainer } from '../compute/trainer.ts'
import { packInOrder } from '../domain/batching.ts'
import { chooseCheckpoint } from '../domain/checkpoint-choice.ts'
import { newGroup } from '../domain/mixing.ts'
import { findEvaluation, findExam } from '../store/exams.ts'
import {
  finishCheckpoint,
  forgetCheckpointFiles,
  insertCheckpoint,
  listCheckpoints,
  type StoredCheckpoint,
  updatePhase,
} from '../store/tuning.ts'
import { takeExams } from './exams.ts'
import type { Lab } from './lab.ts'
import { fromStoredPath, listSavedPoints, pointFolder, removeFolder, toStoredPath } from './run-folder.ts'
import { resultTypeOf } from './student-type.ts'
import type { PhaseWork } from './tune-phase.ts'
import { reportAnswers } from './tune-progress.ts'

/** Rows of one evaluation request. */
const rowsPerRequest = 64

/** A checkpoint's id follows from its place, so that the same one found again is the same. */
export function checkpointIdOf({ run, phaseIndex }: Pick<PhaseWork, 'run' | 'phaseIndex'>, step: number): CheckpointId {
  return `${run.id}-${phaseIndex + 1}-${step}` as CheckpointId
}

/** Writes the row of a checkpoint that is on disk. Needs its manifest to be there. */
export function recordCheckpoint(lab: Lab, work: PhaseWork, saved: { step: number; sizeBytes: number }): void {
  insertCheckpoint(lab.project().db, {
    id: checkpointIdOf(work, saved.step),
    tuningId: work.run.id,
    phaseIndex: work.phaseIndex,
    step: saved.step,
    epoch: work.batches.epochOf(saved.step),
    folder: toStoredPath(lab.project(), pointFolder(work.folder, 'step', saved.step)),
    sizeBytes: saved.sizeBytes,
  })
  lab.emit({ kind: 'changed', what: 'tuning' })
}

/** Takes up complete checkpoints on disk that the store does not know, and forgets files that are gone. */
export function adoptCheckpoints(lab: Lab, work: PhaseWork): void {
  const { db } = lab.project()
  const known = new Map(
    listCheckpoints(db, work.run.id, work.phaseIndex).map((checkpoint) => [checkpoint.step, checkpoint]),
  )
  const onDisk = listSavedPoints(work.folder).filter((point) => point.kind === 'step')
  for (const point of onDisk)
    if (!known.has(point.step)) recordCheckpoint(lab, work, { step: point.step, sizeBytes: 0 })
  const steps = new Set(onDisk.map((point) => point.step))
  for (const checkpoint of known.values()) {
    if (checkpoint.folder !== '' && !steps.has(checkpoint.step)) forgetCheckpointFiles(db, checkpoint.id)
  }
}

export interface CheckpointWork {
  work: PhaseWork
  /** Holds the weights of the checkpoint at `step`. */
  trainer: Trainer
  step: number
}

/**
 * Measures the checkpoint at `step` if that was not done, chooses the best so far and thins out the rest.
 * False when the job's signal stopped it half-way.
 */
export async function finishCheckpoints(lab: Lab, at: CheckpointWork): Promise<boolean> {
  const { db } = lab.project()
  const { work, step } = at
  const place = { tuningId: work.run.id, phaseIndex: work.phaseIndex }
  const checkpoint = listCheckpoints(db, place.tuningId, place.phaseIndex).find((one) => one.step === step)
  if (checkpoint && !checkpoint.isFinished) {
    const validationLoss = await validationLossOf(at)
    const score = await choosingScore(lab, at, checkpoint.id)
    if (score === 'stopped') return false
    finishCheckpoint(db, checkpoint.id, { validationLoss, score })
  }
  const best = chooseBest(lab, work)
  if (best) updatePhase(db, place, { bestCheckpointId: best.id })
  thinOut(lab, work, best)
  lab.emit({ kind: 'changed', what: 'tuning' })
  return true
}

/** The best finished checkpoint of the phase that is still on disk. */
export function chooseBest(
  lab: Lab,
  work: Pick<PhaseWork, 'run' | 'phase' | 'phaseIndex'>,
): StoredCheckpoint | undefined {
  const { db } = lab.project()
  const questionCount = choosingExams(lab, work).reduce((sum, id) => sum + (findExam(db, id)?.questionCount ?? 0), 0)
  const kept = listCheckpoints(db, work.run.id, work.phaseIndex).filter((one) => one.folder !== '' && one.isFinished)
  return chooseCheckpoint(kept.map((checkpoint) => ({ ...checkpoint, questionCount })))
}

/** Keeps the best and the last; the rows of the others stay with what was measured. */
function thinOut(lab: Lab, work: PhaseWork, best: StoredCheckpoint | undefined): void {
  const project = lab.project()
  const kept = listCheckpoints(project.db, work.run.id, work.phaseIndex).filter((one) => one.folder !== '')
  const last = kept.at(-1)
  for (const checkpoint of kept) {
    if (checkpoint.id === best?.id || checkpoint.id === last?.id || !checkpoint.isFinished) continue
    forgetCheckpointFiles(project.db, checkpoint.id)
    removeFolder(fromStoredPath(project, checkpoint.folder))
  }
  for (const point of listSavedPoints(work.folder)) {
    const isStale =
      point.kind === 'resume' ? point.step <= (last?.step ?? 0) : !kept.some((one) => one.step === point.step)
    if (isStale) removeFolder(point.folder)
  }
}

/** Mean loss over counted tokens of the held-out rows; null when there are none. */
async function validationLossOf({ work, trainer }: CheckpointWork): Promise<number | null> {
  let lossSum = 0
  let weightSum = 0
  for (let from = 0; from < work.validation.length; from += rowsPerRequest) {
    const rows = work.validation.slice(from, from + rowsPerRequest).map((row) => ({ ...row.tokenRow, group: newGroup }))
    for (const row of await trainer.evaluate(packInOrder(rows, work.phase.contextTokens))) {
      lossSum += row.lossSum
      weightSum += row.weightSum
    }
  }
  return weightSum > 0 ? lossSum / weightSum : null
}

/** Which kinds of exam choose: what a phase teaches is what it is chosen by (LAB section 3.3). */
function choosingKinds(phase: PhasePlan): ExamKind[] {
  const kinds: ExamKind[] = []
  if (phase.branches.includes('knowledge')) kinds.push('choice')
  if (phase.branches.includes('compositional_skills')) kinds.push('skill')
  return kinds
}

function choosingExams(lab: Lab, { run, phase }: Pick<PhaseWork, 'run' | 'phase'>): ExamId[] {
  const kinds = choosingKinds(phase)
  return run.plan.examIds.filter((id) => {
    const exam = findExam(lab.project().db, id)
    return exam !== undefined && kinds.includes(exam.kind)
  })
}

/** Share right over all choosing exams together; null without any. The checkpoint is exported beside itself for as long as it sits. */
async function choosingScore(
  lab: Lab,
  { work, trainer, step }: CheckpointWork,
  id: CheckpointId,
): Promise<number | null | 'stopped'> {
  const examIds = choosingExams(lab, work)
  if (examIds.length === 0) return null
  const { plan } = work.run
  const isAdapter = plan.mode === 'lora'
  const path = join(work.folder, `exam-${step}.gguf`)
  try {
    await trainer.export({
      what: isAdapter ? 'adapter' : 'model',
      path,
      type: isAdapter ? 'f32' : resultTypeOf(work.student),
    })
    const evaluationIds = await takeExams(lab, {
      taker: {
        modelPath: isAdapter ? work.student.path : path,
        ...(isAdapter ? { adapterPath: path } : {}),
        modelId: work.student.id,
        modelName: `${plan.name}, ${work.phase.name} step ${step}`,
        tuningId: work.run.id,
        phase: work.phase.name,
        checkpointId: id,
        jobId: work.context.job.id,
      },
      examIds,
      threads: plan.threads,
      signal: work.context.signal,
      onAnswered: reportAnswers(work, step),
    })
    if (!evaluationIds) return 'stopped'
    const taken = evaluationIds.flatMap((evaluationId) => findEvaluation(lab.project().db, evaluationId) ?? [])
    const total = taken.reduce((sum, one) => sum + one.total, 0)
    return total === 0 ? null : taken.reduce((sum, one) => sum + one.correct, 0) / total
  } finally {
    rmSync(path, { force: true })
  }
}
