import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GenerationId, LeafPath, ModelId } from '../../main/contract/ids.ts'
import { createLlamaHost } from '../../main/compute/llama.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'generation-'))
const modelPath = writeTinyGguf(join(folder, 'tiny.gguf'), {
  contextLength: 1024,
  metadata: { 'labdesk.prompt_pack': 'compact' },
})
let engine: TestEngine
let teacherId: ModelId
const birds = 'knowledge/nature/birds' as LeafPath
const verses = 'compositional_skills/writing/verses' as LeafPath

beforeAll(async () => {
  engine = await createTestEngine({ llama: createLlamaHost() })
  await engine.call('settings.set', { threads: 1, gpu: 'off' })
  teacherId = (await engine.call('model.add', { path: modelPath })).id
  await engine.call('taxonomy.save', {
    path: birds,
    branch: 'knowledge',
    domain: 'birds',
    documentOutline: 'Facts about birds',
    seeds: [1, 2, 3, 4, 5].map((number) => ({
      context: 'The wren sings.',
      question: `What does wren ${number} do?`,
      answer: 'It sings.',
    })),
  })
  await engine.call('document.add', {
    leaf: birds,
    name: 'birds.md',
    text: '# Birds\n\nThe wren is small and brown. It sings at dawn and eats insects in the hedge.',
  })
  await engine.call('taxonomy.save', {
    path: verses,
    branch: 'compositional_skills',
    taskDescription: 'Write a line of verse.',
    seeds: [1, 2, 3, 4, 5].map((number) => ({ question: `Write line ${number}.`, answer: `Here is line ${number}.` })),
  })
})
afterAll(() => engine.dispose())

async function generate(
  leaves: { leaf: LeafPath; quota: number }[],
  more: {
    seed?: number
    maxAttemptsFactor?: number
    teacherId?: ModelId
  } = {},
) {
  const { generationId, jobId } = await engine.call('generation.start', { teacherId, leaves, parallel: 8, ...more })
  const job = await engine.settled(jobId)
  expect(job.error).toBeNull()
  return { generationId, job, run: await engine.call('generation.get', { generationId }) }
}
const candidatesOf = async (generationId: GenerationId) =>
  engine.call('generation.latest', { generationId, limit: 200 })

