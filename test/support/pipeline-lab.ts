// A project with a knowledge leaf, a skill leaf and a leaf to be mined, over a scripted teacher, judge and student that always do well,
// and a way to run a pipeline on it.

import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import type { LeafPath, ModelId } from '../../main/contract/ids.ts'
import type { CompletionRequest } from '../../main/compute/llama-protocol.ts'
import { createScriptedLlama } from './scripted-llama.ts'
import { createTestEngine, type TestEngine } from './test-engine.ts'
import { writeTinyGguf } from './tiny-gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'pipeline-run-'))
export const teacherPath = writeTinyGguf(join(folder, 'teacher.gguf'))
export const judgePath = writeTinyGguf(join(folder, 'judge.gguf'), { seed: 2 })
export const studentPath = writeTinyGguf(join(folder, 'student.gguf'), { seed: 3 })
const compactPath = writeTinyGguf(join(folder, 'compact.gguf'), { metadata: { 'labdesk.prompt_pack': 'compact' } })

export const wrens = 'The wren is brown. It sings at dawn. It eats 12 insects.'
export const birds = 'knowledge/birds' as LeafPath
export const bills = 'compositional_skills/bills' as LeafPath
export const mined = 'foundational_skills/mined' as LeafPath

/** The stage a prompt belongs to, by words of its system text. */
const marks: [string, string][] = [
  ['teaching a language model what a document says', 'qa'],
  ['supported by a document', 'faithful'],
  ['used for teaching', 'relevant'],
  ['whether a question can be understood', 'clear'],
  ['write tasks for a language model', 'question'],
  ['check tasks that a language model', 'fit'],
  ['precise expert', 'answer'],
  ['grade answers', 'grade'],
  ['restore documents', 'clean-up'],
  ['mark what matters', 'extract'],
  ['apart into facts', 'facts'],
  ['what a document speaks of', 'entities'],
  ['how things belong together', 'entity-pair'],
  ['tasks for a language model harder', 'harder'],
  ['wrong answers for multiple choice', 'choices'],
  ['from a document alone', 'verify'],
]
const stageOf = (prompt: string) => marks.find(([words]) => prompt.includes(words))?.[1] ?? 'free'

type Answers = Record<string, (request: CompletionRequest, modelPath: string) => string>
const good: Answers = {
  qa: ({ seed }) => `Question: What is fact ${seed} about the wren?\nAnswer: It sings at dawn.`,
  faithful: () => 'Quote: It sings at dawn.\nVerdict: YES',
  relevant: () => 'Reason: It fits.\nVerdict: YES',
  clear: () => 'Verdict: YES',
  question: ({ seed }) => `What do ${seed} hats cost?`,
  fit: () => 'Reason: It fits.\nVerdict: YES',
  answer: ({ seed }) => `They cost ${seed} coins.`,
  grade: () => 'Reason: It is right.\nScore: 3',
  'clean-up': () => 'The wren is a brown bird that sings at dawn.',
  extract: () => '- It sings at dawn.\n- It flies to the moon.',
  facts: () => '- The wren is brown.',
  entities: () => '- wren\n- insects\n- Napoleon',
  'entity-pair': ({ seed }) => `Question: What are insects to the wren (${seed})?\nAnswer: It sings at dawn.`,
  harder: ({ seed }) => `What do ${seed} hats cost after a discount?`,
  choices: () => '1: It sleeps at dawn.\n2: It sings at noon.\n3: It never sings.',
  verify: ({ prompt }) => `Quote: It sings at dawn.\nLetter: ${/([A-D]): It sings at dawn\./.exec(prompt)?.[1] ?? 'A'}`,
  free: ({ seed }) => `Tell me about ${seed}.`,
}

const engines: TestEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose()
})

export interface PipelineLab {
  engine: TestEngine
  llama: ReturnType<typeof createScriptedLlama>
  ids: { teacher: ModelId; judge: ModelId; student: ModelId; compact: ModelId }
  asked: { stage: string; modelPath: string; request: CompletionRequest }[]
}
interface PipelineScript {
  delayMs?: number
  contextTokens?: number
  /** What a model thinks aloud where it is let. */
  reasoning?: string
  /** The embedding model's vector of a text. */
  vector?: (text: string) => readonly number[]
}
/** `answers` takes the place of what a stage answers well. */
export async function openPipelineLab(
  answers: Answers = {},
  { delayMs = 0, contextTokens = 1 << 20, vector, reasoning }: PipelineScript = {},
): Promise<PipelineLab> {
  const asked: PipelineLab['asked'] = []
  const llama = createScriptedLlama({
    delayMs: () => delayMs,
    contextTokens,
    vector,
    reasoning,
    answer(request, modelPath) {
      const stage = stageOf(request.prompt)
      asked.push({ stage, modelPath, request })
      return ({ ...good, ...answers }[stage] ?? good.free)?.(request, modelPath) ?? ''
    },
  })
  const engine = await createTestEngine({ llama })
  engines.push(engine)
  const add = async (path: string) => (await engine.call('model.add', { path })).id
  const ids = {
    teacher: await add(teacherPath),
    judge: await add(judgePath),
    student: await add(studentPath),
    compact: await add(compactPath),
  }
  const seeds = [0, 1, 2, 3, 4].map((at) => ({ question: `Seed question ${at}?`, answer: `Seed answer ${at}.` }))
  const context = { seeds: seeds.map((seed) => ({ ...seed, context: wrens })) }
  await engine.call('taxonomy.save', {
    path: birds,
    branch: 'knowledge',
    domain: 'd',
    documentOutline: 'o',
    ...context,
  })
  await engine.call('document.add', { leaf: birds, name: 'wren.md', text: wrens })
  await engine.call('taxonomy.save', { path: bills, branch: 'compositional_skills', taskDescription: 'Add up.', seeds })
  await engine.call('taxonomy.save', { path: mined, branch: 'foundational_skills', taskDescription: 'x', seeds: [] })
  return { engine, llama, ids, asked }
}

/** Saves the chains as a pipeline and runs it; quotas of 2 unless the plan says else. */
export async function runPipeline(
  lab: PipelineLab,
  chains: Record<string, string[]>,
  plan: Partial<MethodInput<'generation.start'>> = {},
) {
  const { engine, ids } = lab
  const text = JSON.stringify({
    version: 1,
    name: 'mine',
    chains: Object.fromEntries(
      Object.entries(chains).map(([chain, blocks]) => [chain, blocks.map((block) => JSON.parse(block) as object)]),
    ),
  })
  await engine.call('pipeline.save', { text })
  const { generationId, jobId } = await engine.call('generation.start', {
    teacherId: ids.teacher,
    pipeline: 'mine',
    leaves: [{ leaf: chains.knowledge ? birds : chains.mined ? mined : bills, quota: 2 }],
    parallel: 1,
    ...plan,
  })
  const job = await engine.settled(jobId)
  expect(job.error).toBeNull()
  const candidates = (await engine.call('generation.latest', { generationId, limit: 200 })).reverse()
  const details = await Promise.all(candidates.map(({ id }) => engine.call('sample.get', { candidateId: id })))
  return { details, run: await engine.call('generation.get', { generationId }) }
}
/** A block as JSON. */
export const use = (name: string, more: object = {}) => JSON.stringify({ use: name, ...more })
export const stagesOf = (detail: { stages: { stage: string; passed: boolean }[] }) =>
  detail.stages.map(({ stage }) => stage)
