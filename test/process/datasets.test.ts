// Datasets and exams through the engine's methods: real SQLite, real files, no model.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { LeafPath } from '../../main/contract/ids.ts'
import { appendDatasetRows, beginDataset } from '../../main/store/datasets.ts'
import { saveLeaf, savePublicRows } from '../../main/store/taxonomy.ts'
import { insertVerdict } from '../../main/store/verdicts.ts'
import { insertTestCandidates, insertTestGeneration, testCandidate, testLeaf } from '../support/candidates.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

let engine: TestEngine
const foundational = 'foundational_skills/test/counting' as LeafPath

beforeEach(async () => {
  engine = await createTestEngine()
  const { db } = engine.lab.project()
  insertTestGeneration(db)
  insertTestCandidates(
    db,
    [...Array(20).keys()].map((slot) => testCandidate(slot)),
  )
  insertTestCandidates(db, [testCandidate(20, { droppedBy: 'knowledge-faithful' })])
  saveLeaf(db, { ...plainLeaf, path: foundational }, 1)
  savePublicRows(db, { leaf: foundational, from: 0 }, [
    { system: 'Count.', context: '', question: 'after 1?', answer: '2' },
    { system: '', context: 'One. Two.', question: 'how many?', answer: '2' },
    { system: '', context: '', question: 'blank?', answer: ' ' },
  ])
})
afterEach(() => engine.dispose())

const plainLeaf = {
  publicFileSha256: null,
  branch: 'foundational_skills',
  taskDescription: 'count',
  domain: '',
  documentOutline: '',
  createdBy: 'test',
  persona: 'precise',
  language: 'en',
  documentSource: null,
  attribution: '',
  sourceText: null,
  isSourceCurrent: true,
  problems: [],
  seeds: [],
} as const
const freeze = (over: { validationShare?: number; seed?: number; leaves?: LeafPath[] } = {}) =>
  engine.call('dataset.freeze', { name: 'First', validationShare: 0.2, ...over })
const judge = (slot: number, kind: 'accept' | 'reject' | 'edit', answer?: string) =>
  insertVerdict(
    engine.lab.project().db,
    { candidateId: testCandidate(slot).id, kind, author: 'human', reason: '', answer },
    1,
  )

describe('freezing', () => {
  test('takes accepted and edited samples and public rows, and nothing that was rejected, dropped or is empty', async () => {
    judge(0, 'reject')
    judge(1, 'edit', 'A better answer.')
    const dataset = await freeze()
    expect(dataset.leaves.map(({ leaf, count }) => [leaf, count])).toEqual([
      [foundational, 2],
      [testLeaf, 19],
    ])
    const { rows, total } = await engine.call('dataset.rows', { datasetId: dataset.id, limit: 500 })
    expect(total).toBe(21)
    expect(rows.find((row) => row.origin === testCandidate(1).id)?.assistant).toBe('A better answer.')
    expect(rows.some((row) => row.origin === testCandidate(0).id || row.origin === testCandidate(20).id)).toBe(false)
    const publicRows = rows.filter((row) => row.leaf === foundational)
    expect(publicRows.map((row) => [row.origin, row.system, row.user])).toEqual([
      [`dataset:${foundational}#0`, 'Count.', 'after 1?'],
      [`dataset:${foundational}#1`, '', 'One. Two.\n\nhow many?'],
    ])
  })

  test('is not moved by what happens afterwards', async () => {
    const dataset = await freeze()
    const before = await engine.call('dataset.rows', { datasetId: dataset.id })
    judge(2, 'edit', 'Changed later.')
    judge(3, 'reject')
    expect(await engine.call('dataset.rows', { datasetId: dataset.id })).toEqual(before)
    expect((await engine.call('dataset.list', {}))[0]).toEqual(dataset)
  })

  test('gives equal content an equal hash, another split or answer another one', async () => {
    const first = await freeze()
    expect((await freeze()).sha256).toBe(first.sha256)
    expect((await freeze({ seed: 2 })).sha256).not.toBe(first.sha256)
    judge(4, 'edit', 'Another answer.')
    expect((await freeze()).sha256).not.toBe(first.sha256)
  })

  test('may be narrowed to some leaves, and refuses to freeze nothing', async () => {
    expect((await freeze({ leaves: [foundational] })).leaves).toHaveLength(1)
    await expect(freeze({ leaves: ['knowledge/nowhere' as LeafPath] })).rejects.toMatchObject({ code: 'bad-input' })
  })

  test('that was cut short is never listed and is swept away by the next', async () => {
    const { db } = engine.lab.project()
    const id = 'dataset-torn' as never
    beginDataset(db, { id, name: 'Torn', sha256: 'x', createdAtMs: 1, seed: 1 })
    appendDatasetRows(db, id, [])
    expect(await engine.call('dataset.list', {})).toEqual([])
    await expect(engine.call('dataset.rows', { datasetId: id })).rejects.toMatchObject({ code: 'not-found' })
    await freeze()
    expect(db.prepare('select count(*) from datasets').pluck().get()).toBe(1)
  })

  test('pages its rows', async () => {
    const { id } = await freeze()
    const page = await engine.call('dataset.rows', { datasetId: id, offset: 20, limit: 5 })
    expect(page.rows.map((row) => row.index)).toEqual([20, 21])
    expect(page.total).toBe(22)
  })
})

