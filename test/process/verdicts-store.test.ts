import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CandidateId, LeafPath } from '../../main/contract/ids.ts'
import {
  findCandidate,
  findGeneration,
  iteratePassed,
  listFinishedSlots,
  listLatestCandidates,
} from '../../main/store/generation.ts'
import { allMigrations } from '../../main/store/migrations/all.ts'
import { type Database, openDatabase } from '../../main/store/open.ts'
import {
  countSamplesByLeaf,
  findSample,
  insertVerdict,
  listAcceptedSamples,
  pageSamples,
  redoVerdict,
  undoVerdict,
} from '../../main/store/verdicts.ts'
import {
  insertTestCandidates,
  insertTestGeneration,
  testCandidate,
  testGeneration,
  testLeaf,
} from '../support/candidates.ts'

let db: Database
beforeEach(() => {
  db = openDatabase(':memory:', allMigrations)
  insertTestGeneration(db)
  insertTestCandidates(db, [testCandidate(0), testCandidate(1, { droppedBy: 'knowledge-faithful' }), testCandidate(2)])
})
afterEach(() => db.close())

const id = (slot: number) => `${testGeneration}-${slot}` as CandidateId
const judge = (slot: number, kind: 'accept' | 'reject' | 'edit', words: { question?: string; answer?: string } = {}) =>
  insertVerdict(db, { candidateId: id(slot), kind, author: 'human', reason: 'because', ...words }, 5)
const status = (slot: number) => findSample(db, id(slot))?.status

describe('candidates', () => {
  it('come back whole, with their history', () => {
    expect(findCandidate(db, id(1))).toMatchObject({
      droppedBy: 'knowledge-faithful',
      state: 'dropped',
      stages: [{ stage: 'knowledge-qa', passed: true, durationMs: 1.5 }],
    })
    expect(listLatestCandidates(db, testGeneration, 2).map((candidate) => candidate.slot)).toEqual([2, 1])
  })
  it('cannot fill a slot twice, and a refused batch leaves nothing behind', () => {
    expect(() =>
      insertTestCandidates(db, [testCandidate(3), testCandidate(2, { id: 'other' as CandidateId })]),
    ).toThrow()
    expect(
      listFinishedSlots(db, testGeneration, { leaf: testLeaf, position: 0, quota: 1, firstSlot: 0, maxAttempts: 9 }),
    ).toMatchObject([{ droppedBy: null }, { droppedBy: 'knowledge-faithful' }, { droppedBy: null }])
  })
  it('are counted in the funnel of their run', () => {
    expect(findGeneration(db, testGeneration)).toMatchObject({
      callCount: 3,
      funnel: [{ leaf: testLeaf, attempted: 3, accepted: 2, droppedBy: [{ stage: 'knowledge-faithful', count: 1 }] }],
    })
  })
  it('that passed are walked through in slot order', () => {
    expect([...iteratePassed(db)].map((passed) => passed.question)).toEqual(['Question 0?', 'Question 2?'])
  })
})

describe('a verdict', () => {
  it('overturns a stage that dropped the candidate', () => {
    expect(status(1)).toBe('dropped')
    expect(judge(1, 'accept')?.status).toBe('accepted')
    expect(listAcceptedSamples(db).map((sample) => sample.slot)).toEqual([0, 1, 2])
  })
  it('rejects what passed', () => {
    expect(judge(0, 'reject')).toMatchObject({
      status: 'rejected',
      verdict: { kind: 'reject', author: 'human', reason: 'because' },
    })
    expect(countSamplesByLeaf(db).get(testLeaf)).toEqual({ candidateCount: 3, acceptedCount: 1 })
  })
  it('that edits changes what is shown and found, not the candidate', () => {
    expect(judge(0, 'edit', { answer: 'A feathered friend.' })).toMatchObject({
      status: 'edited',
      question: 'Question 0?',
      answer: 'A feathered friend.',
    })
    expect(findCandidate(db, id(0))?.answer).toBe('Answer 0.')
    expect(pageSamples(db, { text: 'feathered' }, { offset: 0, limit: 9 }).total).toBe(1)
    expect(pageSamples(db, { text: 'Answer 0' }, { offset: 0, limit: 9 }).total).toBe(0)
  })
  it('that accepts an edited sample accepts the edit', () => {
    judge(0, 'edit', { answer: 'Better.' })
    expect(judge(0, 'reject')).toMatchObject({ status: 'rejected', answer: 'Better.' })
    expect(judge(0, 'accept')).toMatchObject({ status: 'edited', answer: 'Better.' })
  })
  it('on a candidate that is not there is refused', () => {
    expect(
      insertVerdict(db, { candidateId: 'nobody' as CandidateId, kind: 'accept', author: 'human', reason: '' }, 1),
    ).toBeUndefined()
  })
})

