// Tuning with LoRA, exports of checkpoints, and what a tuning does when things are not as they should be.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppError } from '../../main/contract/errors.ts'
import type { CheckpointId, JobId, LeafPath } from '../../main/contract/ids.ts'
import type { Checkpoint, TuningPlan, TuningRun } from '../../main/contract/tuning.ts'
import { listModelExports } from '../../main/store/model-exports.ts'
import { labPhases, openTuningLab, planOf, type TuningLab } from '../support/tuning-lab.ts'

let tuningLab: TuningLab
const call: TuningLab['engine']['call'] = (name, input) => tuningLab.engine.call(name, input)

beforeAll(async () => {
  tuningLab = await openTuningLab()
}, 120_000)
afterAll(() => tuningLab.engine.dispose())

async function start(over: Partial<TuningPlan>) {
  const { tuningId, jobId } = await call('tuning.start', planOf(tuningLab, over))
  return { tuningId, jobId, job: await tuningLab.engine.settled(jobId) }
}

describe('a LoRA tuning', () => {
  let run: TuningRun
  let best: Checkpoint
  const exportTo = (name: string) => join(tuningLab.engine.dataDir, 'exports', name)

  beforeAll(async () => {
    const phases = labPhases.map((phase) => ({ ...phase, learningRate: 5e-3, epochs: 2 }))
    const { tuningId, job } = await start({
      mode: 'lora',
      lora: { rank: 8, alpha: 16 },
      phases,
      examIds: [tuningLab.exams.choice.id],
    })
    expect(job).toMatchObject({ state: 'done', error: null })
    run = await call('tuning.get', { tuningId })
    const checkpoints = await call('tuning.checkpoints', { tuningId })
    best = checkpoints.filter((checkpoint) => checkpoint.isBest).at(-1) as Checkpoint
  }, 120_000)

  test('takes its adapter from phase to phase and ends in a merged model', async () => {
    expect(run.phases.every((phase) => phase.state === 'done')).toBe(true)
    const steps = await call('tuning.steps', { tuningId: run.id })
    const first = (phase: string) => steps.find((step) => step.phase === phase)?.loss ?? 0
    expect(first('KT/2')).toBeLessThan(first('KT/1'))
    const models = await call('model.list', {})
    expect(models.find((model) => model.id === run.resultModelId)?.parameterCount).toBe(
      tuningLab.student.parameterCount,
    )
  })

  test('is never exported over the model of the user that it was tuned from', async () => {
    const { path, sizeBytes } = tuningLab.student
    const wish = { checkpointId: best.id, what: 'model', type: 'f16', path } as const
    await expect(call('tuning.export', wish)).rejects.toMatchObject({ code: 'conflict' })
    expect(statSync(path).size).toBe(sizeBytes)
    const folder = tuningLab.engine.dataDir
    await expect(call('tuning.export', { ...wish, path: folder })).rejects.toMatchObject({ code: 'bad-input' })
    const models = await call('model.list', {})
    expect(models.map(({ id }) => id)).toContain(tuningLab.student.id)
  })

  test.each(['f32', 'f16', 'q8_0'] as const)('is exported merged as %s, tested and registered', async (type) => {
    const path = exportTo(`merged-${type}.gguf`)
    const model = await call('tuning.export', { checkpointId: best.id, what: 'model', type, path })
    expect(model).toMatchObject({ path, isMissing: false })
    expect(model.fileType.toLowerCase()).toBe(type)
    const written = listModelExports(tuningLab.engine.lab.project().db).find((one) => one.path === path)
    expect(written?.checks.find((check) => check.name === 'same-loss')?.hasPassed).toBe(true)
  })

  test('is exported as an adapter that llama.cpp loads beside the student, with the same loss', async () => {
    const path = exportTo('adapter.gguf')
    const adapter = await call('tuning.export', { checkpointId: best.id, what: 'adapter', type: 'f32', path })
    expect(adapter.sizeBytes).toBe(statSync(path).size)
    expect(adapter.sizeBytes).toBeLessThan(tuningLab.student.sizeBytes)
    expect(adapter.unfit.student).toContain(tuningLab.student.name)
    const written = listModelExports(tuningLab.engine.lab.project().db).find((one) => one.path === path)
    expect(written?.checks.find((check) => check.name === 'same-loss')).toMatchObject({ hasPassed: true })
  })
})

