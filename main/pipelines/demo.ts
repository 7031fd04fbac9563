// The demo run: the whole method as one durable job over the same handlers the screens use. Base exams, generation, frozen dataset,
// three tuned phases with replay, the same without, exported files, a report. Each step leaves its ids behind, so a run that was cut
// short goes on at the step it had reached.

import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatasetId, GenerationId, JobId, ModelId, TuningId } from '../contract/ids.ts'
import type { Job, JobKind, JobProgress } from '../contract/jobs.ts'
import type { Model, ModelRole } from '../contract/models.ts'
import type { TuningPlan } from '../contract/tuning.ts'
import type { DemoReport } from '../contract/workspace.ts'
import { demoQuotas, demoTuningPhases } from '../demo/plan.ts'
import { readDemoValue, saveDemoValue } from '../store/demo.ts'
import { listExams } from '../store/exams.ts'
import { setGenerationJob } from '../store/generation.ts'
import { listModels } from '../store/models.ts'
import { findTuning, listCheckpoints } from '../store/tuning.ts'
import { freezeDataset } from './datasets.ts'
import { writeDemoReport } from './demo-report.ts'
import { takeExams } from './exams.ts'
import { exportCheckpoint } from './export-model.ts'
import { createGeneration } from './generate-plan.ts'
import { createRateMeter } from './job-rate.ts'
import type { JobContext, JobHandler, Lab } from './lab.ts'
import { requireModel } from './models.ts'
import { createTuning } from './tuning-methods.ts'

/** What demo.run stores for its job. */
export interface DemoWish {
  withoutReplay: boolean
}

/** `seconds` is the step's share of a run measured on two cores, for the ETA of what has not begun. */
interface PlannedStep {
  name: string
  seconds: number
}
interface Step extends PlannedStep {
  run: (run: DemoRun) => Promise<void>
}

/** Where the run is. `context` of a step reports progress as part of the whole. */
interface DemoRun {
  lab: Lab
  context: JobContext
  wish: DemoWish
}

const steps: readonly Step[] = [
  { name: 'Exams of the untouched student', seconds: 4, run: takeBaseExams },
  { name: 'Generation by the teacher', seconds: 75, run: generate },
  { name: 'Frozen dataset', seconds: 1, run: freeze },
  { name: 'Tuning with replay', seconds: 105, run: (run) => tune(run, 'with replay') },
  { name: 'Tuning without replay', seconds: 95, run: (run) => tune(run, 'without replay') },
  { name: 'Exported model', seconds: 3, run: exportModels },
  { name: 'Report', seconds: 1, run: report },
]

/** Runs or continues a demo run. */
export function demoHandler(lab: Lab): JobHandler {
  return async (context) => {
    const wish = context.parameters as DemoWish
    const wanted = steps.filter((step) => wish.withoutReplay || step.name !== 'Tuning without replay')
    for (const [index, step] of wanted.entries()) {
      if (context.signal.aborted) return
      if (recall(lab, context.job.id, `done ${step.name}`)) continue
      context.log(step.name)
      const startedAtMs = lab.now()
      const clock = demoClock(
        { step, before: wanted.slice(0, index), after: wanted.slice(index + 1) },
        spentOf(lab, context.job.id),
      )
      const meter = createRateMeter()
      const stage = { index, count: wanted.length, name: step.name, names: wanted.map(({ name }) => name) }
      const progress = (inner: JobProgress) => {
        const measured = meter.measure(inner, lab.now())
        const etaSeconds = clock((lab.now() - startedAtMs) / 1000, measured.etaSeconds)
        context.progress({ ...measured, etaSeconds, stage })
      }
      progress({ done: 0, total: 1, label: step.name, ratePerSecond: null, etaSeconds: null })
      await step.run({ lab, context: { ...context, progress }, wish })
      addSeconds(lab, context.job.id, { name: step.name, seconds: (lab.now() - startedAtMs) / 1000 })
      if (context.signal.aborted) return
      remember(lab, context.job.id, { key: `done ${step.name}`, value: true })
    }
  }
}

/** Planned seconds that have to be behind a run before its own pace is believed. */
const believedSeconds = 30

/**
 * Seconds left of the whole run: what this step's own rate says (else its plan), and the plan of the later steps at the pace this
 * machine has shown so far.
 */
export function demoClock(
  { step, before, after }: { step: PlannedStep; before: readonly PlannedStep[]; after: readonly PlannedStep[] },
  spent: Record<string, number>,
): (elapsedSeconds: number, stepEtaSeconds: number | null) => number {
  const planned = (steps: readonly PlannedStep[]) => steps.reduce((sum, each) => sum + each.seconds, 0)
  const spentBefore = before.reduce((sum, each) => sum + (spent[each.name] ?? 0), 0)
  const elapsedBefore = spent[step.name] ?? 0
  return (elapsedSeconds, stepEtaSeconds) => {
    const elapsed = elapsedBefore + elapsedSeconds
    const isKnown = stepEtaSeconds !== null && elapsedSeconds > 3
    const plannedSoFar = planned(before) + (isKnown ? step.seconds : 0)
    const actualSoFar = spentBefore + (isKnown ? elapsed + stepEtaSeconds : 0)
    const pace = plannedSoFar < believedSeconds ? 1 : actualSoFar / plannedSoFar
    const own = isKnown ? stepEtaSeconds : Math.max(1, step.seconds * pace - elapsed)
    return own + planned(after) * pace
  }
}