describe('undo and redo', () => {
  it('walk back and forth over verdicts on several candidates', () => {
    judge(0, 'reject')
    judge(1, 'accept')
    judge(0, 'edit', { question: 'Better?' })
    expect(undoVerdict(db, 6)).toMatchObject({ slot: 0, status: 'rejected', question: 'Question 0?' })
    expect(undoVerdict(db, 6)).toMatchObject({ slot: 1, status: 'dropped' })
    expect(undoVerdict(db, 6)).toMatchObject({ slot: 0, status: 'accepted' })
    expect(undoVerdict(db, 6)).toBeNull()
    expect(redoVerdict(db, 7)).toMatchObject({ slot: 0, status: 'rejected' })
    expect(redoVerdict(db, 7)).toMatchObject({ slot: 1, status: 'accepted' })
    expect(redoVerdict(db, 7)).toMatchObject({ slot: 0, status: 'edited', question: 'Better?' })
    expect(redoVerdict(db, 7)).toBeNull()
    expect(undoVerdict(db, 8)).toMatchObject({ slot: 0, status: 'rejected' })
  })
  it('a new verdict ends what could be redone', () => {
    judge(0, 'reject')
    undoVerdict(db, 6)
    judge(2, 'reject')
    expect(redoVerdict(db, 7)).toBeNull()
    expect(status(0)).toBe('accepted')
  })
  it('only append to the log', () => {
    judge(0, 'reject')
    undoVerdict(db, 6)
    redoVerdict(db, 7)
    const kinds = db.prepare('select kind from verdicts order by number').pluck().all()
    expect(kinds).toEqual(['reject', 'reopen', 'reject'])
  })
  it('an undone first look counts as not reviewed', () => {
    judge(0, 'accept')
    expect(pageSamples(db, { reviewed: true }, { offset: 0, limit: 9 }).total).toBe(1)
    undoVerdict(db, 6)
    expect(pageSamples(db, { reviewed: true }, { offset: 0, limit: 9 }).total).toBe(0)
  })
})

