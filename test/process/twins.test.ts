// Near duplicates and held-out texts through the engine: what is found, what stays, what a run and a dataset tell of it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CandidateId } from '../../main/contract/ids.ts'
import { addExam } from '../../main/pipelines/exam-methods.ts'
import { bills, birds, openPipelineLab, type PipelineLab, runPipeline, use } from '../support/pipeline-lab.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

/** Two samples of a leaf that differ in one word, and others. */
async function openTwinLab(vector?: (text: string) => readonly number[]): Promise<PipelineLab> {
  const lab = await openPipelineLab(
    {
      question: ({ seed }) =>
        ['What does a brown hat cost in the small shop?', 'What does a brown hat cost in the little shop?'][seed % 2]!,
      answer: () => 'It costs some coins.',
      grade: ({ prompt }) => `Reason: r.\nScore: ${prompt.includes('little') ? 3 : 2}`,
    },
    { vector },
  )
  await runPipeline(
    lab,
    { freeform: [use('question'), use('answer'), use('pair-grade')] },
    {
      leaves: [{ leaf: bills, quota: 8 }],
    },
  )
  return lab
}

async function findTwins({ engine }: PipelineLab, wish = {}) {
  const { jobId } = await engine.call('twin.find', wish)
  const job = await engine.settled(jobId)
  expect(job.error).toBeNull()
  return engine.call('twin.list', { limit: 500 })
}

const accepted = ({ engine }: PipelineLab) =>
  engine.call('sample.list', { filter: { status: 'accepted' }, limit: 500 }).then(({ total }) => total)

/** A model that says of itself that it makes vectors. */
async function addEmbedder({ engine }: PipelineLab) {
  const path = writeTinyGguf(join(engine.dataDir, 'embedder.gguf'), { seed: 9, metadata: { 'llama.pooling_type': 1 } })
  const model = await engine.call('model.add', { path })
  await engine.call('model.assign', { modelId: model.id, role: 'embedder' })
  return model
}