async function takeBaseExams({ lab, context }: DemoRun): Promise<void> {
  const { student } = roles(lab)
  const exams = listExams(lab.project().db)
  const total = exams.reduce((sum, exam) => sum + exam.questionCount, 0)
  let done = 0
  await takeExams(lab, {
    taker: {
      modelPath: student.path,
      modelId: student.id,
      modelName: student.name,
      tuningId: null,
      phase: 'base',
      checkpointId: null,
      jobId: context.job.id,
    },
    examIds: exams.map((exam) => exam.id),
    threads: lab.settings().threads,
    signal: context.signal,
    onAnswered(count) {
      done += count
      context.progress({ done, total, label: `Question ${done} of ${total}`, ratePerSecond: null, etaSeconds: null })
    },
  })
}

async function generate(run: DemoRun): Promise<void> {
  const { lab, context } = run
  const id = await once<GenerationId>(run, 'generation', () => {
    const generationId = createGeneration(lab, {
      teacherId: roles(lab).teacher.id,
      pipeline: 'lab',
      leaves: demoQuotas(),
      parallel: 16,
      maxAttemptsFactor: 4,
      thresholds: { minPairGrade: 2, nearDuplicateRougeL: 0.98 },
    })
    setGenerationJob(lab.project().db, generationId, context.job.id)
    return generationId
  })
  await runPart(run, 'generate', id)
}

async function freeze(run: DemoRun): Promise<void> {
  await once<DatasetId>(run, 'dataset', async () => {
    const name = `Demo ${randomBytes(2).toString('hex')}`
    return (await freezeDataset(run.lab, { name, validationShare: 0.05, seed: 1, decontaminate: true })).id
  })
}

async function tune(run: DemoRun, variant: 'with replay' | 'without replay'): Promise<void> {
  const { lab } = run
  const id = await once<TuningId>(run, `tuning ${variant}`, () => {
    const plan: TuningPlan = {
      name: `Demo student, ${variant}`,
      studentId: roles(lab).student.id,
      datasetId: recall(lab, run.context.job.id, 'dataset') as DatasetId,
      preset: 'workstation-full',
      mode: 'full',
      phases: demoTuningPhases({ hasReplay: variant === 'with replay' }),
      seed: 1,
      threads: lab.settings().threads,
      checkpointEverySteps: 1000,
      examIds: listExams(lab.project().db).map((exam) => exam.id),
    }
    return createTuning(lab, plan)
  })
  await runPart(run, 'tune', id)
}

async function exportModels(run: DemoRun): Promise<void> {
  const { lab, context } = run
  const { db, folder } = lab.project()
  const tuningId = recall(lab, context.job.id, 'tuning with replay') as TuningId
  const tuning = findTuning(db, tuningId)
  const last = tuning?.phases.at(-1)?.bestCheckpointId
  const checkpoint = listCheckpoints(db, tuningId).find((one) => one.id === last)
  if (!checkpoint) return
  const path = join(folder, 'exports', 'demo-student-tuned-f32.gguf')
  await exportCheckpoint(lab, { checkpoint, what: 'model', type: 'f32', path })
  const file = { path, what: 'tuned model, F32', sizeBytes: statSync(path).size }
  remember(lab, context.job.id, { key: 'exports', value: [file] satisfies DemoReport['exports'] })
}

async function report({ lab, context }: DemoRun): Promise<void> {
  remember(lab, context.job.id, { key: 'report', value: writeDemoReport(lab, context.job.id) })
}

/** Runs the handler of another kind of job as part of this one. */
async function runPart({ lab, context }: DemoRun, kind: JobKind, subject: string): Promise<void> {
  const job: Job = { ...context.job, subject }
  await lab.jobs.handler(kind)({ ...context, job, parameters: {} })
}

/** Makes something of this run once, whatever was cut short in between. */
async function once<Id extends string>(run: DemoRun, key: string, make: () => Id | Promise<Id>): Promise<Id> {
  const known = recall(run.lab, run.context.job.id, key)
  if (known) return known as Id
  const made = await make()
  remember(run.lab, run.context.job.id, { key, value: made })
  return made
}

function recall(lab: Lab, jobId: JobId, key: string): unknown {
  return readDemoValue(lab.project().db, jobId, key)
}

function remember(lab: Lab, jobId: JobId, left: { key: string; value: unknown }): void {
  saveDemoValue(lab.project().db, jobId, left)
}

function addSeconds(lab: Lab, jobId: JobId, { name, seconds }: { name: string; seconds: number }): void {
  const known = spentOf(lab, jobId)
  remember(lab, jobId, { key: 'seconds', value: { ...known, [name]: (known[name] ?? 0) + seconds } })
}

/** Seconds spent on each step, over all its runs. */
function spentOf(lab: Lab, jobId: JobId): Record<string, number> {
  return (recall(lab, jobId, 'seconds') ?? {}) as Record<string, number>
}

/** The two models that ship with the demo, wherever other models play their roles now. */
function roles(lab: Lab): { teacher: Model; student: Model } {
  const models = listModels(lab.project().db)
  const pick = (role: ModelRole) => {
    const path = join(lab.resources.demoModelsDir, `${role}.gguf`)
    return requireModel(lab, models.find((model) => model.path === path)?.id ?? ('' as ModelId), role)
  }
  return { teacher: pick('teacher'), student: pick('student') }
}