describe('filters', () => {
  it('find by text of any length and any script, and take wildcards and quotes literally', () => {
    insertTestCandidates(db, [testCandidate(3, { question: '東京はどこ？', answer: 'It says "100%" and _this_.' })])
    const total = (text: string) => pageSamples(db, { text }, { offset: 0, limit: 9 }).total
    expect([
      total('東'),
      total('東京は'),
      total('"100%"'),
      total('0%'),
      total('_t'),
      total('%%'),
      total('or"x'),
    ]).toEqual([1, 1, 1, 1, 1, 0, 0])
  })
  it('find one and two letters of any script in texts as they are shown now, whatever their case', () => {
    insertTestCandidates(db, [
      testCandidate(3, { question: '東京はどこ？', answer: 'Äpfel und x.', context: 'A 🦅 flew.' }),
    ])
    const slots = (text: string) => pageSamples(db, { text }, { offset: 0, limit: 9 }).rows.map(({ slot }) => slot)
    expect(['東京', '京', 'ä', 'äP', '🦅', '🦅 f', 'x.', '京東'].map(slots)).toEqual([
      [3],
      [3],
      [3],
      [3],
      [3],
      [3],
      [3],
      [],
    ])
    expect(slots('qu')).toEqual([2, 1, 0])
    judge(3, 'edit', { answer: 'Zebras.' })
    expect([slots('ze'), slots('x.'), slots('京')]).toEqual([[3], [], [3]])
    judge(3, 'reject')
    expect(slots('ze')).toEqual([3])
    undoVerdict(db, 6)
    undoVerdict(db, 6)
    expect([slots('ze'), slots('x.')]).toEqual([[], [3]])
  })
  it('find a long text only where it stands as a whole, whatever its case', () => {
    const long = 'The Bird that sings at dawn over the hills of Ästrum'
    const parts = `${long.slice(0, 30)} ${long.slice(20)}`
    insertTestCandidates(db, [testCandidate(3, { answer: long }), testCandidate(4, { answer: parts })])
    const slots = (text: string) => pageSamples(db, { text }, { offset: 0, limit: 9 }).rows.map(({ slot }) => slot)
    expect(slots(long.toUpperCase())).toEqual([3])
    expect(slots(`${long}s`)).toEqual([])
    expect(pageSamples(db, { text: long, leaf: testLeaf }, { offset: 0, limit: 9 }).total).toBe(1)
  })
  it('find what was there before short texts had an index', () => {
    const folder = mkdtempSync(join(tmpdir(), 'labdesk-grams-'))
    const file = join(folder, 'old.sqlite')
    const old = openDatabase(
      file,
      allMigrations.filter(({ number }) => number < 10),
    )
    insertTestGeneration(old)
    insertTestCandidates(old, [testCandidate(0, { answer: 'On the quay.' }), testCandidate(1)])
    insertVerdict(old, { candidateId: id(1), kind: 'edit', author: 'human', answer: 'Zoo.', reason: '' }, 5)
    old.close()
    const now = openDatabase(file, allMigrations)
    const slots = (text: string) => pageSamples(now, { text }, { offset: 0, limit: 9 }).rows.map(({ slot }) => slot)
    expect([slots('ay'), slots('zo'), slots('an')]).toEqual([[0], [1], []])
    now.close()
    rmSync(folder, { recursive: true })
  })
  it('answer a first and a deep page in less than 100 ms on 100,000 samples', () => {
    // Straight into the tables, triggers and all: a hundred thousand calls of the store would only be slower.
    db.exec(`
      with recursive slots (slot) as (select 10 union all select slot + 1 from slots where slot < 100009)
      insert into candidates (id, generation_id, slot, leaf, branch, seed_ids_json, context, question, answer, state, dropped_by,
        reason, score, teacher_id, created_at_ms)
      select 'c' || slot, '${testGeneration}', slot, 'knowledge/leaf-' || (slot % 20), 'knowledge', '[]', '',
        'What does the bird number ' || slot || ' of the ' || iif(slot % 3 = 0, 'blue', 'red') || ' mountain eat in winter?',
        'Mostly seeds of the pine tree, about ' || (slot % 97) || ' grams a day.',
        iif(slot % 4 < 2, 'passed', 'dropped'), iif(slot % 4 < 2, null, iif(slot % 4 = 2, 'knowledge-faithful', 'near-duplicate')),
        '', slot % 3 + 1, 'model-1', slot from slots`)
    const leaf = 'knowledge/leaf-3' as LeafPath
    const filters = [
      {},
      { leaf: leaf },
      { status: 'accepted' as const },
      { leaf: leaf, status: 'dropped' as const },
      { droppedBy: 'near-duplicate' },
      { minScore: 2, status: 'accepted' as const },
      { reviewed: false },
      { text: 'number 4711' },
      { text: 'mountain', status: 'accepted' as const },
      { text: 'zz' },
      { text: 'e' },
      { text: 'e', leaf: leaf },
      { text: 'of the', status: 'rejected' as const },
      { text: 'in', droppedBy: 'near-duplicate', reviewed: false, minScore: 3 },
    ]
    const slow: string[] = []
    for (const [filter, offset] of filters.flatMap((filter) => [[filter, 0] as const, [filter, 90_000] as const])) {
      const times = [1, 2, 3].map(() => {
        // Processor time, so that a busy machine does not count.
        const before = process.cpuUsage()
        pageSamples(db, filter, { offset, limit: 100 })
        const { user, system } = process.cpuUsage(before)
        return (user + system) / 1000
      })
      const ms = Math.min(...times)
      if (ms > 100) slow.push(`${JSON.stringify(filter)} from ${offset}: ${ms.toFixed(0)} ms`)
    }
    expect(slow).toEqual([])
  }, 60_000)
})
