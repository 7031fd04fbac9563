// One phase of a tuning, from wherever its files say it stands to its chosen checkpoint. Batches and rates are functions of the step,
// and every boundary is a checkpoint, so a phase that was killed goes on bit for bit as if it had not been.

import { AppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import type { PhasePlan, TuningRun } from '../contract/tuning.ts'
import type { Trainer } from '../compute/trainer.ts'
import type { StepReply } from '../compute/trainer-protocol.ts'
import { packMicrobatches, type PackedMicrobatch } from '../domain/batching.ts'
import type { BatchPlan } from '../domain/mixing.ts'
import { learningRateAt } from '../domain/schedule.ts'
import { updatePhase } from '../store/tuning.ts'
import type { JobContext, Lab } from './lab.ts'
import { listSavedPoints, pointFolder, removeFolder, setAside } from './run-folder.ts'
import { openPlanTrainer } from './trainer-setup.ts'
import { adoptCheckpoints, finishCheckpoints, recordCheckpoint } from './tune-checkpoints.ts'
import { createStepLog } from './tune-log.ts'
import { reportPhase } from './tune-progress.ts'
import type { TaughtRow } from './tune-rows.ts'
import { type StepWatch, watchSteps } from './tune-watch.ts'

/** What one phase works with. */
export interface PhaseWork {
  run: TuningRun
  student: Model
  phase: PhasePlan
  phaseIndex: number
  batches: BatchPlan
  /** Every row of the dataset, by index. */
  rows: readonly TaughtRow[]
  validation: readonly TaughtRow[]
  /** Absolute folder of the phase. */
  folder: string
  /** Where it begins: the student, or what the phase before ended in. */
  start: { modelPath: string; adapterPath?: string }
  context: JobContext
  /** Steps of earlier phases and of all phases, for progress. */
  stepsBefore: number
  stepsInAll: number
}

/** Steps sent ahead, so that the trainer never waits for this process. */
const stepsInFlight = 2
/** How long a stop waits for the steps in flight; those of large batches take minutes, and are given up for the last checkpoint. */
const stopBoundMs = 5000
/** Deaths of the trainer in a row without a new checkpoint in between. */
const maxDeaths = 3

/** Trains the phase to its end. False when the job's signal stopped it; what is done is then on disk. */
export async function trainPhase(lab: Lab, work: PhaseWork): Promise<boolean> {
  updatePhase(lab.project().db, { tuningId: work.run.id, phaseIndex: work.phaseIndex }, { state: 'running' })
  lab.emit({ kind: 'changed', what: 'tuning' })
  let deaths = 0
  let reached = -1
  for (;;) {
    try {
      return await continuePhase(lab, work)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'worker-died' || work.context.signal.aborted) throw thrown
      const latest = listSavedPoints(work.folder)[0]?.step ?? 0
      deaths = latest > reached ? 1 : deaths + 1
      reached = latest
      if (deaths > maxDeaths) throw thrown
      work.context.log(`${thrown.message} Going on from step ${latest} of ${work.phase.name}.`)
    }
  }
}

async function continuePhase(lab: Lab, work: PhaseWork): Promise<boolean> {
  const microbatchTokens = work.phase.contextTokens
  const { plan } = work.run
  const trainer = await openPlanTrainer(lab, plan, {
    start: { ...work.start, microbatchTokens },
    say: (line) => work.context.log(line),
  })
  try {
    let step = await loadLatest(trainer, work)
    // After loading: a damaged one is no longer among them.
    adoptCheckpoints(lab, work)
    if (step > 0 && !(await finishCheckpoints(lab, { work, trainer, step }))) return false
    const watch = watchSteps(lab, work, step)
    while (step < work.batches.totalSteps) {
      const boundary = nextBoundary(work, step)
      const reached = await runSteps(lab, { trainer, work, watch, from: step, to: boundary })
      if (reached < boundary) {
        await savePause(trainer, work, { from: step, reached })
        return false
      }
      step = boundary
      const saved = await trainer.saveCheckpoint(pointFolder(work.folder, 'step', step))
      recordCheckpoint(lab, work, { step, sizeBytes: saved.sizeBytes })
      if (!(await finishCheckpoints(lab, { work, trainer, step }))) return false
    }
    return true
  } finally {
    await trainer.close()
  }
}

