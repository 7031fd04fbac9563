// What a phase hands to the next (its best weights as a GGUF), and what a tuning ends in: a model of the project, tested after writing.

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Model } from '../contract/models.ts'
import type { TuningRun } from '../contract/tuning.ts'
import { safeStem } from '../domain/formats.ts'
import { setTuningResult, type StoredCheckpoint } from '../store/tuning.ts'
import { originOf, withCheckpoint, writeExport } from './export.ts'
import { checkExport } from './export-check.ts'
import type { JobContext, Lab } from './lab.ts'
import { registerModel } from './models.ts'
import { phaseFolder, runFolder } from './run-folder.ts'
import { resultTypeOf } from './student-type.ts'
import type { PhaseWork } from './tune-phase.ts'
import type { TaughtRow } from './tune-rows.ts'

export interface PhaseResult {
  /** Weights the next phase begins from. */
  start: { modelPath: string; adapterPath?: string }
  /** Null before the first phase. */
  checkpoint: StoredCheckpoint | null
}

const startPrefix = 'start-of-next-'

/** The weights of a phase's chosen checkpoint as a file for the next phase, F32 so that nothing is lost; written unless it is there. */
export async function phaseResult(lab: Lab, work: PhaseWork, best: StoredCheckpoint): Promise<PhaseResult> {
  const isAdapter = work.run.plan.mode === 'lora'
  const path = join(work.folder, `${startPrefix}${best.step}.gguf`)
  if (!existsSync(path)) {
    const wish = {
      run: work.run,
      student: work.student,
      checkpoint: best,
      what: isAdapter ? 'adapter' : 'model',
      type: 'f32',
      path,
    } as const
    await withCheckpoint(lab, wish, (trainer) => writeExport(lab, trainer, wish))
  }
  const start = isAdapter ? { modelPath: work.student.path, adapterPath: path } : { modelPath: path }
  return { start, checkpoint: best }
}

interface Finish {
  run: TuningRun
  student: Model
  rows: readonly TaughtRow[]
  checkpoint: StoredCheckpoint
  context: JobContext
}

/** Writes, registers and tests the tuned model, then removes what only the run itself needed. */
export async function finishTuning(lab: Lab, { run, student, rows, checkpoint, context }: Finish): Promise<void> {
  const { db } = lab.project()
  context.log('Writing the tuned model.')
  const path = join(runFolder(lab.project(), run.id), `${safeStem(run.plan.name)}.gguf`)
  const wish = { run, student, checkpoint, what: 'model', type: resultTypeOf(student), path } as const
  const verdict = await withCheckpoint(lab, wish, async (trainer) => {
    await writeExport(lab, trainer, wish)
    return checkExport(lab, { wish, trainer, rows })
  })
  context.log(verdict.words)
  const model = await registerModel(lab, { path, name: run.plan.name, origin: originOf(run, checkpoint) })
  setTuningResult(db, run.id, model.id)
  run.plan.phases.forEach((phase, phaseIndex) => {
    const folder = phaseFolder(lab.project(), run.id, { phaseIndex, name: phase.name })
    for (const name of readdirSync(folder)) if (name.startsWith(startPrefix)) rmSync(join(folder, name))
  })
  lab.emit({ kind: 'changed', what: 'tuning' })
}
