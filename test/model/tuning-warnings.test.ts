// A tuning that goes wrong says so in its log and among its warnings, once, also over a pause; and goes on to its end.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { JobId } from '../../main/contract/ids.ts'
import type { TuningPlan } from '../../main/contract/tuning.ts'
import { labPhases, openTuningLab, planOf, type TuningLab } from '../support/tuning-lab.ts'

let desk: TuningLab
beforeAll(async () => {
  desk = await openTuningLab()
}, 120_000)
afterAll(() => desk.engine.dispose())

const phasesAt = (learningRate: number): TuningPlan['phases'] => [
  { ...labPhases[0]!, responses: 'all', learningRate, epochs: 9 },
]
const linesOf = async (jobId: JobId) =>
  (await desk.engine.call('job.events', { jobId }))
    .map(({ text }) => text)
    .filter((text) => text.includes('the loss has risen'))

test('a learning rate far too high is named once, with its remedy, also when the run was paused in between', async () => {
  const plan = planOf(desk, { phases: phasesAt(1) })
  const { tuningId, jobId } = await desk.engine.call('tuning.start', plan)
  while ((await linesOf(jobId)).length === 0 && (await desk.engine.call('job.get', { jobId })).state !== 'done')
    await new Promise((resolve) => setTimeout(resolve, 2))
  if ((await desk.engine.call('job.get', { jobId })).state !== 'done') await desk.engine.call('job.pause', { jobId })
  if ((await desk.engine.settled(jobId)).state === 'paused') await desk.engine.call('job.resume', { jobId })
  expect(await desk.engine.settled(jobId)).toMatchObject({ state: 'done', error: null })
  const lines = await linesOf(jobId)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^KT\/1, step \d+: the loss has risen from .* learning rate/)
  const warnings = await desk.engine.call('tuning.warnings', { tuningId })
  expect(warnings).toContainEqual(expect.objectContaining({ kind: 'loss-rising', phase: 'KT/1' }))
}, 60_000)

test('a run that goes well has none', async () => {
  const { tuningId, jobId } = await desk.engine.call('tuning.start', planOf(desk, { phases: phasesAt(2e-3) }))
  expect((await desk.engine.settled(jobId)).state).toBe('done')
  expect(await desk.engine.call('tuning.warnings', { tuningId })).toEqual([])
}, 60_000)
