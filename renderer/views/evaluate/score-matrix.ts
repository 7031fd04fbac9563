// Evaluations arranged as a table: a group of rows for the base and for each tuning, a row for each phase, a column for each exam. Of
// the checkpoints of a phase the one that sat most exams stands for it; the others only helped to choose it.

import type { Evaluation } from '../../../main/contract/exams.ts'

export interface ScoreRow {
  key: string
  /** What the rows of one model or tuning share. */
  group: string
  label: string
  isBase: boolean
  /** By exam id. */
  scores: Map<string, Evaluation>
}
export interface ScoreMatrix {
  exams: { id: string; name: string; kind: Evaluation['examKind'] }[]
  rows: ScoreRow[]
}

/** Bases first, then in the order in which they were examined. With `everyCheckpoint` each checkpoint has its own row. */
export function scoreMatrix(evaluations: readonly Evaluation[], options = { everyCheckpoint: false }): ScoreMatrix {
  const sorted = evaluations.toSorted((a, b) => a.createdAtMs - b.createdAtMs)
  const exams = new Map(
    sorted.map(({ examId, examName, examKind }) => [examId, { id: examId, name: examName, kind: examKind }]),
  )
  const shown = options.everyCheckpoint ? sorted : withoutTrials(sorted)
  const rows = new Map<string, ScoreRow>()
  for (const evaluation of shown) {
    const { key, ...named } = nameOf(evaluation, options.everyCheckpoint)
    const row = rows.get(key) ?? { key, ...named, isBase: evaluation.tuningId === null, scores: new Map() }
    row.scores.set(evaluation.examId, evaluation)
    rows.set(key, row)
  }
  return { exams: [...exams.values()], rows: [...rows.values()].sort((a, b) => Number(b.isBase) - Number(a.isBase)) }
}

/** How far a score lies above the base's on the same exam; null when the base did not sit it. */
export function gainOverBase(matrix: ScoreMatrix, evaluation: Evaluation): number | null {
  const base = matrix.rows.find((row) => row.isBase && row.scores.has(evaluation.examId))?.scores.get(evaluation.examId)
  return base && base.id !== evaluation.id ? evaluation.score - base.score : null
}

function nameOf(evaluation: Evaluation, isPerCheckpoint: boolean): Pick<ScoreRow, 'key' | 'group' | 'label'> {
  const { tuningId, modelId, modelName, phase, checkpointId } = evaluation
  if (tuningId === null) return { key: `base ${modelId}`, group: modelId, label: phase }
  if (!isPerCheckpoint) return { key: `${tuningId} ${phase}`, group: tuningId, label: phase }
  return {
    key: `${tuningId} ${phase} ${checkpointId ?? modelId}`,
    group: tuningId,
    label: checkpointId ? modelName : phase,
  }
}

/** Leaves out checkpoints other than the one that stands for its phase. */
function withoutTrials(sorted: readonly Evaluation[]): Evaluation[] {
  const examsOf = new Map<string, Set<string>>()
  const phaseKey = ({ tuningId, phase }: Evaluation) => `${tuningId} ${phase}`
  const checkpointsOf = new Map<string, string[]>()
  for (const evaluation of sorted) {
    const { checkpointId, examId } = evaluation
    if (checkpointId === null) continue
    examsOf.set(checkpointId, (examsOf.get(checkpointId) ?? new Set()).add(examId))
    const known = checkpointsOf.get(phaseKey(evaluation)) ?? []
    checkpointsOf.set(phaseKey(evaluation), [...known.filter((id) => id !== checkpointId), checkpointId])
  }
  const count = (id: string) => examsOf.get(id)?.size ?? 0
  const ends = [...checkpointsOf.values()].map((ids) => ids.reduce((end, id) => (count(id) >= count(end) ? id : end)))
  return sorted.filter(({ checkpointId }) => checkpointId === null || ends.includes(checkpointId))
}