describe('near duplicates', () => {
  it('are found across what is kept, closest first, and the better ones stay', async () => {
    const lab = await openTwinLab()
    expect((await lab.engine.call('twin.list', {})).search).toBeNull()
    const page = await findTwins(lab)
    expect(page.search).toMatchObject({ wordsThreshold: 0.7, embedderName: null, isFinished: true })
    expect(page.total).toBe(28)
    expect(page.rows[0]).toMatchObject({ kind: 'exact', score: 1 })
    expect(page.rows.at(-1)).toMatchObject({ kind: 'words', score: expect.closeTo(0.9, 2) })
    expect(await lab.engine.call('twin.keepBest', {})).toEqual({ rejectedCount: 7 })
    expect(await accepted(lab)).toBe(1)
    const [kept] = (await lab.engine.call('sample.list', { filter: { status: 'accepted' } })).rows
    expect(kept).toMatchObject({ question: expect.stringContaining('little'), score: 3 })
    expect((await lab.engine.call('twin.list', {})).total).toBe(0)
    const [rejected] = (await lab.engine.call('sample.list', { filter: { status: 'rejected' } })).rows
    expect(rejected?.verdict).toMatchObject({ author: 'rule', reason: expect.stringContaining(kept!.id) })
    // Thresholds do not bring back what went for a better twin.
    const [run] = await lab.engine.call('generation.list', {})
    const thresholds = { minPairGrade: 1, nearDuplicateRougeL: 1 }
    const [effect] = await lab.engine.call('generation.thresholds', { generationId: run!.id, thresholds })
    expect(effect).toMatchObject({ accepted: 1, comes: 0, goes: 0 })
    // Undone one by one, with the pairs coming back.
    await lab.engine.call('sample.undo', {})
    expect(await accepted(lab)).toBe(2)
    expect((await lab.engine.call('twin.list', {})).total).toBe(1)
  })
  it('are settled pair by pair; those told apart are not shown again', async () => {
    const lab = await openTwinLab()
    const { rows } = await findTwins(lab)
    const near = rows.find(({ kind }) => kind === 'words')!
    await lab.engine.call('twin.settle', { number: near.number, keep: 'both' })
    expect((await lab.engine.call('twin.list', {})).total).toBe(27)
    expect((await findTwins(lab)).total).toBe(27)
    const [first] = (await lab.engine.call('twin.list', {})).rows
    await lab.engine.call('twin.settle', { number: first!.number, keep: 'one' })
    const gone = await lab.engine.call('sample.get', { candidateId: first!.other.id as CandidateId })
    expect(gone).toMatchObject({ status: 'rejected', verdict: { author: 'human' } })
    expect(await accepted(lab)).toBe(7)
    // A person who settles a pair says nothing about the judge that graded it.
    expect(await lab.engine.call('generation.agreement', {})).toEqual([])
    await expect(lab.engine.call('twin.settle', { number: 9999, keep: 'one' })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
  it('of a seed leave the seed', async () => {
    const lab = await openTwinLab()
    const detail = await lab.engine.call('taxonomy.leaf', { leaf: bills })
    const [first, ...others] = detail.seeds
    const seed = {
      ...first!,
      question: 'What does a brown hat cost in the small shop?',
      answer: 'It costs some coins.',
    }
    await lab.engine.call('taxonomy.save', {
      path: bills,
      branch: detail.branch,
      taskDescription: detail.taskDescription,
      seeds: [seed, ...others],
    })
    const { rows } = await findTwins(lab)
    const pair = rows.find(({ one }) => one.isSeed)!
    await expect(lab.engine.call('twin.settle', { number: pair.number, keep: 'other' })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('seed'),
    })
    // Seeds are not trained on: of eight samples near one, one stays.
    expect(await lab.engine.call('twin.keepBest', {})).toEqual({ rejectedCount: 7 })
    expect(await accepted(lab)).toBe(1)
  })
  it('in meaning are found with an embedding model, whose vectors are made once', async () => {
    let made = 0
    const lab = await openTwinLab((text) => {
      made += 1
      return text.includes('little') ? [1, 0.1] : [1, 0]
    })
    await addEmbedder(lab)
    // Nothing is that close in words: what is found is found by meaning, or equal.
    const page = await findTwins(lab, { words: 1, meaning: 0.99 })
    expect(page.search?.embedderName).not.toBeNull()
    const kinds = new Set(page.rows.map(({ kind }) => kind))
    expect([...kinds].sort()).toEqual(['exact', 'meaning'])
    expect(page.rows.find(({ kind }) => kind === 'meaning')?.score).toBeCloseTo(0.995, 2)
    const before = made
    await findTwins(lab, { words: 1, meaning: 0.99 })
    expect(made).toBe(before)
  })
})

describe('the semantic block', () => {
  const chain = { freeform: [use('question'), use('answer'), use('new'), use('semantic', { similarity: 0.99 })] }
  const sayings = ['What is the price of hats?', 'How much must one pay to get a cap?', 'Who sweeps this old floor?']

  it('drops what means the same as something kept, and says what', async () => {
    let asked = 0
    const lab = await openPipelineLab(
      { question: () => sayings[asked++ % 3]!, answer: () => 'Some answer.' },
      {
        vector: (text) =>
          text.includes('floor') ? [0, 1] : text.includes('cap?') || text.includes('hats?') ? [1, 0] : [1, 1],
      },
    )
    await addEmbedder(lab)
    const { details } = await runPipeline(lab, chain, { leaves: [{ leaf: bills, quota: 2 }], parallel: 1 })
    const dropped = details.filter(({ droppedBy }) => droppedBy === 'semantic-duplicate')
    expect(dropped.length).toBeGreaterThan(0)
    expect(dropped[0]!.reason).toMatch(/means the same as an earlier sample \(cosine 1\.000\)/)
    expect(dropped[0]!.duplicateOf).toMatch(/^generation-/)
    const kept = details.filter(({ status }) => status === 'accepted').map(({ question }) => question)
    expect(kept.some((question) => question.includes('floor'))).toBe(true)
    expect(kept).toHaveLength(2)
  })
  it('lets everything through where no model tells meanings, and notes it', async () => {
    const lab = await openPipelineLab({ question: ({ seed }) => `${sayings[seed % 3]} (${seed})` })
    const { details, run } = await runPipeline(lab, chain, { leaves: [{ leaf: bills, quota: 2 }] })
    expect(details.some(({ droppedBy }) => droppedBy === 'semantic-duplicate')).toBe(false)
    const log = await lab.engine.call('job.events', { jobId: run.jobId })
    expect(log.some(({ text }) => text.includes('by their words alone'))).toBe(true)
  })
})

describe('what is held out', () => {
  const held = 'What does the brown wren of the old stone wall eat on the very coldest days of winter?'
  const question = { index: 0, leaf: null, question: held, accepted: ['x'], choices: [], context: '' }

  it('is not repeated by a run, which keeps what it was checked against', async () => {
    const lab = await openPipelineLab({
      qa: ({ seed }) =>
        `Question: ${seed % 2 ? held : `What is fact ${seed} about the wren?`}\nAnswer: It sings at dawn.`,
    })
    addExam(lab.engine.lab, { name: 'Wrens', kind: 'closed-book', source: 'test', questions: [question] })
    const { run, details } = await runPipeline(
      lab,
      { knowledge: [use('pair'), use('unseen')] },
      { leaves: [{ leaf: birds, quota: 4 }] },
    )
    const report = await lab.engine.call('generation.decontamination', { generationId: run.id })
    const hits = details.filter(({ droppedBy }) => droppedBy === 'decontamination')
    expect(hits.length).toBeGreaterThan(0)
    expect(report).toMatchObject({
      sources: [{ kind: 'exam', name: 'Wrens', textCount: 1 }],
      runWords: 13,
      checkedCount: details.length,
      hitCount: hits.length,
    })
    expect(report?.hits[0]).toMatchObject({
      question: held,
      words: expect.stringMatching(/held-out Wrens: "what does the brown wren/),
    })
  })
  it('is left out of a dataset, which keeps the report', async () => {
    const lab = await openPipelineLab({ qa: () => `Question: ${held}\nAnswer: It sings at dawn.` })
    await runPipeline(
      lab,
      { knowledge: [use('pair')], freeform: [use('question'), use('answer')] },
      {
        leaves: [
          { leaf: birds, quota: 1 },
          { leaf: bills, quota: 3 },
        ],
      },
    )
    const file = join(lab.engine.dataDir, 'test set.jsonl')
    writeFileSync(file, `${JSON.stringify({ prompt: `${held} Say it.`, id: 1 })}\n`)
    const added = await lab.engine.call('heldout.add', { path: file })
    expect(added).toMatchObject({ name: 'test set.jsonl', textCount: 1 })
    expect(await lab.engine.call('heldout.add', { path: file })).toEqual(added)
    const checked = await lab.engine.call('dataset.freeze', { name: 'checked', validationShare: 0 })
    expect(checked.split.trainCount).toBe(3)
    expect(await lab.engine.call('dataset.decontamination', { datasetId: checked.id })).toMatchObject({
      sources: [{ kind: 'file', name: 'test set.jsonl', textCount: 1 }],
      checkedCount: 4,
      hitCount: 1,
      hits: [{ leaf: birds, question: held, words: expect.stringContaining('test set.jsonl') }],
    })
    const all = await lab.engine.call('dataset.freeze', { name: 'all', validationShare: 0, decontaminate: false })
    expect(all.split.trainCount).toBe(4)
    expect(await lab.engine.call('dataset.decontamination', { datasetId: all.id })).toBeNull()
    await expect(lab.engine.call('dataset.freeze', { name: 'none', leaves: [birds] })).rejects.toMatchObject({
      message: expect.stringContaining('held-out'),
    })
    await lab.engine.call('heldout.remove', { id: added.id })
    expect(await lab.engine.call('heldout.list', {})).toEqual([])
  })
  it.each([
    ['nothing', 'a\n\nb\n', /holds no text/],
    ['no text', Buffer.from([0xff, 0xfe, 0x00, 0xd8]), /not text in UTF-8/],
  ])('is refused where a file holds %s', async (_what, bytes, message) => {
    const { engine } = await openPipelineLab()
    const path = join(engine.dataDir, 'bad.txt')
    writeFileSync(path, bytes)
    await expect(engine.call('heldout.add', { path })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message),
    })
    await expect(engine.call('heldout.add', { path: engine.dataDir })).rejects.toMatchObject({ code: 'bad-input' })
    await expect(engine.call('heldout.add', { path: join(engine.dataDir, 'none') })).rejects.toMatchObject({
      remedy: expect.stringMatching(/\w/),
    })
  })
})
