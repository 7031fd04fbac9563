// Rate and remaining time of a job, from reports alone.

import { expect, test } from 'vitest'
import type { JobProgress } from '../../../main/contract/jobs.ts'
import { createRateMeter } from '../../../main/pipelines/job-rate.ts'

const at = (done: number, total = 1000): JobProgress => ({
  done,
  total,
  label: '',
  ratePerSecond: null,
  etaSeconds: null,
})

test('nothing is claimed from the first report alone', () => {
  const meter = createRateMeter()
  expect(meter.measure(at(0), 0)).toMatchObject({ ratePerSecond: null, etaSeconds: null })
})

test('a steady pace is measured exactly', () => {
  const meter = createRateMeter()
  let last = at(0)
  for (let second = 0; second <= 30; second++) last = meter.measure(at(second * 4), second * 1000)
  expect(last.ratePerSecond).toBeCloseTo(4, 9)
  expect(last.etaSeconds).toBeCloseTo((1000 - 120) / 4, 6)
})

test('bursts of sixteen every eight seconds average to two a second', () => {
  const meter = createRateMeter()
  let last = at(0)
  for (let burst = 0; burst <= 20; burst++) last = meter.measure(at(burst * 16), burst * 8000)
  expect(last.ratePerSecond).toBeCloseTo(2, 9)
})

test('work done before a resume does not count as speed', () => {
  const meter = createRateMeter()
  meter.measure(at(500), 0)
  expect(meter.measure(at(502), 1000).ratePerSecond).toBeCloseTo(2, 9)
})

test('a change of pace shows within a minute', () => {
  const meter = createRateMeter()
  let done = 0
  let last = at(0)
  for (let second = 0; second <= 120; second++) last = meter.measure(at((done += second < 60 ? 10 : 1)), second * 1000)
  expect(last.ratePerSecond).toBeLessThan(1.6)
})

test('a new stage starts over', () => {
  const meter = createRateMeter()
  const stage = (index: number) => ({ index, count: 2, name: '' })
  meter.measure({ ...at(0), stage: stage(0) }, 0)
  meter.measure({ ...at(100), stage: stage(0) }, 1000)
  expect(meter.measure({ ...at(0), stage: stage(1) }, 2000).ratePerSecond).toBeNull()
})

test('figures the work itself knows better are left alone', () => {
  const meter = createRateMeter()
  expect(meter.measure({ ...at(1), ratePerSecond: 7, etaSeconds: 9 }, 0)).toMatchObject({
    ratePerSecond: 7,
    etaSeconds: 9,
  })
})