describe('a tuning that cannot go on', () => {
  const onePhase = [{ ...labPhases[0], epochs: 2 } as TuningPlan['phases'][number]]

  test('pauses when the disk is full, and goes on when there is room', async () => {
    const { lab } = tuningLab.engine
    const open = lab.openTrainer.bind(lab)
    let isFull = true
    lab.openTrainer = async (options) => {
      const trainer = await open(options)
      const save = trainer.saveCheckpoint.bind(trainer)
      trainer.saveCheckpoint = async (folder) => {
        if (isFull) throw new AppError({ code: 'disk-full', message: 'The disk is full.', remedy: 'Free some space.' })
        return save(folder)
      }
      return trainer
    }
    const { jobId, job } = await start({ phases: onePhase })
    expect(job.state).toBe('paused')
    expect((await call('job.events', { jobId })).map((event) => event.text).join('\n')).toContain('The disk is full')
    isFull = false
    await call('job.resume', { jobId })
    expect((await tuningLab.engine.settled(jobId)).state).toBe('done')
    lab.openTrainer = open
  }, 60_000)

  test('gives up when its trainer dies again and again, and says so', async () => {
    const { lab } = tuningLab.engine
    const open = lab.openTrainer.bind(lab)
    let opened = 0
    lab.openTrainer = async (options) => {
      const trainer = await open(options)
      opened += 1
      if (trainer.pid) process.kill(trainer.pid, 'SIGKILL')
      return trainer
    }
    const { tuningId, job } = await start({ phases: onePhase })
    lab.openTrainer = open
    expect(job).toMatchObject({ state: 'failed', error: { code: 'worker-died' } })
    expect(job.error?.remedy).not.toBe('')
    expect(opened).toBe(4)
    expect((await call('tuning.get', { tuningId })).phases[0]?.state).toBe('failed')
  }, 60_000)

  test('passes over a phase without rows and sets aside rows that are too long, both named in its log', async () => {
    const phases = [
      { ...onePhase[0], name: 'KT/1', responses: 'all', contextTokens: 44 },
      { ...onePhase[0], name: 'KT/2', branches: ['knowledge'], contextTokens: 32 },
    ] as TuningPlan['phases']
    const { tuningId, jobId, job } = await start({ phases })
    expect(job.error).toBeNull()
    expect(job.state).toBe('done')
    const words = (await call('job.events', { jobId })).map((event) => event.text).join('\n')
    expect(words).toMatch(/KT\/1: \d+ rows are longer than 44 tokens and are set aside/)
    expect(words).toContain('KT/2 has no rows to train on and is passed over')
    expect((await call('tuning.get', { tuningId })).phases.map((phase) => phase.state)).toEqual(['done', 'done'])
  }, 60_000)

  test.each([
    [
      'a context beyond the student',
      { phases: labPhases.map((phase) => ({ ...phase, contextTokens: 9999 })) },
      'bad-input',
    ],
    ['LoRA without a rank', { mode: 'lora' as const }, 'bad-input'],
    ['holding to the base in full training', { options: { klWeight: 0.5 } }, 'bad-input'],
    ['dropout in full training', { lora: { rank: 4, alpha: 8, dropout: 0.1 } }, 'bad-input'],
    ['an unknown dataset', { datasetId: 'nope' as never }, 'not-found'],
    ['an unknown student', { studentId: 'nope' as never }, 'not-found'],
    ['an unknown exam', { examIds: ['nope' as never] }, 'not-found'],
  ])('is refused before it starts: %s', async (_, over, code) => {
    const before = await call('tuning.list', {})
    await expect(call('tuning.start', planOf(tuningLab, over))).rejects.toMatchObject({ code })
    expect(await call('tuning.list', {})).toHaveLength(before.length)
  })

  test('refuses to export a checkpoint whose files retention removed, and an adapter of a full tuning', async () => {
    const runs = await call('tuning.list', {})
    const full = runs.filter((run) => run.plan.mode === 'full' && run.resultModelId !== null)
    const checkpoints = (await Promise.all(full.map((run) => call('tuning.checkpoints', { tuningId: run.id })))).flat()
    const removed = checkpoints.find((checkpoint) => checkpoint.folder === '')
    const kept = checkpoints.find((checkpoint) => checkpoint.folder !== '')
    const path = join(tuningLab.engine.dataDir, 'never.gguf')
    const wish = (id: CheckpointId | undefined, what: 'adapter' | 'model') =>
      call('tuning.export', { checkpointId: id ?? ('' as CheckpointId), what, type: 'f16', path })
    await expect(wish(removed?.id, 'model')).rejects.toMatchObject({ code: 'not-found' })
    await expect(wish(kept?.id, 'adapter')).rejects.toMatchObject({ code: 'bad-input' })
    expect(existsSync(path)).toBe(false)
  })
})

describe('a LoRA tuning with every further option', () => {
  test('runs from phase to phase, and says where it computes when a GPU was wished for', async () => {
    const phases = labPhases.map((phase) => ({ ...phase, epochs: 1 }))
    const { tuningId, jobId, job } = await start({
      mode: 'lora',
      lora: { rank: 4, alpha: 8, rankStabilised: true, leastUsed: true, dropout: 0.1 },
      options: { neftuneAlpha: 2, klWeight: 0.1, frozenLayers: 1, eightBitMoments: true, device: 'gpu' },
      phases,
      examIds: [],
    })
    expect(job).toMatchObject({ state: 'done', error: null })
    const run = await call('tuning.get', { tuningId })
    expect(run.resultModelId).not.toBeNull()
    const words = JSON.stringify(await call('job.events', { jobId, after: 0 }))
    expect(words).toMatch(/processor|Training runs on/)
  }, 120_000)
})

describe('exams by themselves', () => {
  test('are taken by several models, stop at a pause and go on without asking again', async () => {
    const { choice, closedBook } = tuningLab.exams
    const { jobId } = await call('exam.start', {
      examIds: [choice.id, closedBook.id],
      modelIds: [tuningLab.student.id],
    })
    await pauseIfRunning(jobId)
    expect(await tuningLab.engine.settled(jobId)).toMatchObject({ error: null })
    if ((await call('job.get', { jobId })).state === 'paused') await call('job.resume', { jobId })
    expect((await tuningLab.engine.settled(jobId)).state).toBe('done')
    const mine = (await call('evaluation.list', {})).filter((evaluation) => evaluation.jobId === jobId)
    expect(mine.map((evaluation) => [evaluation.examName, evaluation.phase, evaluation.total])).toEqual([
      ['Choice', 'base', 6],
      ['Closed book', 'base', 6],
    ])
    expect(mine[0]?.perLeaf).toEqual([{ leaf: 'knowledge/test/made' as LeafPath, correct: mine[0]?.correct, total: 6 }])
  }, 60_000)
})

async function pauseIfRunning(jobId: JobId): Promise<void> {
  const job = await call('job.get', { jobId })
  if (job.state === 'running' || job.state === 'queued') await call('job.pause', { jobId })
}
