// Plans before they run: a preset fitted to a student and a dataset, and what a plan will take on this machine.

import { statfs } from 'node:fs/promises'
import { freemem } from 'node:os'
import type { DatasetRow } from '../contract/curation.ts'
import type { DatasetId, ModelId } from '../contract/ids.ts'
import { type Branch, branches } from '../contract/taxonomy.ts'
import type { PresetName, TuningEstimate, TuningPlan } from '../contract/tuning.ts'
import { estimateTuning, type PhaseLoad, roughTokens } from '../domain/estimate.ts'
import { composePhases, planBatches } from '../domain/mixing.ts'
import { presetParts } from '../domain/presets.ts'
import { readDatasetRows } from '../store/datasets.ts'
import { listExams } from '../store/exams.ts'
import { measuredTokensPerSecond } from '../store/tuning.ts'
import { requireDataset } from './datasets.ts'
import type { Lab } from './lab.ts'
import { requireModel } from './models.ts'
import { askTrainerPlan } from './trainer-setup.ts'

/** Tokens a chat template adds around one question and answer. */
const templateTokens = 16

/** A whole plan from a preset; every exam of the project is taken. */
export function presetPlan(
  lab: Lab,
  wish: { preset: PresetName; datasetId: DatasetId; studentId: ModelId },
): TuningPlan {
  const student = requireModel(lab, wish.studentId, 'student')
  const dataset = requireDataset(lab, wish.datasetId)
  const share = dataset.split.trainCount / Math.max(1, dataset.split.trainCount + dataset.split.validationCount)
  const countOf = (branch: Branch) =>
    Math.round(
      share * dataset.leaves.filter((leaf) => leaf.branch === branch).reduce((sum, leaf) => sum + leaf.count, 0),
    )
  const rowsByBranch = Object.fromEntries(branches.map((branch) => [branch, countOf(branch)])) as Record<Branch, number>
  const parts = presetParts(wish.preset, {
    parameterCount: student.parameterCount,
    contextLength: student.contextLength,
    rowsByBranch,
  })
  return {
    name: `${dataset.name}, ${wish.preset}`,
    studentId: student.id,
    datasetId: dataset.id,
    ...parts,
    seed: 1,
    threads: lab.settings().threads,
    examIds: listExams(lab.project().db)
      .map((exam) => exam.id)
      .slice(0, 20),
  }
}

/** Time, memory and disk of a plan on this machine. */
export async function estimatePlan(lab: Lab, plan: TuningPlan): Promise<TuningEstimate> {
  const student = requireModel(lab, plan.studentId, 'student')
  const { db, folder } = lab.project()
  const microbatchTokens = Math.max(...plan.phases.map((phase) => phase.contextTokens))
  const trainer = await askTrainerPlan(lab, plan, { modelPath: student.path, microbatchTokens })
  const disk = await statfs(folder)
  return estimateTuning({
    plan,
    student,
    trainer,
    loads: phaseLoads(plan, student.vocabSize, readDatasetRows(db, requireDataset(lab, plan.datasetId).id)),
    speed: { threads: plan.threads, measuredTokensPerSecond: measuredTokensPerSecond(db, plan) },
    memoryFreeBytes: freemem(),
    diskFreeBytes: disk.bavail * disk.bsize,
  })
}

function phaseLoads(plan: TuningPlan, vocabSize: number, rows: DatasetRow[]): PhaseLoad[] {
  const tokensOf = (row: DatasetRow | undefined) =>
    row ? templateTokens + roughTokens(row.system.length + row.user.length + row.assistant.length, vocabSize) : 0
  const composed = composePhases(
    rows.map((row) => ({ ...row, responseLength: [...row.assistant].length })),
    plan.phases,
  )
  return plan.phases.map((phase, phaseIndex) => {
    const { newRows, replayRows } = composed[phaseIndex] ?? { newRows: [], replayRows: [] }
    const fitting = newRows.filter((index) => tokensOf(rows[index]) <= phase.contextTokens)
    const batches = planBatches({ rows: { newRows: fitting, replayRows }, phase, phaseIndex, seed: plan.seed })
    const tokens = fitting.reduce((sum, index) => sum + tokensOf(rows[index]), 0)
    return {
      phase,
      newRowCount: fitting.length,
      replayRowCount: replayRows.length,
      totalSteps: batches.totalSteps,
      meanRowTokens: fitting.length === 0 ? 0 : tokens / fitting.length,
      tooLongCount: newRows.length - fitting.length,
    }
  })
}
