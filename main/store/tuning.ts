// Tuning runs: plan, phases, steps and checkpoints. A step written twice (a resumed run repeats what came after its checkpoint) is one row.

import type { CheckpointId, JobId, ModelId, TuningId } from '../contract/ids.ts'
import type { Checkpoint, PhaseProgress, PhaseState, TuningPlan, TuningRun, TuningStep } from '../contract/tuning.ts'
import type { Database } from './open.ts'

/** Writes a run with all its phases waiting. */
export function insertTuning(db: Database, run: { id: TuningId; plan: TuningPlan; createdAtMs: number }): void {
  db.transaction(() => {
    db.prepare("insert into tunings (id, job_id, plan_json, created_at_ms) values (?, '', ?, ?)").run(
      run.id,
      JSON.stringify(run.plan),
      run.createdAtMs,
    )
    const phase = db.prepare("insert into tuning_phases (tuning_id, phase_index, state) values (?, ?, 'waiting')")
    for (const at of run.plan.phases.keys()) phase.run(run.id, at)
  })()
}

/** Names the job that carries the run. */
export function setTuningJob(db: Database, id: TuningId, jobId: JobId): void {
  db.prepare('update tunings set job_id = ? where id = ?').run(jobId, id)
}

/** Names the model the run ended in. */
export function setTuningResult(db: Database, id: TuningId, modelId: ModelId): void {
  db.prepare('update tunings set result_model_id = ? where id = ?').run(modelId, id)
}

interface TuningRecord {
  id: TuningId
  jobId: JobId
  planJson: string
  createdAtMs: number
  resultModelId: ModelId | null
}
const selectTuning =
  'select id, job_id as jobId, plan_json as planJson, created_at_ms as createdAtMs, result_model_id as resultModelId from tunings'

/** Newest first. */
export function listTunings(db: Database): TuningRun[] {
  return db
    .prepare<[], TuningRecord>(`${selectTuning} order by created_at_ms desc, id`)
    .all()
    .map((found) => toRun(db, found))
}

/** The run, or undefined. */
export function findTuning(db: Database, id: TuningId): TuningRun | undefined {
  const found = db.prepare<[string], TuningRecord>(`${selectTuning} where id = ?`).get(id)
  return found && toRun(db, found)
}

/** The run a model is the result of, or undefined. */
export function findTuningOfModel(db: Database, modelId: ModelId): TuningRun | undefined {
  const found = db.prepare<[string], TuningRecord>(`${selectTuning} where result_model_id = ?`).get(modelId)
  return found && toRun(db, found)
}

function toRun(db: Database, { planJson, ...found }: TuningRecord): TuningRun {
  const plan = JSON.parse(planJson) as TuningPlan
  const phases = plan.phases.map((phase, at) => ({ name: phase.name, ...readPhase(db, found.id, at) }))
  return { ...found, plan, phases }
}

interface PhaseRecord extends Omit<PhaseProgress, 'name' | 'epoch'> {
  stepsPerEpoch: number
}

function readPhase(db: Database, id: TuningId, phaseIndex: number): Omit<PhaseProgress, 'name'> {
  const { stepsPerEpoch, ...phase } = db
    .prepare<[string, number], PhaseRecord>(
      `select state, row_count as rowCount, replay_row_count as replayRowCount, total_steps as totalSteps,
         steps_per_epoch as stepsPerEpoch, best_checkpoint_id as bestCheckpointId,
         (select coalesce(max(step), 0) from tuning_steps as done
          where done.tuning_id = phase.tuning_id and done.phase_index = phase.phase_index) as step
       from tuning_phases as phase where tuning_id = ? and phase_index = ?`,
    )
    .get(id, phaseIndex) as PhaseRecord
  return { ...phase, epoch: stepsPerEpoch === 0 ? 0 : Math.ceil(phase.step / stepsPerEpoch) }
}

/** What changes in a phase as it runs. Absent fields stay. */
export interface PhaseChange {
  state?: PhaseState
  rowCount?: number
  replayRowCount?: number
  totalSteps?: number
  stepsPerEpoch?: number
  bestCheckpointId?: CheckpointId
}

/** Writes what changed in a phase. */
export function updatePhase(
  db: Database,
  place: { tuningId: TuningId; phaseIndex: number },
  change: PhaseChange,
): void {
  db.prepare(
    `update tuning_phases set state = coalesce(@state, state), row_count = coalesce(@rowCount, row_count),
       replay_row_count = coalesce(@replayRowCount, replay_row_count), total_steps = coalesce(@totalSteps, total_steps),
       steps_per_epoch = coalesce(@stepsPerEpoch, steps_per_epoch),
       best_checkpoint_id = coalesce(@bestCheckpointId, best_checkpoint_id)
     where tuning_id = @tuningId and phase_index = @phaseIndex`,
  ).run({ ...unchanged, ...change, ...place })
}
const unchanged = {
  state: null,
  rowCount: null,
  replayRowCount: null,
  totalSteps: null,
  stepsPerEpoch: null,
  bestCheckpointId: null,
}

/** Writes steps of one phase in one transaction; a step that is there already is replaced. */
export function saveSteps(
  db: Database,
  place: { tuningId: TuningId; phaseIndex: number },
  steps: readonly TuningStep[],
): void {
  const save = db.prepare(
    `insert or replace into tuning_steps
       (tuning_id, phase_index, step, loss, loss_new, loss_replay, learning_rate, grad_norm, tokens, duration_ms)
     values (@tuningId, @phaseIndex, @step, @loss, @lossNew, @lossReplay, @learningRate, @gradNorm, @tokens, @ms)`,
  )
  db.transaction(() => {
    for (const { phase: _phase, ...step } of steps) save.run({ ...step, ...place })
  })()
}

