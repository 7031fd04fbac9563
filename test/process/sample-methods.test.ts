import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CandidateId } from '../../main/contract/ids.ts'
import { insertTestCandidates, insertTestGeneration, testCandidate, testGeneration } from '../support/candidates.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
beforeEach(async () => {
  engine = await createTestEngine()
  const { db } = engine.lab.project()
  insertTestGeneration(db)
  insertTestCandidates(db, [testCandidate(0), testCandidate(1, { droppedBy: 'knowledge-relevant' })])
})
afterEach(() => engine.dispose())
const id = (slot: number) => `${testGeneration}-${slot}` as CandidateId

describe('curation', () => {
  it('lists with defaults, judges by hand, undoes and redoes, and tells every window', async () => {
    expect(await engine.call('sample.list', {})).toMatchObject({ total: 2, rows: [{ slot: 1 }, { slot: 0 }] })
    const judged = await engine.call('sample.judge', { candidateId: id(1), kind: 'accept', reason: 'It is relevant.' })
    expect(judged).toMatchObject({ status: 'accepted', verdict: { author: 'human', reason: 'It is relevant.' } })
    expect((await engine.call('sample.list', { filter: { status: 'accepted' } })).total).toBe(2)
    expect(await engine.call('sample.undo', {})).toMatchObject({ slot: 1, status: 'dropped' })
    expect(await engine.call('sample.redo', {})).toMatchObject({ slot: 1, status: 'accepted' })
    expect(await engine.call('sample.redo', {})).toBeNull()
    expect(engine.events).toContainEqual({ kind: 'changed', what: 'samples' })
  })
  it('keeps the words of an edit apart from the candidate', async () => {
    await engine.call('sample.judge', { candidateId: id(0), kind: 'edit', answer: ' Better. ', question: ' ' })
    const detail = await engine.call('sample.get', { candidateId: id(0) })
    expect(detail).toMatchObject({
      status: 'edited',
      answer: 'Better.',
      question: 'Question 0?',
      stages: [{ stage: 'knowledge-qa' }],
    })
  })
  it('refuses an edit that changes nothing and a sample that is not there', async () => {
    const candidateId = id(0)
    await expect(engine.call('sample.judge', { candidateId, kind: 'edit' })).rejects.toMatchObject({
      code: 'bad-input',
    })
    const nobody = 'nobody' as CandidateId
    await expect(engine.call('sample.judge', { candidateId: nobody, kind: 'accept' })).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(engine.call('sample.get', { candidateId: nobody })).rejects.toMatchObject({ code: 'not-found' })
  })
})