describe('sample.export', () => {
  const folder = () => join(engine.dataDir, 'out')

  test('writes a frozen dataset in every format, whole files only', async () => {
    const { id } = await freeze()
    for (const format of ['labdesk', 'messages', 'train', 'instructlab'] as const) {
      const { files } = await engine.call('sample.export', { folder: folder(), format, datasetId: id })
      for (const file of files) {
        const text = readFileSync(file.path, 'utf8')
        expect(file.sizeBytes).toBe(Buffer.byteLength(text))
        if (file.path.endsWith('.jsonl'))
          expect(
            text
              .trimEnd()
              .split('\n')
              .map((line) => JSON.parse(line)),
          ).toHaveLength(file.rows)
      }
    }
  })

  test('without a dataset writes what is accepted now', async () => {
    const { files } = await engine.call('sample.export', { folder: folder(), format: 'train' })
    expect(files).toMatchObject([{ rows: 22 }])
  })

  test('says so when the folder cannot be written', async () => {
    writeFileSync(join(engine.dataDir, 'a-file'), '')
    const wish = { folder: join(engine.dataDir, 'a-file', 'below'), format: 'train' } as const
    await expect(engine.call('sample.export', wish)).rejects.toMatchObject({ remedy: expect.stringMatching(/./) })
  })
})

describe('exams', () => {
  const write = (name: string, rows: object[]) => {
    const path = join(engine.dataDir, name)
    writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'))
    return path
  }

  test('are imported from a file, once', async () => {
    const path = write('Bird facts.jsonl', [
      { question: 'Q1?', answer: 'a' },
      { question: 'Q2?', choices: ['x', 'y'], answer: 'x' },
    ])
    const exam = await engine.call('exam.import', { path })
    expect(exam).toMatchObject({
      name: 'Bird facts',
      kind: 'closed-book',
      questionCount: 2,
      source: 'Bird facts.jsonl',
    })
    expect(await engine.call('exam.import', { path })).toEqual(exam)
    expect(await engine.call('exam.list', {})).toEqual([exam])
  })

  test('with a bad line are refused whole, with the line', async () => {
    const path = write('bad.jsonl', [{ question: 'Q1?', answer: 'a' }, { question: 'Q2?' }])
    await expect(engine.call('exam.import', { path })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('Line 2'),
    })
    expect(await engine.call('exam.list', {})).toEqual([])
  })

  test('that are not there are said to be missing', async () => {
    await expect(engine.call('exam.import', { path: '/nowhere/exam.jsonl' })).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(
      engine.call('exam.start', { examIds: ['nope' as never], modelIds: ['nope' as never] }),
    ).rejects.toMatchObject({ code: 'not-found' })
    await expect(engine.call('evaluation.get', { evaluationId: 'nope' as never })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('plans', () => {
  test('of every preset fit the student and the dataset, and are estimated', async () => {
    mkdirSync(join(engine.dataDir, 'models'))
    const path = writeTinyGguf(join(engine.dataDir, 'models', 'student.gguf'), { contextLength: 256 })
    const student = await engine.call('model.add', { path })
    const { id: datasetId } = await freeze()
    for (const preset of ['workstation-full', 'workstation-lora', 'paper', 'instructlab', 'stacked'] as const) {
      const plan = await engine.call('tuning.preset', { preset, datasetId, studentId: student.id })
      expect(plan.phases.every((phase) => phase.contextTokens <= 256)).toBe(true)
      const estimate = await engine.call('tuning.estimate', plan)
      expect(estimate.phases.map((phase) => phase.name)).toEqual(plan.phases.map((phase) => phase.name))
      expect(estimate.peakMemoryBytes).toBeGreaterThan(student.parameterCount)
      for (const phase of estimate.phases) expect(phase.seconds).toBeGreaterThanOrEqual(0)
      if (preset === 'paper') expect(estimate.warnings.join(' ')).toContain('an epoch is one step')
    }
  })
})
