// tuning.export: one checkpoint to one file of the user's choice, tested after writing.

import { AppError } from '../contract/errors.ts'
import type { ModelId } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import { statSync } from 'node:fs'
import { originOf, withCheckpoint, writeExport, type ExportWish } from './export.ts'
import { checkExport } from './export-check.ts'
import type { Lab } from './lab.ts'
import { hashFile, registerModel, requireModel } from './models.ts'
import { requireDataset } from './datasets.ts'
import { requireTuning } from './tune.ts'
import { readTaughtRows } from './tune-rows.ts'

/**
 * Writes a checkpoint and tests the file. A whole model is registered; an adapter is answered as a model that plays no role by itself.
 * Throws `trainer-failed` with the verdict when the self-test fails; the file stays for inspection.
 */
export async function exportCheckpoint(
  lab: Lab,
  wish: Pick<ExportWish, 'checkpoint' | 'what' | 'type' | 'path'>,
): Promise<Model> {
  const run = requireTuning(lab, wish.checkpoint.tuningId)
  const student = requireModel(lab, run.plan.studentId)
  const whole: ExportWish = { ...wish, run, student }
  const dataset = requireDataset(lab, run.plan.datasetId)
  const rows = await readTaughtRows(lab, dataset, { student, signal: new AbortController().signal })
  const verdict = await withCheckpoint(lab, whole, async (trainer) => {
    await writeExport(lab, trainer, whole)
    return checkExport(lab, { wish: whole, trainer, rows })
  })
  if (!verdict.hasPassed)
    throw new AppError({
      code: 'trainer-failed',
      message: `The file was written, but its self-test failed: ${wish.path}`,
      remedy: 'Do not use the file; export again, or in another type.',
      detail: verdict.words,
    })
  if (wish.what === 'model') {
    const name = `${run.plan.name}, ${wish.checkpoint.phase} step ${wish.checkpoint.step} (${wish.type})`
    // An equal file may be known at another place; the user is told of the one just written.
    return {
      ...(await registerModel(lab, { path: wish.path, name, origin: originOf(run, wish.checkpoint) })),
      path: wish.path,
    }
  }
  return describeAdapter(student, whole)
}

async function describeAdapter(student: Model, { run, checkpoint, path, type }: ExportWish): Promise<Model> {
  const sha256 = await hashFile(path)
  const alone = `An adapter works only together with "${student.name}".`
  return {
    ...student,
    id: `adapter-${sha256.slice(0, 16)}` as ModelId,
    name: `${run.plan.name}, adapter`,
    path,
    sha256,
    sizeBytes: statSync(path).size,
    fileType: type.toUpperCase(),
    origin: originOf(run, checkpoint),
    roles: [],
    unfit: { teacher: alone, student: alone, embedder: alone },
  }
}
