// Drafts by the teacher and the student's closed-book answers: what is asked, what is kept, and what happens without the models.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { DocumentSummary, PlacedChunk } from '../../main/contract/taxonomy.ts'
import type { LlamaSession } from '../../main/compute/llama-protocol.ts'
import { markOf } from '../../main/domain/seed-mark.ts'
import { textEntry, writeTestGguf } from '../support/gguf-files.ts'
import { createScriptedLlama } from '../support/scripted-llama.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

const leaf = 'knowledge/birds' as LeafPath
const seeds = Array.from({ length: 15 }, (_, at) => ({
  context: `Wren ${Math.floor(at / 3)} sings in the hedge.`,
  question: `What does wren ${at} do?`,
  answer: 'It sings in the hedge.',
}))
const draft: MethodInput<'taxonomy.save'> = {
  path: leaf,
  branch: 'knowledge',
  domain: 'birds',
  documentOutline: 'About wrens',
  seeds,
}

let engine: TestEngine
let folder = ''
let document: DocumentSummary
let answers: string[] = []
const llama = createScriptedLlama({ answer: () => answers.shift() ?? 'It sings in the hedge.' })
const openSession = llama.openSession
llama.openSession = async (request) => {
  const session: LlamaSession = await openSession(request)
  return { ...session, score: async ({ continuation }) => ({ logLikelihood: -continuation.length / 2, tokens: 11 }) }
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-drafts-'))
  engine = await createTestEngine({ llama })
  llama.asked.length = 0
  answers = []
  await engine.call('taxonomy.save', draft)
  document = await engine.call('document.add', {
    leaf,
    name: 'wrens.md',
    text: '# Wrens\n\nThe wren sings in the hedge.\n',
  })
})
afterEach(async () => {
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

async function assign(role: 'teacher' | 'student', pack = 'standard'): Promise<void> {
  const path = writeTestGguf(join(folder, `${role}-${pack}.gguf`), {
    ...textEntry('general.name', `${role} ${pack}`),
    ...textEntry('labdesk.prompt_pack', pack),
  })
  const { id } = await engine.call('model.add', { path })
  await engine.call('model.assign', { modelId: id, role })
}
const firstChunk = async () => (await engine.call('document.chunks', { documentId: document.id }))[0] as PlacedChunk

describe('drafts', () => {
  test('of pairs are made from the chunk with the seeds of the leaf as examples, and wait until they are settled', async () => {
    await assign('teacher')
    answers = ['Question: What sings?\nAnswer: The wren sings.', 'no form', 'Question: Where?\nAnswer: In the hedge.']
    const chunk = await firstChunk()
    const drafts = await engine.call('draft.pairs', { documentId: document.id, chunkId: chunk.id })
    expect(drafts).toMatchObject([
      { kind: 'pair', chunkId: chunk.id, context: chunk.text, question: 'What sings?', answer: 'The wren sings.' },
      { kind: 'pair', question: 'Where?', answer: 'In the hedge.' },
    ])
    expect(llama.asked[0]?.prompt).toContain('The wren sings in the hedge.')
    expect(llama.asked[0]?.prompt).toContain('What does wren 0 do?')
    expect(new Set(llama.asked.map(({ seed }) => seed)).size).toBe(3)
    expect(await engine.call('draft.list', { documentId: document.id })).toEqual(drafts)
    // Nothing of a draft is in the leaf.
    expect((await engine.call('taxonomy.leaf', { leaf })).seeds).toHaveLength(15)
    await engine.call('draft.settle', { draft: drafts[0]?.number ?? 0, state: 'taken' })
    await engine.call('draft.settle', { draft: drafts[1]?.number ?? 0, state: 'dismissed' })
    expect(await engine.call('draft.list', { documentId: document.id })).toEqual([])
    const again = engine.call('draft.settle', { draft: drafts[1]?.number ?? 0, state: 'taken' })
    await expect(again).rejects.toMatchObject({ code: 'not-found' })
    expect(llama.openSessions).toBe(0)
  })

  test('of the same chunk are asked for with other seeds of chance', async () => {
    await assign('teacher')
    const { id } = await firstChunk()
    const make = () => {
      answers = ['Question: a?\nAnswer: b.']
      return engine.call('draft.pairs', { documentId: document.id, chunkId: id, count: 1 })
    }
    await make()
    await make()
    expect(new Set(llama.asked.map(({ seed }) => seed)).size).toBe(2)
  })

  test('of an outline name the document and its headings; the compact prompts have none and say so', async () => {
    await assign('teacher')
    answers = ['Overview of the wren and its song']
    const made = await engine.call('draft.outline', { documentId: document.id })
    expect(made).toMatchObject({ kind: 'outline', chunkId: null, answer: 'Overview of the wren and its song' })
    expect(llama.asked[0]?.prompt).toMatch(/"wrens\.md"[^]*Its headings:\nWrens/)
    await assign('teacher', 'compact')
    const refused = engine.call('draft.outline', { documentId: document.id })
    await expect(refused).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('compact prompts'),
    })
  })

  test('need a teacher, a chunk that is there, and an answer in form', async () => {
    const ask = (chunkId: PlacedChunk['id']) => engine.call('draft.pairs', { documentId: document.id, chunkId })
    const { id } = await firstChunk()
    await expect(ask(id)).rejects.toMatchObject({ code: 'model-missing', remedy: expect.stringContaining('Models') })
    await assign('teacher')
    await expect(ask('chunk-none' as PlacedChunk['id'])).rejects.toMatchObject({ code: 'not-found' })
    answers = ['nothing', 'of the', 'form']
    await expect(ask(id)).rejects.toMatchObject({ code: 'bad-input' })
    expect(await engine.call('draft.list', { documentId: document.id })).toEqual([])
  })
})

describe('what the student knows', () => {
  test('is asked without the context, kept beside the seed, and marked', async () => {
    await assign('student')
    answers = ['It sings in the hedge.', 'It hides in a hedge.', 'I do not know.']
    const checks = await engine.call('seed.check', { leaf })
    expect(checks).toHaveLength(15)
    expect(checks.slice(0, 3).map(({ mark }) => mark)).toEqual(['known', 'partly', 'unknown'])
    expect(checks[0]).toMatchObject({ similarity: 1, logLikelihood: -1 })
    expect(llama.asked[0]?.prompt).toContain('What does wren 0 do?')
    expect(llama.asked[0]?.prompt).not.toContain('Wren 0 sings')
    expect(await engine.call('seed.checks', { leaf })).toEqual(checks)
  })

  test('needs a student', async () => {
    await expect(engine.call('seed.check', { leaf })).rejects.toMatchObject({ code: 'model-missing' })
    expect(await engine.call('seed.checks', { leaf })).toEqual([])
  })

  test('is told by the words alone', () => {
    const mark = (question: string, expected: string, answer: string) => markOf({ question, expected, answer })
    expect(mark('How high is it?', '1000', 'They say it is 1,000 m.')).toBe('known')
    expect(mark('What colour is it?', 'blue', 'red')).toBe('unknown')
    // What the question gives away is no knowledge.
    expect(mark('What does the mefel eat?', 'The mefel eats moss.', 'The mefel eats berries.')).toBe('unknown')
    expect(mark('What does the mefel eat?', 'The mefel eats moss.', 'It eats moss and berries.')).toBe('known')
    expect(mark('Describe the tomir.', 'The tomir eats honey. It lives in cliffs.', 'It lives in cliffs.')).toBe(
      'partly',
    )
  })
})