describe('generation', () => {
  it('fills the quota of a skill leaf or says which stage starves it, and keeps everything with its history', async () => {
    const { generationId, run, job } = await generate([{ leaf: verses, quota: 6 }])
    const [funnel] = run.funnel
    expect(job.state).toBe('done')
    expect(funnel!.attempted).toBeLessThanOrEqual(24)
    if (funnel!.accepted < 6) expect(funnel!.shortfall).toMatch(/Made \d+ of 6: all 24 attempts are used up/)
    else expect(funnel).toMatchObject({ accepted: 6, shortfall: null })
    const dropped = funnel!.droppedBy.reduce((sum, { count }) => sum + count, 0)
    expect(funnel!.accepted + dropped).toBe(funnel!.attempted)
    const candidates = await candidatesOf(generationId)
    expect(new Set(candidates.map((candidate) => candidate.slot)).size).toBe(funnel!.attempted)
    for (const { id, state, droppedBy } of candidates) {
      const detail = await engine.call('sample.get', { candidateId: id })
      expect(detail.stages.length).toBeGreaterThan(0)
      if (state === 'passed') expect(detail.stages.at(-1)).toMatchObject({ stage: 'skill-pair-judge', passed: true })
      else expect(detail).toMatchObject({ droppedBy, reason: expect.stringMatching(/\w/), status: 'dropped' })
    }
    expect(run.callCount).toBeGreaterThanOrEqual(candidates.length)
  })
  it('asks about chunks and drops what the raw text does not support', async () => {
    const { generationId, run } = await generate([{ leaf: birds, quota: 3 }])
    expect(run.funnel[0]!.shortfall).toMatch(/knowledge-faithful|form/)
    const candidates = await candidatesOf(generationId)
    expect(candidates.every((candidate) => candidate.chunkId !== null && candidate.seedIds.length === 3)).toBe(true)
    const judged = candidates.find((candidate) => candidate.droppedBy === 'knowledge-faithful')
    expect(judged?.reason).toMatch(/judge/)
  })
  it('gives the same candidates for the same seed and other ones for another', async () => {
    // Exact repetitions of an earlier run are dropped, so the comparison is of what was asked, not of what passed.
    const plan = [{ leaf: verses, quota: 4 }]
    const texts = async (seed: number) =>
      (await candidatesOf((await generate(plan, { seed, maxAttemptsFactor: 1 })).generationId)).map(
        ({ slot, question }) => [slot, question],
      )
    const first = await texts(5)
    expect(await texts(5)).toEqual(first)
    expect(await texts(6)).not.toEqual(first)
  })
  it('drops what repeats an earlier run, and names the sample it repeats', async () => {
    // A model of random weights lets nothing pass; the demo's teacher does.
    const list = 'compositional_skills/household/list' as LeafPath
    const goods = ['apple', 'fan', 'ladder', 'lamp', 'map', 'pan', 'ring']
    await engine.call('taxonomy.save', {
      path: list,
      branch: 'compositional_skills',
      taskDescription: 'Put the goods in alphabetical order and write them as a memo.',
      seeds: [0, 1, 2, 3, 4].map((at) => {
        const [first, second, third] = goods.slice(at)
        return {
          question: `I need some ${second}, ${third}, ${first}.`,
          answer: `Memo: ${first} and ${second} and ${third}.`,
        }
      }),
    })
    const path = join(import.meta.dirname, '../../main/demo/models/teacher.gguf')
    const settings = { seed: 77, teacherId: (await engine.call('model.add', { path })).id }
    const once = await generate([{ leaf: list, quota: 6 }], settings)
    const again = await generate([{ leaf: list, quota: 6 }], settings)
    const kept = (await candidatesOf(once.generationId)).filter((candidate) => candidate.state === 'passed')
    const repeated = (await candidatesOf(again.generationId)).filter(
      (candidate) => candidate.droppedBy === 'exact-duplicate',
    )
    expect(kept.length).toBeGreaterThan(0)
    expect(repeated.length).toBeGreaterThan(0)
    const detail = await engine.call('sample.get', { candidateId: repeated[0]!.id })
    expect(kept.map((candidate) => candidate.id)).toContain(detail.duplicateOf)
  })
  it('says at once what a leaf lacks', async () => {
    const bare = 'knowledge/nature/stones' as LeafPath
    await engine.call('taxonomy.save', {
      path: bare,
      branch: 'knowledge',
      domain: 'stones',
      documentOutline: 'x',
      seeds: [{ context: 'a', question: 'b', answer: 'c' }],
    })
    const { run } = await generate([{ leaf: bare, quota: 3 }])
    expect(run.funnel[0]).toMatchObject({ attempted: 0, shortfall: expect.stringMatching(/no document/) })
  })
  it('refuses a plan for a leaf or a model that is not there', async () => {
    const leaves = [{ leaf: 'knowledge/nowhere' as LeafPath, quota: 1 }]
    await expect(engine.call('generation.start', { teacherId, leaves })).rejects.toMatchObject({ code: 'not-found' })
    const nobody = 'model-none' as ModelId
    await expect(
      engine.call('generation.start', { teacherId: nobody, leaves: [{ leaf: verses, quota: 1 }] }),
    ).rejects.toMatchObject({ code: 'not-found' })
  })
  it('stops at a pause and goes on behind the last slot', async () => {
    const { generationId, jobId } = await engine.call('generation.start', {
      teacherId,
      leaves: [{ leaf: birds, quota: 20 }],
      parallel: 4,
      seed: 9,
    })
    while ((await candidatesOf(generationId)).length < 4) await new Promise((resolve) => setTimeout(resolve, 10))
    await engine.call('job.pause', { jobId })
    const paused = await engine.settled(jobId)
    const before = await candidatesOf(generationId)
    expect(paused.state).toBe('paused')
    expect(before.length).toBeLessThan(80)
    await engine.call('job.resume', { jobId })
    expect((await engine.settled(jobId)).state).toBe('done')
    const slots = (await candidatesOf(generationId)).map((candidate) => candidate.slot).sort((a, b) => a - b)
    expect(slots).toEqual(Array.from({ length: 80 }, (_, slot) => slot))
  })
  it('streams candidates and progress while it runs', () => {
    const kinds = new Set(engine.events.map((event) => event.kind))
    expect([...kinds]).toEqual(expect.arrayContaining(['candidates', 'job', 'changed']))
    const rates = engine.events.flatMap((event) =>
      event.kind === 'job' && event.job.kind === 'generate' ? [event.job.progress] : [],
    )
    expect(rates.some((progress) => progress.total > 0 && progress.done > 0)).toBe(true)
  })
})

describe('chat', () => {
  it('streams an answer, the same for the same seed', async () => {
    const send = (chatId: string) =>
      engine.call('chat.send', {
        chatId,
        modelId: teacherId,
        turns: [{ role: 'user', content: 'hello' }],
        temperature: 1,
        seed: 3,
        maxTokens: 30,
      })
    const [one, two] = await Promise.all([send('one'), send('two')])
    expect(one.text).toBe(two.text)
    const streamed = engine.events.flatMap((event) =>
      event.kind === 'chat.token' && event.chatId === 'one' ? [event.text] : [],
    )
    expect(streamed.join('').trim()).toBe(one.text)
  })
  it('can be stopped', async () => {
    const asked = engine.call('chat.send', {
      chatId: 'long',
      modelId: teacherId,
      turns: [{ role: 'user', content: 'hello' }],
      temperature: 1,
      seed: 1,
      maxTokens: 500,
    })
    await engine.call('chat.stop', { chatId: 'long' })
    expect((await asked).tokens).toBeLessThan(500)
  })
})

describe('prompt.list', () => {
  it('shows every prompt of every pack', async () => {
    const prompts = await engine.call('prompt.list', {})
    expect(prompts.filter((prompt) => prompt.pack === 'compact' && prompt.language === 'en').length).toBe(12)
    expect(prompts.every((prompt) => prompt.user !== '')).toBe(true)
  })
})
