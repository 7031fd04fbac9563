// The exams a tuning reports: the student as it was, and the chosen checkpoint of each phase, on all exams of the plan.

import type { Model } from '../contract/models.ts'
import type { TuningRun } from '../contract/tuning.ts'
import { findExam, hasModelEvaluation } from '../store/exams.ts'
import { takeExams } from './exams.ts'
import type { JobContext, Lab } from './lab.ts'
import type { PhaseWork } from './tune-phase.ts'
import { reportAnswers } from './tune-progress.ts'
import type { PhaseResult } from './tune-result.ts'

/** The base line; exams this model has taken before are not taken again. False when the signal stopped it. */
export async function takeBaseExams(
  lab: Lab,
  { run, student, context }: { run: TuningRun; student: Model; context: JobContext },
): Promise<boolean> {
  const { db } = lab.project()
  const examIds = run.plan.examIds.filter((id) => !hasModelEvaluation(db, id, student.id))
  if (examIds.length === 0) return true
  context.log(`The student takes ${examIds.length} exams before it is tuned.`)
  const taker = {
    modelPath: student.path,
    modelId: student.id,
    modelName: student.name,
    tuningId: null,
    phase: 'base',
    checkpointId: null,
  }
  const { signal } = context
  const total = examIds.reduce((sum, id) => sum + (findExam(db, id)?.questionCount ?? 0), 0)
  let done = 0
  const onAnswered = (count: number) => {
    done += count
    const label = `Exams before tuning: question ${done} of ${total}`
    context.progress({ done, total, label, ratePerSecond: null, etaSeconds: null })
  }
  return (
    (await takeExams(lab, {
      taker: { ...taker, jobId: context.job.id },
      examIds,
      threads: run.plan.threads,
      signal,
      onAnswered,
    })) !== null
  )
}

/** All exams of the plan by the checkpoint a phase ended in. False when the signal stopped it. */
export async function takeResultExams(lab: Lab, work: PhaseWork, result: PhaseResult): Promise<boolean> {
  const { run, student, phase, context } = work
  if (!result.checkpoint || run.plan.examIds.length === 0) return true
  const taken = await takeExams(lab, {
    taker: {
      ...result.start,
      modelId: student.id,
      modelName: `${run.plan.name}, ${phase.name} step ${result.checkpoint.step}`,
      tuningId: run.id,
      phase: phase.name,
      checkpointId: result.checkpoint.id,
      jobId: context.job.id,
    },
    examIds: run.plan.examIds,
    threads: run.plan.threads,
    signal: context.signal,
    onAnswered: reportAnswers(work, result.checkpoint.step),
  })
  return taken !== null
}