/** Steps of a run in order, phase by phase, leaving out the first `after`. */
export function listSteps(db: Database, run: TuningRun, after: number): TuningStep[] {
  return db
    .prepare<[string, number], Omit<TuningStep, 'phase'> & { phaseIndex: number }>(
      `select phase_index as phaseIndex, step, loss, loss_new as lossNew, loss_replay as lossReplay,
         learning_rate as learningRate, grad_norm as gradNorm, tokens, duration_ms as ms
       from tuning_steps where tuning_id = ? order by phase_index, step limit -1 offset ?`,
    )
    .all(run.id, after)
    .map(({ phaseIndex, ...step }) => ({ ...step, phase: run.plan.phases[phaseIndex]?.name ?? 'stacked' }))
}

/** Median-like speed of the latest steps of any run of a student in a mode, tokens per second; null when none ran. */
export function measuredTokensPerSecond(
  db: Database,
  student: { studentId: ModelId; mode: TuningPlan['mode'] },
): number | null {
  const found = db
    .prepare<[string, string], { tokens: number | null; ms: number | null }>(
      `select sum(tokens) as tokens, sum(duration_ms) as ms from tuning_steps
       where tuning_id = (select id from tunings
         where plan_json ->> '$.studentId' = ? and plan_json ->> '$.mode' = ?
           and exists (select 1 from tuning_steps where tuning_id = tunings.id) order by created_at_ms desc limit 1)`,
    )
    .get(student.studentId, student.mode)
  return found?.tokens && found.ms ? (1000 * found.tokens) / found.ms : null
}

/** Where a checkpoint belongs in its run. */
export interface CheckpointPlace {
  tuningId: TuningId
  phaseIndex: number
  step: number
}

/** A checkpoint with where it belongs and whether all that is measured on it has been. */
export interface StoredCheckpoint extends Checkpoint {
  phaseIndex: number
  isFinished: boolean
}

/** Writes a checkpoint that has just been saved on disk; one of the same place stays as it is. */
export function insertCheckpoint(
  db: Database,
  checkpoint: CheckpointPlace & Pick<Checkpoint, 'id' | 'epoch' | 'folder' | 'sizeBytes'>,
): void {
  db.prepare(
    `insert into checkpoints (id, tuning_id, phase_index, step, epoch, folder, size_bytes)
     values (@id, @tuningId, @phaseIndex, @step, @epoch, @folder, @sizeBytes) on conflict do nothing`,
  ).run(checkpoint)
}

/** Writes what was measured on a checkpoint and marks it finished. */
export function finishCheckpoint(
  db: Database,
  id: CheckpointId,
  measured: { validationLoss: number | null; score: number | null },
): void {
  db.prepare('update checkpoints set validation_loss = ?, score = ?, is_finished = 1 where id = ?').run(
    measured.validationLoss,
    measured.score,
    id,
  )
}

/** Notes that retention removed a checkpoint's files; its measurements stay. */
export function forgetCheckpointFiles(db: Database, id: CheckpointId): void {
  db.prepare("update checkpoints set folder = '', size_bytes = 0 where id = ?").run(id)
}

interface CheckpointRecord {
  id: CheckpointId
  tuningId: TuningId
  phaseIndex: number
  step: number
  epoch: number
  folder: string
  sizeBytes: number
  validationLoss: number | null
  score: number | null
  isFinished: number
  isBest: number
  planJson: string
}
const selectCheckpoint = `select checkpoints.id, checkpoints.tuning_id as tuningId, checkpoints.phase_index as phaseIndex, step, epoch,
    folder, size_bytes as sizeBytes, validation_loss as validationLoss, score, is_finished as isFinished,
    checkpoints.id = coalesce(best_checkpoint_id, '') as isBest, plan_json as planJson
  from checkpoints join tunings on tunings.id = checkpoints.tuning_id
  join tuning_phases as phase on phase.tuning_id = checkpoints.tuning_id and phase.phase_index = checkpoints.phase_index`

/** Checkpoints of a run in the order they were made; of one phase where given. */
export function listCheckpoints(db: Database, tuningId: TuningId, phaseIndex?: number): StoredCheckpoint[] {
  const only = phaseIndex === undefined ? '' : `and checkpoints.phase_index = ${Number(phaseIndex)}`
  return db
    .prepare<[string], CheckpointRecord>(
      `${selectCheckpoint} where checkpoints.tuning_id = ? ${only} order by checkpoints.phase_index, step`,
    )
    .all(tuningId)
    .map((found) => toCheckpoint(db, found))
}

/** The checkpoint, or undefined. */
export function findCheckpoint(db: Database, id: CheckpointId): StoredCheckpoint | undefined {
  const found = db.prepare<[string], CheckpointRecord>(`${selectCheckpoint} where checkpoints.id = ?`).get(id)
  return found && toCheckpoint(db, found)
}

function toCheckpoint(db: Database, { planJson, isFinished, isBest, ...found }: CheckpointRecord): StoredCheckpoint {
  const plan = JSON.parse(planJson) as TuningPlan
  const evaluationIds = db
    .prepare<[string]>(
      'select id from evaluations where checkpoint_id = ? and is_finished = 1 order by created_at_ms, id',
    )
    .pluck()
    .all(found.id) as StoredCheckpoint['evaluationIds']
  return {
    ...found,
    phase: plan.phases[found.phaseIndex]?.name ?? 'stacked',
    isBest: isBest === 1,
    isFinished: isFinished === 1,
    evaluationIds,
  }
}
