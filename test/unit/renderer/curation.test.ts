import { describe, expect, it, vi } from 'vitest'
import type { Sample } from '../../../main/contract/curation.ts'
import { AppError } from '../../../main/contract/errors.ts'
import { Curation, keptPages } from '../../../renderer/state/curation.ts'
import { judged, sampleOf } from './samples.ts'
import { latch, ScriptedEngine } from './scripted-engine.ts'

async function loaded(engine: ScriptedEngine, count = 3): Promise<Curation> {
  engine.answers['sample.list'] = ({ offset = 0 }) => ({
    rows: Array.from({ length: Math.min(200, count - offset) }, (_, index) => sampleOf(offset + index)),
    total: count,
  })
  const curation = new Curation(engine)
  curation.setFilter({})
  await vi.waitFor(() => expect(curation.store.getState().total).toBe(count))
  return curation
}

describe('the list under review', () => {
  it('shows a decision at once, before the engine answers', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine)
    const answer = latch<Sample>()
    engine.answers['sample.judge'] = () => answer.promise
    const startedMs = performance.now()
    curation.decide({ kind: 'reject' })
    expect(curation.current()?.status).toBe('rejected')
    expect(performance.now() - startedMs).toBeLessThan(16)
    answer.open(judged(sampleOf(0), 'rejected'))
    await vi.waitFor(() => expect(curation.current()?.verdict).toBeNull())
  })

  it('takes back a decision that the engine refuses', async () => {
    const engine = new ScriptedEngine({
      'sample.judge': () =>
        Promise.reject(new AppError({ code: 'disk-full', message: 'Full.', remedy: 'Free space.' })),
    })
    const curation = await loaded(engine)
    curation.decide({ kind: 'reject' })
    expect(curation.current()?.status).toBe('rejected')
    await vi.waitFor(() => expect(curation.current()?.status).toBe('accepted'))
  })

  it('sends decisions in the order they were made, and shows the last one throughout', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine)
    const first = latch<Sample>()
    const second = latch<Sample>()
    const waiting = [first.promise, second.promise]
    engine.answers['sample.judge'] = () => waiting.shift() ?? sampleOf(0)
    curation.decide({ kind: 'accept' })
    curation.decide({ kind: 'reject' })
    await vi.waitFor(() => expect(engine.asked('sample.judge')).toHaveLength(1))
    first.open(judged(sampleOf(0), 'accepted'))
    await vi.waitFor(() => expect(engine.asked('sample.judge')).toHaveLength(2))
    expect(curation.current()?.status).toBe('rejected')
    second.open(judged(sampleOf(0), 'rejected'))
    await vi.waitFor(() => expect(engine.asked('sample.judge').map(({ kind }) => kind)).toEqual(['accept', 'reject']))
    expect(curation.current()?.status).toBe('rejected')
  })

  it('undoes only after the decision it undoes has been written', async () => {
    const engine = new ScriptedEngine({ 'sample.undo': () => sampleOf(0) })
    const curation = await loaded(engine)
    const answer = latch<Sample>()
    engine.answers['sample.judge'] = () => answer.promise
    curation.decide({ kind: 'reject' })
    const undone = curation.undo()
    expect(engine.asked('sample.undo')).toHaveLength(0)
    answer.open(judged(sampleOf(0), 'rejected'))
    expect(await undone).toBe(true)
    expect(curation.current()?.status).toBe('accepted')
  })

  it('says that there was nothing to undo', async () => {
    const engine = new ScriptedEngine({ 'sample.undo': () => null })
    const curation = await loaded(engine)
    expect(await curation.undo()).toBe(false)
  })

  it('forgets a page that arrives for a filter no longer wanted', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine)
    const late = latch<{ rows: Sample[]; total: number }>()
    engine.answers['sample.list'] = ({ filter }) =>
      filter?.text === 'old' ? late.promise : { rows: [sampleOf(7)], total: 1 }
    curation.setFilter({ text: 'old' })
    curation.setFilter({ text: 'new' })
    await vi.waitFor(() => expect(curation.store.getState().total).toBe(1))
    late.open({ rows: [sampleOf(1), sampleOf(2)], total: 2 })
    await late.promise
    expect(curation.store.getState().total).toBe(1)
    expect(curation.current()?.id).toBe('candidate-7')
  })

  it('fetches far pages of a large list only when they come into sight', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine, 100_000)
    curation.moveTo(Number.MAX_SAFE_INTEGER)
    curation.need(99_990, 99_999)
    await vi.waitFor(() => expect(curation.current()?.id).toBe('candidate-99999'))
    expect(engine.asked('sample.list').map(({ offset }) => offset)).toEqual([0, 99_800])
  })
  it('keeps a bounded number of pages, the one with the cursor among them, and fetches again what it let go', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine, 100_000)
    const pagesNow = () => Object.keys(curation.store.getState().pages).map(Number)
    for (let page = 100; page < 100 + 2 * keptPages; page++) {
      curation.need(page * 200, page * 200 + 50)
      await vi.waitFor(() => expect(pagesNow()).toContain(page))
    }
    expect(pagesNow().length).toBeLessThanOrEqual(keptPages + 1)
    expect(curation.current()?.id).toBe('candidate-0')
    expect(pagesNow()).not.toContain(100)
    curation.need(20_000, 20_050)
    await vi.waitFor(() => expect(pagesNow()).toContain(100))
  })
  it('keeps its rows in place while a generation adds samples, and says that there is news', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine)
    curation.noticeChange()
    expect(engine.asked('sample.list')).toHaveLength(1)
    expect(curation.store.getState().isStale).toBe(true)
    curation.setFilter({})
    await vi.waitFor(() => expect(curation.store.getState()).toMatchObject({ total: 3, isStale: false }))
  })

  it('fills by itself while it is empty', async () => {
    const engine = new ScriptedEngine()
    const curation = await loaded(engine, 0)
    engine.answers['sample.list'] = () => ({ rows: [sampleOf(1)], total: 1 })
    curation.noticeChange()
    await vi.waitFor(() => expect(curation.store.getState().total).toBe(1))
  })
})
