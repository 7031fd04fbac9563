// tuning.*: plans from presets, estimates, runs, their steps and checkpoints, and exports of checkpoints.

import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { CheckpointId, TuningId } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import type { Checkpoint, TuningPlan } from '../contract/tuning.ts'
import { findWarnings } from '../domain/early-warning.ts'
import { findExam } from '../store/exams.ts'
import { findModelByPath } from '../store/models.ts'
import {
  findCheckpoint,
  insertTuning,
  listCheckpoints,
  listSteps,
  listTunings,
  setTuningJob,
  type StoredCheckpoint,
} from '../store/tuning.ts'
import { requireDataset } from './datasets.ts'
import { noExam } from './exams.ts'
import { exportCheckpoint } from './export-model.ts'
import type { Handlers, Lab } from './lab.ts'
import { requireModel } from './models.ts'
import { fromStoredPath } from './run-folder.ts'
import { requireTuning } from './tune.ts'
import { planTraining } from './train-plan.ts'
import { estimatePlan, presetPlan } from './tuning-plan.ts'

type TuningMethods =
  | 'tuning.preset'
  | 'tuning.estimate'
  | 'tuning.start'
  | 'tuning.list'
  | 'tuning.get'
  | 'tuning.steps'
  | 'tuning.warnings'
  | 'tuning.checkpoints'
  | 'tuning.export'
  | 'train.plan'

export function tuningMethods(lab: Lab): Handlers<TuningMethods> {
  return {
    'tuning.preset': (wish) => presetPlan(lab, wish),
    'tuning.estimate': (plan) => estimatePlan(lab, plan),
    'tuning.start': (plan) => {
      const tuningId = createTuning(lab, plan)
      const job = lab.jobs.start({ kind: 'tune', title: plan.name, subject: tuningId })
      setTuningJob(lab.project().db, tuningId, job.id)
      return { tuningId, jobId: job.id }
    },
    'tuning.list': () => listTunings(lab.project().db),
    'tuning.get': ({ tuningId }) => requireTuning(lab, tuningId),
    'tuning.steps': ({ tuningId, after }) => listSteps(lab.project().db, requireTuning(lab, tuningId), after),
    'tuning.warnings': ({ tuningId }) => findWarnings(listSteps(lab.project().db, requireTuning(lab, tuningId), 0)),
    'tuning.checkpoints': ({ tuningId }) =>
      listCheckpoints(lab.project().db, requireTuning(lab, tuningId).id).map((checkpoint) => shown(lab, checkpoint)),
    'train.plan': (wish) => planTraining(lab, wish),
    'tuning.export': async ({ checkpointId, what, type, path: wanted }) => {
      const path = resolve(wanted)
      refuseForeignModel(lab, path)
      return exportCheckpoint(lab, { checkpoint: requireCheckpoint(lab, checkpointId), what, type, path })
    },
  }
}

/** An export may take the place of an earlier one, never of a model that was not made here. */
function refuseForeignModel(lab: Lab, path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new AppError({
      code: 'bad-input',
      message: `This is a folder, and the model becomes a file: ${path}`,
      remedy: 'Add a file name, such as tuned.gguf.',
    })
  const model = findModelByPath(lab.project().db, path)
  if (!model || model.origin !== '') return
  throw new AppError({
    code: 'conflict',
    message: `The file is "${model.name}", which the project uses: ${path}`,
    remedy: 'Choose another file name.',
  })
}

/** Checks a plan against what the project has and writes the run, all phases waiting. Who starts its job calls setTuningJob. */
export function createTuning(lab: Lab, plan: TuningPlan): TuningId {
  const student = requireModel(lab, plan.studentId, 'student')
  const dataset = requireDataset(lab, plan.datasetId)
  for (const id of plan.examIds) if (!findExam(lab.project().db, id)) throw noExam(id)
  refuseUnfit(plan, student, dataset.split.trainCount)
  const id = `tuning-${randomBytes(6).toString('hex')}` as TuningId
  insertTuning(lab.project().db, { id, plan, createdAtMs: lab.now() })
  lab.emit({ kind: 'changed', what: 'tuning' })
  return id
}

function refuseUnfit(plan: TuningPlan, student: Model, trainCount: number): void {
  const longest = Math.max(...plan.phases.map((phase) => phase.contextTokens))
  if (longest > student.contextLength)
    throw new AppError({
      code: 'bad-input',
      message: `A context of ${longest} tokens is more than the ${student.contextLength} that "${student.name}" was made for.`,
      remedy: `Set the context of every phase to at most ${student.contextLength}.`,
    })
  if (plan.mode === 'lora' && !plan.lora)
    throw new AppError({
      code: 'bad-input',
      message: 'A LoRA plan needs a rank and an alpha.',
      remedy: 'Set them, e.g. rank 16 and alpha 32.',
    })
  if (plan.mode === 'full' && ((plan.options?.klWeight ?? 0) > 0 || (plan.lora?.dropout ?? 0) > 0))
    throw new AppError({
      code: 'bad-input',
      message:
        'Dropout and holding to the base need LoRA: full training has no adapter and keeps no base to compare with.',
      remedy: 'Choose LoRA, or set both to 0.',
    })
  if (trainCount === 0)
    throw new AppError({
      code: 'bad-input',
      message: 'The dataset has no training rows.',
      remedy: 'Freeze one with more samples.',
    })
}

function requireCheckpoint(lab: Lab, id: CheckpointId): StoredCheckpoint {
  const checkpoint = findCheckpoint(lab.project().db, id)
  if (checkpoint) return checkpoint
  throw new AppError({ code: 'not-found', message: `There is no checkpoint ${id}.`, remedy: 'Pick one from the run.' })
}

function shown(lab: Lab, stored: StoredCheckpoint): Checkpoint {
  const { phaseIndex: _phaseIndex, isFinished: _isFinished, ...checkpoint } = stored
  return { ...checkpoint, folder: fromStoredPath(lab.project(), checkpoint.folder) }
}