/**
 * Loads the latest whole checkpoint and answers with its step; one that cannot be read is set aside, never deleted, for the one before.
 * Throws where a checkpoint is whole but of another model or setting: going back would not help, and starting over would hide it.
 */
async function loadLatest(trainer: Trainer, work: PhaseWork): Promise<number> {
  for (const point of listSavedPoints(work.folder)) {
    try {
      const { step } = await trainer.loadCheckpoint(point.folder)
      return step
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'file-access') throw thrown
      const kept = setAside(point.folder)
      work.context.log(
        `The checkpoint of step ${point.step} cannot be read (${thrown.message}); using an earlier one. It is kept as ${kept}.`,
      )
    }
  }
  return 0
}

/** The next step that gets a checkpoint: every so many steps, and the end of each epoch. */
function nextBoundary(work: PhaseWork, step: number): number {
  const every = work.run.plan.checkpointEverySteps
  const { stepsPerEpoch, totalSteps } = work.batches
  const nextOf = (length: number) => (Math.floor(step / length) + 1) * length
  return Math.min(nextOf(every), nextOf(stepsPerEpoch), totalSteps)
}

/** Runs steps `from` + 1 to `to`, two ahead; answers with the last step done, less than `to` when the signal stopped it. */
async function runSteps(
  lab: Lab,
  { trainer, work, watch, from, to }: { trainer: Trainer; work: PhaseWork; watch: StepWatch; from: number; to: number },
): Promise<number> {
  const { signal } = work.context
  const log = createStepLog(lab, { tuningId: work.run.id, phaseIndex: work.phaseIndex, phase: work.phase.name })
  const flying: { rate: number; reply: Promise<StepReply> }[] = []
  let done = from
  let bound: NodeJS.Timeout | undefined
  const onStop = () => {
    bound = setTimeout(() => trainer.abandon(), stopBoundMs)
  }
  signal.addEventListener('abort', onStop, { once: true })
  const land = async () => {
    const first = flying.shift()
    if (!first) return
    const reply = await first.reply
    done += 1
    if (reply.step !== done) throw outOfStep(reply.step, done)
    if (watch(log.add(reply, first.rate))) {
      log.flush()
      lab.emit({ kind: 'changed', what: 'tuning' })
    }
    reportPhase(work, done)
  }
  try {
    for (let step = from + 1; step <= to && !signal.aborted; step++) {
      const rate = learningRateAt(step, work.batches.totalSteps, work.phase)
      const reply = trainer.step(rate, packBatch(work, step))
      // Answered below, in order; a death must not also be an unhandled rejection of the second one in flight.
      reply.catch(() => undefined)
      flying.push({ rate, reply })
      if (flying.length >= stepsInFlight) await land()
    }
    while (flying.length > 0) await land()
    return done
  } finally {
    signal.removeEventListener('abort', onStop)
    clearTimeout(bound)
    log.flush()
  }
}

function packBatch(work: PhaseWork, step: number): PackedMicrobatch[] {
  const drawn = work.batches
    .batch(step)
    .map(({ index, group }) => ({ ...(work.rows[index] as TaughtRow).tokenRow, group }))
  return packMicrobatches(drawn, work.phase.contextTokens)
}

/** Keeps the step a pause stopped at; it is not one of the plan's checkpoints and takes no part in the choice. */
async function savePause(
  trainer: Trainer,
  work: PhaseWork,
  { from, reached }: { from: number; reached: number },
): Promise<void> {
  if (reached === from) return
  await trainer.saveCheckpoint(pointFolder(work.folder, 'resume', reached))
  for (const point of listSavedPoints(work.folder))
    if (point.kind === 'resume' && point.step < reached) removeFolder(point.folder)
}

function outOfStep(answered: number, expected: number): AppError {
  return new AppError({
    code: 'trainer-failed',
    message: `The trainer answered for step ${answered} where step ${expected} was due.`,
    remedy: 'Resume the tuning; it goes on from its last checkpoint.',
  })
}
