// Checkpoints as GGUF files: an adapter, or the whole (merged) model. Writes to a temporary name and renames, so a path never holds
// half a model; the self-test of what was written is in export-check.ts.

import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import type { TuningRun } from '../contract/tuning.ts'
import type { Trainer } from '../compute/trainer.ts'
import type { ExportRequest } from '../compute/trainer-protocol.ts'
import { findDataset } from '../store/datasets.ts'
import type { StoredCheckpoint } from '../store/tuning.ts'
import type { Lab } from './lab.ts'
import { fromStoredPath } from './run-folder.ts'
import { openPlanTrainer } from './trainer-setup.ts'

export interface ExportWish {
  run: TuningRun
  student: Model
  checkpoint: StoredCheckpoint
  what: ExportRequest['what']
  type: ExportRequest['type']
  path: string
}

/** Tries of a trainer that died while it only read and wrote a checkpoint. */
const maxTries = 3

/** Loads a checkpoint into a trainer of its own and hands it to `use`, again where the trainer died; it is closed afterwards. */
export async function withCheckpoint<T>(lab: Lab, of: CheckpointOf, use: (trainer: Trainer) => Promise<T>): Promise<T> {
  if (of.checkpoint.folder === '') throw filesRemoved(of.checkpoint)
  for (let tries = 1; ; tries++) {
    try {
      return await useCheckpoint(lab, of, use)
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'worker-died' || tries === maxTries) throw thrown
      lab.log(`${thrown.message} Trying again.`)
    }
  }
}

type CheckpointOf = Pick<ExportWish, 'run' | 'student' | 'checkpoint'>

async function useCheckpoint<T>(lab: Lab, of: CheckpointOf, use: (trainer: Trainer) => Promise<T>): Promise<T> {
  const { run, student, checkpoint } = of
  const start = { modelPath: student.path, microbatchTokens: microbatchTokensOf(of) }
  const trainer = await openPlanTrainer(lab, run.plan, { start })
  try {
    await trainer.loadCheckpoint(fromStoredPath(lab.project(), checkpoint.folder))
    return await use(trainer)
  } finally {
    await trainer.close()
  }
}

/** Tokens of a microbatch, and of the longest row, that the checkpoint's trainer takes. */
export function microbatchTokensOf({ run, checkpoint }: Pick<ExportWish, 'run' | 'checkpoint'>): number {
  return run.plan.phases[checkpoint.phaseIndex]?.contextTokens ?? 512
}

/** Writes what `wish` asks for from a trainer that holds the checkpoint. Throws `bad-input` for an adapter of a full tuning. */
export async function writeExport(lab: Lab, trainer: Trainer, wish: ExportWish): Promise<void> {
  if (wish.what === 'adapter' && wish.run.plan.mode === 'full') throw noAdapter()
  mkdirSync(dirname(wish.path), { recursive: true })
  try {
    // The trainer writes beside the file and renames it at the end; what it leaves when it dies in between is ours to remove.
    await trainer.export({ what: wish.what, path: wish.path, type: wish.type, metadata: provenance(lab, wish) })
  } finally {
    rmSync(`${wish.path}.part`, { force: true })
  }
}

/** What the file says about where it came from. */
function provenance(lab: Lab, { run, student, checkpoint, what }: ExportWish): Record<string, string> {
  const dataset = findDataset(lab.project().db, run.plan.datasetId)
  return {
    ...(what === 'model' ? { 'general.name': run.plan.name } : {}),
    'labdesk.origin': originOf(run, checkpoint),
    'labdesk.student_sha256': student.sha256,
    'labdesk.dataset_sha256': dataset?.sha256 ?? '',
    'labdesk.tuning_plan': JSON.stringify(run.plan),
  }
}

/** Which run and step a model was made by, in words. */
export function originOf(run: TuningRun, checkpoint: StoredCheckpoint): string {
  return `${run.plan.name}: ${checkpoint.phase} step ${checkpoint.step} (${run.id})`
}

function filesRemoved(checkpoint: StoredCheckpoint): AppError {
  return new AppError({
    code: 'not-found',
    message: `The files of ${checkpoint.phase} step ${checkpoint.step} were removed to save space; only the best and last of a phase are kept.`,
    remedy: 'Choose the best or the last checkpoint of the phase.',
  })
}

function noAdapter(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'This run trained the whole model, so there is no adapter to write.',
    remedy: 'Export the model instead, or tune with LoRA to get an adapter.',
  })
}
