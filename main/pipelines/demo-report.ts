// The demo's closing report: scores of every phase with and without replay, the truth of samples before and after the filters as the
// demo world's oracle sees it, parse failures, seconds. Reads only; everything in it was measured by the run it reports.

import type { Sample } from '../contract/curation.ts'
import type { Evaluation } from '../contract/exams.ts'
import type { EvaluationId, ExamId, GenerationId, JobId, TuningId } from '../contract/ids.ts'
import type { DemoComparison, DemoReport, DemoScore, Share } from '../contract/workspace.ts'
import { demoOracle } from '../demo/sample-truth.ts'
import type { Truth } from '../demo/truth.ts'
import { pairedDifference } from '../domain/statistics.ts'
import { readDemoValue } from '../store/demo.ts'
import { findEvaluation, listEvaluations } from '../store/exams.ts'
import { findGeneration } from '../store/generation.ts'
import { listCheckpoints } from '../store/tuning.ts'
import { pageSamples } from '../store/verdicts.ts'
import type { Lab } from './lab.ts'

const pageRows = 500

export function writeDemoReport(lab: Lab, jobId: JobId): DemoReport {
  const { db } = lab.project()
  const generationId = readDemoValue<GenerationId>(db, jobId, 'generation')
  const run = generationId ? findGeneration(db, generationId) : undefined
  const seconds = readDemoValue<Record<string, number>>(db, jobId, 'seconds') ?? {}
  return {
    scores: collectScores(lab, jobId),
    comparisons: compareEnds(lab, jobId),
    truth: measureTruth(lab, generationId),
    parseFailures: { count: run?.parseFailureCount ?? 0, calls: run?.callCount ?? 0 },
    stageSeconds: Object.entries(seconds).map(([name, spent]) => ({ name, seconds: spent })),
    exports: readDemoValue<DemoReport['exports']>(db, jobId, 'exports') ?? [],
  }
}

/** The base line stands in both variants, so that each reads as one column of phases. */
function collectScores(lab: Lab, jobId: JobId): DemoScore[] {
  const { db } = lab.project()
  const evaluations = endEvaluations(lab, jobId)
  const variants = ['with replay', 'without replay'] as const
  return variants.flatMap((variant) => {
    const tuningId = readDemoValue<TuningId>(db, jobId, `tuning ${variant}`)
    if (!tuningId) return []
    const base = evaluations.filter((evaluation) => evaluation.jobId === jobId && evaluation.phase === 'base')
    const phases = evaluations.filter((evaluation) => evaluation.tuningId === tuningId)
    return [...base, ...phases].map(({ phase, examName, examKind, correct, total, score, interval }) => ({
      variant,
      phase,
      exam: examName,
      kind: examKind,
      correct,
      total,
      score,
      interval,
    }))
  })
}

/** Evaluations of the base line and of the checkpoint each phase ended in, without those that only served to choose it. */
function endEvaluations(lab: Lab, jobId: JobId): Evaluation[] {
  const { db } = lab.project()
  const tunings = ['with replay', 'without replay'].flatMap(
    (variant) => readDemoValue<TuningId>(db, jobId, `tuning ${variant}`) ?? [],
  )
  const checkpoints = tunings.flatMap((tuningId) => listCheckpoints(db, tuningId)).filter(({ isBest }) => isBest)
  const ends = new Set(checkpoints.map(({ id }) => id))
  return listEvaluations(db).filter(({ checkpointId }) => checkpointId === null || ends.has(checkpointId))
}

/** The last phase with replay against the base, then against the last phase without, on every exam. */
function compareEnds(lab: Lab, jobId: JobId): DemoComparison[] {
  const { db } = lab.project()
  const evaluations = endEvaluations(lab, jobId)
  const endOf = (variant: string, examId: ExamId) => {
    const tuningId = readDemoValue<TuningId>(db, jobId, `tuning ${variant}`)
    return evaluations.findLast((one) => one.examId === examId && tuningId !== undefined && one.tuningId === tuningId)
  }
  const exams = [...new Set(evaluations.filter((one) => one.jobId === jobId).map((one) => one.examId))]
  return exams.flatMap((examId) => {
    const first = endOf('with replay', examId)
    const base = evaluations.find((one) => one.examId === examId && one.jobId === jobId && one.phase === 'base')
    const others = [
      { name: 'base', evaluation: base },
      { name: 'without replay', evaluation: endOf('without replay', examId) },
    ]
    return others.flatMap(({ name, evaluation }) =>
      first && evaluation ? [compare(lab, { first, second: evaluation, secondName: name })] : [],
    )
  })
}

function compare(
  lab: Lab,
  { first, second, secondName }: { first: Evaluation; second: Evaluation; secondName: string },
): DemoComparison {
  const { db } = lab.project()
  const rightOf = (id: EvaluationId) =>
    new Map((findEvaluation(db, id)?.answers ?? []).map((answer) => [answer.index, answer.isCorrect]))
  const others = rightOf(second.id)
  const counts = { bothCorrect: 0, firstOnly: 0, secondOnly: 0, neither: 0 }
  for (const [index, isRight] of rightOf(first.id)) {
    const isOtherRight = others.get(index) ?? false
    if (isRight) counts[isOtherRight ? 'bothCorrect' : 'firstOnly'] += 1
    else counts[isOtherRight ? 'secondOnly' : 'neither'] += 1
  }
  const { examName: exam, examKind: kind } = first
  return { exam, kind, first: 'with replay', second: secondName, ...pairedDifference(counts) }
}

/** Before: every candidate with an answer, whatever became of it. After: those the chain let pass. What the oracle cannot judge is not true. */
function measureTruth(lab: Lab, generationId: GenerationId | undefined): DemoReport['truth'] {
  const judge = demoOracle()
  const judged = samplesOf(lab, generationId).map((sample) => ({
    truth: judge(sample),
    hasPassed: sample.state === 'passed',
  }))
  const passed = judged.filter(({ hasPassed }) => hasPassed)
  return {
    before: shareOf(judged),
    after: shareOf(passed),
    undecided: passed.filter(({ truth }) => truth === 'unknown').length,
  }
}

function shareOf(judged: { truth: Truth }[]): Share {
  return { true: judged.filter(({ truth }) => truth === 'true').length, total: judged.length }
}

/** The run's candidates that got as far as an answer. */
function samplesOf(lab: Lab, generationId: GenerationId | undefined): Sample[] {
  const { db } = lab.project()
  const samples: Sample[] = []
  for (let offset = 0; ; offset += pageRows) {
    const { rows } = pageSamples(db, {}, { offset, limit: pageRows })
    samples.push(...rows.filter((row) => row.generationId === generationId && row.question !== '' && row.answer !== ''))
    if (rows.length < pageRows) return samples
  }
}
