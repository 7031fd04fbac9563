// The tuning job on a real tiny model, with the real trainer and the real llama worker.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TuningPlan, TuningRun } from '../../main/contract/tuning.ts'
import { listModelExports } from '../../main/store/model-exports.ts'
import { openTuningLab, planOf, type TuningLab } from '../support/tuning-lab.ts'

let tuningLab: TuningLab

beforeAll(async () => {
  tuningLab = await openTuningLab()
}, 120_000)
afterAll(() => tuningLab.engine.dispose())

async function runToEnd(over: Partial<TuningPlan> = {}): Promise<TuningRun> {
  const { engine } = tuningLab
  const { tuningId, jobId } = await engine.call('tuning.start', planOf(tuningLab, over))
  const job = await engine.settled(jobId)
  if (job.state !== 'done') throw new Error(`${job.state}: ${JSON.stringify(job.error)}`)
  return engine.call('tuning.get', { tuningId })
}

describe('a full tuning', () => {
  let run: TuningRun
  beforeAll(async () => {
    const { choice, closedBook, skill } = tuningLab.exams
    run = await runToEnd({ examIds: [choice.id, closedBook.id, skill.id] })
  }, 120_000)

  test('goes through its three phases, each from a chosen checkpoint of the one before', async () => {
    expect(run.phases.map((phase) => [phase.name, phase.state])).toEqual([
      ['KT/1', 'done'],
      ['KT/2', 'done'],
      ['ST', 'done'],
    ])
    for (const phase of run.phases) {
      expect(phase.step).toBe(phase.totalSteps)
      expect(phase.epoch).toBe(3)
      expect(phase.bestCheckpointId).not.toBeNull()
    }
    expect(run.phases.map((phase) => phase.replayRowCount > 0)).toEqual([false, true, true])
  })

  test('logs every step once, the loss of new and of replayed rows apart, and the loss falls', async () => {
    const steps = await tuningLab.engine.call('tuning.steps', { tuningId: run.id })
    expect(steps).toHaveLength(run.phases.reduce((sum, phase) => sum + phase.totalSteps, 0))
    const [kt1, st] = ['KT/1', 'ST'].map((name) => steps.filter((step) => step.phase === name))
    expect(kt1?.every((step) => step.lossReplay === null)).toBe(true)
    expect(st?.some((step) => step.lossReplay !== null && step.lossNew !== null)).toBe(true)
    expect(kt1?.at(-1)?.loss).toBeLessThan(kt1?.[0]?.loss ?? 0)
    expect(await tuningLab.engine.call('tuning.steps', { tuningId: run.id, after: 10 })).toEqual(steps.slice(10))
  })

  test('measures every checkpoint and keeps the files of the best and the last of a phase', async () => {
    const checkpoints = await tuningLab.engine.call('tuning.checkpoints', { tuningId: run.id })
    expect(checkpoints.length).toBeGreaterThan(6)
    for (const checkpoint of checkpoints) {
      expect(checkpoint.validationLoss).toBeGreaterThan(0)
      expect(checkpoint.score).not.toBeNull()
      expect(existsSync(join(checkpoint.folder, 'checkpoint.json'))).toBe(checkpoint.folder !== '')
    }
    for (const { name } of run.phases) {
      const ofPhase = checkpoints.filter((checkpoint) => checkpoint.phase === name)
      const kept = ofPhase.filter((checkpoint) => checkpoint.folder !== '')
      expect(kept.map((checkpoint) => checkpoint.step).at(-1)).toBe(ofPhase.at(-1)?.step)
      expect(kept.length).toBeLessThanOrEqual(2)
      expect(ofPhase.filter((checkpoint) => checkpoint.isBest)).toHaveLength(1)
    }
  })

  test('ends in a registered model whose self-test passed', async () => {
    const models = await tuningLab.engine.call('model.list', {})
    const result = models.find((model) => model.id === run.resultModelId)
    expect(result).toMatchObject({
      name: 'Test run',
      isMissing: false,
      hasChatTemplate: true,
      unfit: { embedder: expect.any(String) },
    })
    expect(result?.origin).toContain(run.id)
    const [written] = listModelExports(tuningLab.engine.lab.project().db)
    expect(written?.checks).toEqual(written?.checks.map((check) => ({ ...check, hasPassed: true })))
    expect(written?.checks.map((check) => check.name)).toContain('same-loss')
  })

  test('leaves nothing in its folder but checkpoints and the model', () => {
    const folder = join(tuningLab.engine.lab.project().folder, 'runs', run.id)
    expect(readdirSync(folder).sort()).toEqual(['1-KT-1', '2-KT-2', '3-ST', 'Test-run.gguf'])
    for (const phase of ['1-KT-1', '2-KT-2', '3-ST'])
      for (const name of readdirSync(join(folder, phase))) expect(name).toMatch(/^step-\d+$/)
  })

  test('reports base and every phase on every exam, each answer kept', async () => {
    const evaluations = await tuningLab.engine.call('evaluation.list', {})
    for (const exam of Object.values(tuningLab.exams)) {
      const ofExam = evaluations.filter((evaluation) => evaluation.examId === exam.id)
      expect(new Set(ofExam.map((evaluation) => evaluation.phase))).toEqual(new Set(['base', 'KT/1', 'KT/2', 'ST']))
      for (const evaluation of ofExam) expect(evaluation.total).toBe(exam.questionCount)
    }
    const one = evaluations.find((evaluation) => evaluation.examKind === 'choice' && evaluation.phase === 'KT/2')
    const detail = await tuningLab.engine.call('evaluation.get', { evaluationId: one?.id ?? ('' as never) })
    expect(detail.answers[0]?.logLikelihoods).toHaveLength(4)
    expect(detail.correct).toBe(detail.answers.filter((answer) => answer.isCorrect).length)
  })
})
