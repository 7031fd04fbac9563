// The tuning job: tokenise, then each phase in order, the best checkpoint of one starting the next with a fresh optimiser, then the
// finished model. Called again after a pause or a crash it skips what the store says is done.

import { AppError, toAppError } from '../contract/errors.ts'
import type { TuningId } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import type { TuningRun } from '../contract/tuning.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import { type BatchPlan, composePhases, planBatches, validationRows } from '../domain/mixing.ts'
import { createRandom } from '../domain/random.ts'
import { findDataset } from '../store/datasets.ts'
import { findTuning, setTuningJob, updatePhase } from '../store/tuning.ts'
import { takeBaseExams, takeResultExams } from './tune-exams.ts'
import type { JobContext, JobHandler, Lab } from './lab.ts'
import { requireModel } from './models.ts'
import { phaseFolder } from './run-folder.ts'
import { chooseBest } from './tune-checkpoints.ts'
import { type PhaseWork, trainPhase } from './tune-phase.ts'
import { finishTuning, phaseResult, type PhaseResult } from './tune-result.ts'
import { readTaughtRows, type TaughtRow } from './tune-rows.ts'

/** Held-out rows measured at each checkpoint: enough for a steady loss, few enough to cost little. */
const validationLimit = 256

/** Runs or continues the tuning named by the job's subject. */
export function tuneHandler(lab: Lab): JobHandler {
  return async (context) => {
    const run = requireTuning(lab, context.job.subject as TuningId)
    // Run as part of a larger job (the demo), which then is the job that carries it.
    if (run.jobId === '') setTuningJob(lab.project().db, run.id, context.job.id)
    try {
      await withWarmWorker(lab, run, () => tune(lab, run, context))
    } catch (thrown) {
      const error = toAppError(thrown)
      if (context.signal.aborted && error.code !== 'disk-full') {
        if (error.code !== 'cancelled') context.log(`Stopped with: ${error.message}`)
        return
      }
      if (error.code === 'disk-full') pauseForSpace(lab, context, error)
      else failRunningPhase(lab, run)
      throw error
    }
  }
}

/** A student this small stays loaded in the llama worker between exams: starting the worker would cost more than its memory. */
const warmBytes = 256 * 1024 * 1024

async function withWarmWorker(lab: Lab, run: TuningRun, work: () => Promise<void>): Promise<void> {
  const student = requireModel(lab, run.plan.studentId)
  if (student.sizeBytes > warmBytes || run.plan.examIds.length === 0) return work()
  const { gpu } = lab.settings()
  const held = await openLastingSession(lab.llama, {
    modelPath: student.path,
    contextTokens: 64,
    sequences: 1,
    threads: 1,
    gpu,
  })
  try {
    await work()
  } finally {
    await held.dispose()
  }
}

/** The run, or `not-found`. */
export function requireTuning(lab: Lab, id: TuningId): TuningRun {
  const run = findTuning(lab.project().db, id)
  if (run) return run
  throw new AppError({
    code: 'not-found',
    message: `There is no tuning ${id}.`,
    remedy: 'Pick a tuning from the list.',
  })
}

async function tune(lab: Lab, run: TuningRun, context: JobContext): Promise<void> {
  const student = requireModel(lab, run.plan.studentId)
  if (!(await takeBaseExams(lab, { run, student, context }))) return
  const rows = await readTaughtRows(lab, requireDataset(lab, run), { student, signal: context.signal })
  const works = planPhases(lab, { run, student, rows, context })
  let latest: PhaseResult = { start: { modelPath: student.path }, checkpoint: null }
  for (const work of works) {
    if (context.signal.aborted) return
    const next = await carryOutPhase(lab, { ...work, start: latest.start })
    if (next === 'stopped') return
    latest = next ?? latest
  }
  if (latest.checkpoint) await finishTuning(lab, { run, student, rows, checkpoint: latest.checkpoint, context })
}

