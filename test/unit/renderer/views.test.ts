import { beforeAll, describe, expect, it } from 'vitest'
import type { Evaluation } from '../../../main/contract/exams.ts'
import type { CheckpointId, ExamId, GenerationId, JobId, TuningId } from '../../../main/contract/ids.ts'
import type { Job } from '../../../main/contract/jobs.ts'
import type { TuningStep } from '../../../main/contract/tuning.ts'
import * as format from '../../../renderer/format.ts'
import { setLanguage } from '../../../renderer/i18n.ts'
import { activeJob, applyEvent, createLive } from '../../../renderer/state/live.ts'
import { hrefOf, parseRoute } from '../../../renderer/state/route.ts'
import { findQuote } from '../../../renderer/views/curate/chunk-text.tsx'
import { gainOverBase, scoreMatrix } from '../../../renderer/views/evaluate/score-matrix.ts'
import { sampleOf } from './samples.ts'

beforeAll(() => setLanguage('en'))

describe('addresses', () => {
  it('keep a leaf path whole', () => {
    expect(parseRoute(hrefOf('taxonomy', 'knowledge/nature/birds'))).toEqual({
      screen: 'taxonomy',
      subject: 'knowledge/nature/birds',
    })
  })
  it('that are unknown mean Overview', () => {
    expect(parseRoute('#/nowhere/x').screen).toBe('overview')
    expect(parseRoute('').screen).toBe('overview')
  })
})

describe('the quote in a chunk', () => {
  const chunk = 'In winter the Morvak eats grey moss, and in summer it eats reeds.'
  it('is the longest quoted piece that occurs there', () => {
    expect(findQuote(chunk, ['YES. "the Morvak eats grey moss" and "it eats reeds"'])).toBe('the Morvak eats grey moss')
  })
  it('is none when the judge made it up', () => {
    expect(findQuote(chunk, ['NO. "the Morvak eats red moss"', 'YES'])).toBeNull()
  })
})

describe('scores', () => {
  const evaluation = (id: string, fields: Partial<Evaluation>) =>
    ({
      id,
      examId: 'e1',
      examName: 'Facts',
      examKind: 'closed-book',
      modelId: 'm1',
      modelName: 'Student',
      tuningId: null,
      phase: 'base',
      checkpointId: null,
      score: 0.1,
      createdAtMs: 1,
      ...fields,
    }) as unknown as Evaluation

  const tuned = { tuningId: 't1' as TuningId, modelName: 'Tuned', phase: 'ST' }

  it('stand base first, a row for every phase, the newer sitting of an exam counting', () => {
    const matrix = scoreMatrix([
      evaluation('late', { ...tuned, score: 0.9, createdAtMs: 5 }),
      evaluation('early', { ...tuned, score: 0.5, createdAtMs: 2 }),
      evaluation('base', { createdAtMs: 3 }),
    ])
    expect(matrix.rows.map(({ label }) => label)).toEqual(['base', 'ST'])
    const shown = matrix.rows[1]?.scores.get('e1')
    expect(shown?.id).toBe('late')
    expect(shown && gainOverBase(matrix, shown)).toBeCloseTo(0.8)
  })
  it('show the checkpoint a phase ended in, and the tried ones only on request', () => {
    const at = (id: string, checkpoint: string, exam: string) =>
      evaluation(id, {
        ...tuned,
        checkpointId: checkpoint as CheckpointId,
        examId: exam as ExamId,
        createdAtMs: Number(id),
      })
    const sittings = [
      at('1', 'step-15', 'e1'),
      at('2', 'step-30', 'e1'),
      at('3', 'step-45', 'e1'),
      at('4', 'step-30', 'e2'),
    ]
    const [row, ...others] = scoreMatrix(sittings).rows
    expect(others).toEqual([])
    expect([row?.scores.get('e1')?.id, row?.scores.get('e2')?.id]).toEqual(['2', '4'])
    expect(scoreMatrix(sittings, { everyCheckpoint: true }).rows).toHaveLength(3)
  })
  it('have no gain where the base did not sit the exam', () => {
    const only = evaluation('only', { tuningId: 't1' as TuningId, phase: 'ST' })
    expect(gainOverBase(scoreMatrix([only]), only)).toBeNull()
  })
})

describe('what streams in', () => {
  const step = (phase: TuningStep['phase'], number: number, loss = 1): TuningStep => ({
    phase,
    step: number,
    loss,
    lossNew: loss,
    lossReplay: null,
    learningRate: 1e-4,
    gradNorm: 1,
    tokens: 10,
    ms: 5,
  })
  const tuningId = 't1' as TuningId

  it('holds each optimiser step once, though a resumed run repeats some', () => {
    const live = createLive()
    applyEvent(live, { kind: 'tuning.step', tuningId, steps: [step('KT/1', 1), step('KT/1', 2), step('KT/1', 3)] })
    applyEvent(live, { kind: 'tuning.step', tuningId, steps: [step('KT/1', 2, 9), step('KT/1', 3), step('KT/2', 1)] })
    const steps = live.getState().steps[tuningId] ?? []
    expect(steps.map(({ phase, step: number }) => `${phase} ${number}`)).toEqual([
      'KT/1 1',
      'KT/1 2',
      'KT/1 3',
      'KT/2 1',
    ])
    expect(steps[1]?.loss).toBe(9)
  })
  it('keeps the newest candidates first, each once, and not without bound', () => {
    const live = createLive()
    const generationId = 'g1' as GenerationId
    const candidates = Array.from({ length: 300 }, (_, number) => sampleOf(number))
    applyEvent(live, { kind: 'candidates', generationId, candidates })
    applyEvent(live, { kind: 'candidates', generationId, candidates: [sampleOf(299)] })
    const kept = live.getState().candidates[generationId] ?? []
    expect(kept).toHaveLength(200)
    expect(kept[0]?.id).toBe('candidate-299')
    expect(new Set(kept.map(({ id }) => id)).size).toBe(200)
  })
  it('puts the running job into the status bar before one that waits', () => {
    const job = (id: string, state: Job['state'], createdAtMs: number) => ({ id, state, createdAtMs }) as Job
    const jobs = { a: job('a', 'running', 1), b: job('b', 'queued', 2), c: job('c', 'done', 3) } as Record<JobId, Job>
    expect(activeJob(jobs)?.id).toBe('a')
    expect(activeJob({ c: job('c', 'done', 3) } as Record<JobId, Job>)).toBeNull()
  })
})

describe('numbers', () => {
  it('read as people write them', () => {
    expect(format.formatBytes(3_930_000)).toBe('3.93 MB')
    expect(format.formatBytes(999)).toBe('999 B')
    expect(format.formatSeconds(59.6)).toBe('1 min 00 s')
    expect(format.formatSeconds(7500)).toBe('2 h 05 min')
    expect(format.formatLearningRate(0.00002)).toBe('2e-5')
    expect(format.formatRatio(0, 0)).toBe('–')
    expect(format.formatShare(Number.NaN)).toBe('–')
  })
  it('are written in the language of the screens', () => {
    setLanguage('ja')
    expect(format.formatSeconds(200)).toBe('3 分 20 秒')
    setLanguage('en')
  })
})