/** The phase's result; null when it had nothing to train on; `stopped` when the signal cut it short. */
async function carryOutPhase(lab: Lab, work: PhaseWork): Promise<PhaseResult | null | 'stopped'> {
  const { db } = lab.project()
  const place = { tuningId: work.run.id, phaseIndex: work.phaseIndex }
  if (work.batches.totalSteps === 0) {
    if (work.run.phases[work.phaseIndex]?.state !== 'done')
      work.context.log(`${work.phase.name} has no rows to train on and is passed over.`)
    updatePhase(db, place, { state: 'done' })
    return null
  }
  if (findTuning(db, work.run.id)?.phases[work.phaseIndex]?.state !== 'done') {
    if (!(await trainPhase(lab, work))) return 'stopped'
  }
  const best = chooseBest(lab, work)
  if (!best) throw noCheckpoint(work.phase.name)
  const result = await phaseResult(lab, work, best)
  if (!(await takeResultExams(lab, work, result))) return 'stopped'
  updatePhase(db, place, { state: 'done', bestCheckpointId: best.id })
  lab.emit({ kind: 'changed', what: 'tuning' })
  return result
}

interface Planning {
  run: TuningRun
  student: Model
  rows: TaughtRow[]
  context: JobContext
}

/** Rows and batches of every phase; counts go to the store, rows that are too long are named in the log. */
function planPhases(lab: Lab, { run, student, rows, context }: Planning): PhaseWork[] {
  const { db } = lab.project()
  const mixed = rows.map((row) => ({ ...row, responseLength: [...row.assistant].length }))
  const composed = composePhases(mixed, run.plan.phases)
  const planned = run.plan.phases.map((phase, phaseIndex) => {
    const fits = (index: number) => (rows[index]?.tokenRow.tokens.length ?? 0) <= phase.contextTokens
    const wanted = composed[phaseIndex] ?? { newRows: [], replayRows: [] }
    const newRows = wanted.newRows.filter(fits)
    const replayRows = wanted.replayRows.filter(fits)
    const tooLong = wanted.newRows.length - newRows.length
    const batches = planBatches({ rows: { newRows, replayRows }, phase, phaseIndex, seed: run.plan.seed })
    const validation = sampleRows(
      validationRows(mixed, phase).filter(fits),
      `validation\0${run.plan.seed}\0${phaseIndex}`,
    )
    updatePhase(
      db,
      { tuningId: run.id, phaseIndex },
      {
        rowCount: newRows.length,
        replayRowCount: replayRows.length,
        totalSteps: batches.totalSteps,
        stepsPerEpoch: batches.stepsPerEpoch,
      },
    )
    if (tooLong > 0)
      context.log(`${phase.name}: ${tooLong} rows are longer than ${phase.contextTokens} tokens and are set aside.`)
    return { phase, phaseIndex, batches, validation: validation.map((index) => rows[index] as TaughtRow) }
  })
  const stepsInAll = planned.reduce((sum, one) => sum + one.batches.totalSteps, 0)
  return planned.map((one, at) => ({
    ...one,
    run,
    student,
    rows,
    context,
    stepsInAll,
    start: { modelPath: student.path },
    folder: phaseFolder(lab.project(), run.id, { phaseIndex: one.phaseIndex, name: one.phase.name }),
    stepsBefore: sumSteps(planned.slice(0, at)),
  }))
}

function sumSteps(planned: { batches: BatchPlan }[]): number {
  return planned.reduce((sum, one) => sum + one.batches.totalSteps, 0)
}

function sampleRows(indexes: number[], seed: string): number[] {
  return createRandom(seed).shuffle(indexes).slice(0, validationLimit)
}

function requireDataset(lab: Lab, run: TuningRun) {
  const dataset = findDataset(lab.project().db, run.plan.datasetId)
  if (dataset) return dataset
  throw new AppError({
    code: 'not-found',
    message: 'The dataset of this tuning is gone.',
    remedy: 'Freeze a dataset and start a new tuning.',
  })
}

/** A full disk loses nothing but the steps since the last checkpoint; the job waits for room. */
function pauseForSpace(lab: Lab, context: JobContext, error: AppError): void {
  context.log(`${error.message} ${error.remedy}`)
  lab.jobs.pause(context.job.id)
}

function failRunningPhase(lab: Lab, run: TuningRun): void {
  const { db } = lab.project()
  const running = findTuning(db, run.id)?.phases.findIndex((phase) => phase.state === 'running') ?? -1
  if (running >= 0) updatePhase(db, { tuningId: run.id, phaseIndex: running }, { state: 'failed' })
  lab.emit({ kind: 'changed', what: 'tuning' })
}

function noCheckpoint(phase: string): AppError {
  return new AppError({
    code: 'not-found',
    message: `No checkpoint of ${phase} is left on the disk.`,
    remedy: 'Start the tuning anew; its plan can be used again as it is.',
  })
}
