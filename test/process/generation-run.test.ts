import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { Candidate, GenerationRun } from '../../main/contract/generation.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import { AppError } from '../../main/contract/errors.ts'
import type { CompletionRequest } from '../../main/compute/llama-protocol.ts'
import { createRandom } from '../../main/domain/random.ts'
import { addExam } from '../../main/pipelines/exam-methods.ts'
import { createScriptedLlama, type Script } from '../support/scripted-llama.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

const compact = { 'labdesk.prompt_pack': 'compact' }
const modelPath = writeTinyGguf(join(mkdtempSync(join(tmpdir(), 'generation-run-')), 'tiny.gguf'), {
  metadata: compact,
})
const birds = 'knowledge/birds' as LeafPath
const bills = 'compositional_skills/bills' as LeafPath
const wrens = 'The wren is brown. It sings at dawn. It eats 12 insects.'

const stages: Record<string, string> = {
  'Ask and answer.': 'qa',
  'Is it true?': 'faithful',
  'Does it fit?': 'relevant',
  'Is it clear alone?': 'clear',
  'Write a new context.': 'context',
  'Write a new question.': 'question',
  'Does it fit the task?': 'fit',
  'Answer exactly.': 'answer',
  'Grade it.': 'grade',
}
const stageOf = ({ prompt }: CompletionRequest) =>
  Object.entries(stages).find(([system]) => prompt.includes(system))?.[1] ?? 'none'

/** A teacher that always does well; `change` rewrites its answer of a stage. */
function goodTeacher(
  change: Record<string, (request: CompletionRequest, good: string) => string> = {},
): Script['answer'] {
  return (request) => {
    const { seed } = request
    const good: Record<string, string> = {
      qa: `Question: What is fact ${seed} about the wren?\nAnswer: It is ${seed}.`,
      faithful: 'Quote: It sings at dawn.\nVerdict: YES',
      relevant: 'Reason: It fits.\nVerdict: YES',
      clear: 'Verdict: YES',
      context: `A hat costs ${seed} coins.`,
      question: `What do ${seed} hats cost?`,
      fit: 'Reason: It fits.\nVerdict: YES',
      answer: `They cost ${seed} coins.`,
      grade: 'Reason: It is right.\nScore: 3',
    }
    const stage = stageOf(request)
    return change[stage]?.(request, good[stage] ?? '') ?? good[stage] ?? ''
  }
}

const engines: TestEngine[] = []
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose()
})

interface Outcome {
  engine: TestEngine
  run: GenerationRun
  candidates: Candidate[]
  jobError: string | null
  llama: ReturnType<typeof createScriptedLlama>
}
async function generate(
  script: Script,
  plan: { leaf?: LeafPath; quota?: number; parallel?: number; seeds?: number; nearDuplicateRougeL?: number } = {},
  prepare: (engine: TestEngine) => void = () => undefined,
): Promise<Outcome> {
  const llama = createScriptedLlama(script)
  const engine = await createTestEngine({ llama })
  engines.push(engine)
  const { id: teacherId } = await engine.call('model.add', { path: modelPath })
  const seeds = Array.from({ length: plan.seeds ?? 5 }, (_, at) => ({
    question: `Seed question ${at}?`,
    answer: `Seed answer ${at}.`,
  }))
  const inContext = seeds.map((seed) => ({ ...seed, context: wrens }))
  await engine.call('taxonomy.save', {
    path: birds,
    branch: 'knowledge',
    domain: 'birds',
    documentOutline: 'o',
    seeds: inContext,
  })
  await engine.call('document.add', { leaf: birds, name: 'wren.md', text: wrens })
  await engine.call('taxonomy.save', { path: bills, branch: 'compositional_skills', taskDescription: 'Add up.', seeds })
  prepare(engine)
  const { leaf = birds, quota = 6, parallel = 4, nearDuplicateRougeL = 0.7 } = plan
  const thresholds = { minPairGrade: 2, nearDuplicateRougeL }
  const { generationId, jobId } = await engine.call('generation.start', {
    teacherId,
    leaves: [{ leaf, quota }],
    parallel,
    thresholds,
  })
  const job = await engine.settled(jobId)
  const run = await engine.call('generation.get', { generationId })
  const candidates = (await engine.call('generation.latest', { generationId, limit: 200 })).reverse()
  return { engine, run, candidates, jobError: job.error?.code ?? null, llama }
}

describe('a run with a good teacher', () => {
  it('ends exactly at the quota, with every stage of every candidate kept, and puts the teacher away', async () => {
    const { engine, run, candidates, llama } = await generate({ answer: goodTeacher() })
    expect(candidates.map((candidate) => candidate.slot)).toEqual([0, 1, 2, 3, 4, 5])
    expect(run.funnel).toEqual([{ leaf: birds, quota: 6, attempted: 6, accepted: 6, droppedBy: [], shortfall: null }])
    const detail = await engine.call('sample.get', { candidateId: candidates[0]!.id })
    expect(detail.stages.map((outcome) => outcome.stage)).toEqual([
      'knowledge-qa',
      'knowledge-faithful',
      'knowledge-relevant',
      'knowledge-self-contained',
    ])
    expect(detail).toMatchObject({
      chunkText: wrens,
      status: 'accepted',
      seedIds: expect.arrayContaining([expect.stringMatching(/^seed/)]),
    })
    expect(llama.openSessions).toBe(0)
  })
  it('walks skills through question, check, answer and grade', async () => {
    const { engine, candidates } = await generate({ answer: goodTeacher() }, { leaf: bills })
    const detail = await engine.call('sample.get', { candidateId: candidates[0]!.id })
    expect(detail.stages.map((outcome) => outcome.stage)).toEqual([
      'skill-question',
      'skill-question-judge',
      'skill-answer-precise',
      'skill-pair-judge',
    ])
    expect(detail.score).toBe(3)
  })
  it('writes a context first where the seeds have one', async () => {
    const script = { answer: goodTeacher() }
    const outcome = await generate(script, { leaf: bills }, (engine) => {
      void engine.call('taxonomy.save', {
        path: bills,
        branch: 'compositional_skills',
        taskDescription: 'Add up.',
        seeds: [{ context: 'A pen costs 2.', question: 'q?', answer: 'a' }],
      })
    })
    expect(outcome.candidates[0]?.context).toMatch(/^A hat costs \d+ coins\.$/)
  })
})

describe('the order in which slots finish', () => {
  it('changes nothing about what is accepted, dropped, or found to be a twin', async () => {
    // Many twins and many judged out: what is a twin of what depends on order, so order must be that of the slots.
    const answer = goodTeacher({
      qa: ({ seed }) => `Question: What is fact ${seed % 7} about the wren?\nAnswer: It is ${seed % 7}.`,
      relevant: ({ seed }, good) => (seed % 3 === 0 ? 'Reason: It strays.\nVerdict: NO' : good),
      faithful: (_, good) => good,
    })
    const results = []
    for (const order of ['a', 'b', 'c']) {
      const random = createRandom(order)
      const { candidates } = await generate(
        { answer, delayMs: () => random.int(12) },
        { quota: 6, parallel: 2 + results.length * 5 },
      )
      results.push(candidates.map(({ slot, question, droppedBy, reason }) => ({ slot, question, droppedBy, reason })))
    }
    expect(results[0]!.some((slot) => slot.droppedBy === 'exact-duplicate')).toBe(true)
    expect(results[1]).toEqual(results[0])
    expect(results[2]).toEqual(results[0])
  })
})

interface DropCase {
  what: string
  answer: Script['answer']
  leaf?: LeafPath
  stage: string
  reason: RegExp
}
const drops: DropCase[] = [
  {
    what: 'a quote that does not stand in the chunk',
    answer: goodTeacher({ faithful: () => 'Quote: The wren is blue.\nVerdict: YES' }),
    stage: 'knowledge-faithful',
    reason: /"The wren is blue\." does not stand in the text/,
  },
  {
    what: 'a verdict against it',
    answer: goodTeacher({ faithful: () => 'Quote: none\nVerdict: NO' }),
    stage: 'knowledge-faithful',
    reason: /text does not say this/,
  },
  {
    what: 'what is beside the point',
    answer: goodTeacher({ relevant: () => 'Reason: It strays.\nVerdict: NO' }),
    stage: 'knowledge-relevant',
    reason: /beside the point: It strays/,
  },
  {
    what: 'an answer whose second statement is false',
    answer: goodTeacher({
      qa: ({ seed }) =>
        `Question: What is fact ${seed} about the wren?\nAnswer: It sings at dawn. It eats ${seed} bears.`,
      faithful: ({ prompt }, good) => (prompt.includes('bears') ? 'Quote: none\nVerdict: NO' : good),
    }),
    stage: 'knowledge-faithful',
    reason: /does not say "It eats \d+ bears\."/,
  },
  {
    what: 'a question that needs the text',
    answer: goodTeacher({ clear: () => 'Verdict: NO' }),
    stage: 'knowledge-self-contained',
    reason: /without the text/,
  },
  {
    what: 'a question off the task',
    answer: goodTeacher({ fit: () => 'Reason: It is a riddle.\nVerdict: NO' }),
    leaf: bills,
    stage: 'skill-question-judge',
    reason: /unfit: It is a riddle/,
  },
  {
    what: 'a low grade',
    answer: goodTeacher({ grade: () => 'Reason: It is wrong.\nScore: 1' }),
    leaf: bills,
    stage: 'skill-pair-judge',
    reason: /gives it 1 where 2 is needed: It is wrong/,
  },
  {
    what: 'an answer without end',
    answer: goodTeacher({ qa: () => `Question: ${'so '.repeat(300)}` }),
    stage: 'form',
    reason: /cut off after 128 tokens/,
  },
  {
    what: 'an answer without form',
    answer: goodTeacher({ faithful: () => 'I think so.' }),
    stage: 'form',
    reason: /does not have the form/,
  },
  {
    what: 'a repeated answer',
    answer: goodTeacher({ qa: () => 'Question: Seed question 1?\nAnswer: Seed answer 1.' }),
    stage: 'exact-duplicate',
    reason: /same as a seed/,
  },
]

describe('a second run', () => {
  it('has a seed of its own unless one was asked for, so that it does not only repeat the first', async () => {
    const { engine, run } = await generate({ answer: goodTeacher() }, { quota: 2 })
    const again = async (seed?: number) => {
      const { teacherId, leaves } = run.plan
      const { generationId, jobId } = await engine.call('generation.start', {
        teacherId,
        leaves,
        ...(seed ? { seed } : {}),
      })
      await engine.settled(jobId)
      return engine.call('generation.get', { generationId })
    }
    const second = await again()
    expect([run.plan.seed, second.plan.seed, (await again(7)).plan.seed]).toEqual([1, 2, 7])
    expect(second.funnel[0]).toMatchObject({ accepted: 2, droppedBy: [] })
  })
})

describe('what a stage drops', () => {
  it.each(drops)(
    '$what is kept with its reason, and the shortfall names the stage',
    async ({ answer, leaf, stage, reason }) => {
      const { run, candidates } = await generate({ answer }, { quota: 2, ...(leaf ? { leaf } : {}) })
      expect(candidates).toHaveLength(8)
      for (const candidate of candidates)
        expect(candidate).toMatchObject({ state: 'dropped', droppedBy: stage, reason: expect.stringMatching(reason) })
      const shortfall = `Made 0 of 2: all 8 attempts are used up. Most were dropped by ${stage} (8)`
      expect(run.funnel[0]?.shortfall).toContain(shortfall)
    },
  )
  it('a nearly equal pair is named with its neighbour', async () => {
    const answer = goodTeacher({
      qa: ({ seed }) =>
        `Question: What does the small wren${seed % 2 ? '' : ' here'} eat in the cold days of the year?\nAnswer: It eats twelve insects${seed % 3 ? '' : ' there'}.`,
    })
    const { engine, candidates } = await generate({ answer }, { quota: 3 })
    const near = candidates.find((candidate) => candidate.droppedBy === 'near-duplicate')
    expect(near?.reason).toMatch(/nearly the same as an earlier sample \(ROUGE-L of the questions 0\.\d\d\)/)
    expect((await engine.call('sample.get', { candidateId: near!.id })).duplicateOf).toBe(candidates[0]?.id)
  })
  it('what repeats an exam is dropped before any judge is asked', async () => {
    const answer = goodTeacher({
      qa: ({ seed }) => `Question: At what time of day does the wren sing?\nAnswer: At dawn, ${seed}.`,
    })
    const { candidates, llama } = await generate({ answer }, { quota: 1 }, (engine) => {
      const question = {
        index: 0,
        leaf: null,
        question: 'At what time of day does the wren sing?',
        accepted: ['dawn'],
        choices: [],
        context: '',
      }
      addExam(engine.lab, { name: 'Wrens', kind: 'closed-book', source: 'test', questions: [question] })
    })
    expect(candidates[0]).toMatchObject({
      droppedBy: 'decontamination',
      reason: expect.stringMatching(/held-out Wrens/),
    })
    expect(llama.asked.every((request) => stageOf(request) === 'qa')).toBe(true)
  })
})

describe('a call that goes wrong', () => {
  it('asks once more with another seed when the form is not met, and counts the failure', async () => {
    const seen = new Set<string>()
    const answer = goodTeacher({
      clear: ({ prompt }, good) => {
        const isFirst = !seen.has(prompt)
        seen.add(prompt)
        return isFirst ? 'Well, yes.' : good
      },
    })
    const { run, candidates, llama } = await generate({ answer }, { quota: 2, parallel: 1 })
    expect(candidates.every((candidate) => candidate.state === 'passed')).toBe(true)
    expect(run.parseFailureCount).toBe(2)
    const seeds = llama.asked.filter((request) => stageOf(request) === 'clear').map((request) => request.seed)
    expect(new Set(seeds).size).toBe(seeds.length)
  })
  it('fails the job with the session error, keeps what is done, and goes on when resumed', async () => {
    let calls = 0
    const memory = new AppError({ code: 'out-of-memory', message: 'No memory.', remedy: 'Close something.' })
    const answer: Script['answer'] = (request) => {
      calls += 1
      if (calls === 30) throw memory
      return goodTeacher()(request, '')
    }
    const { engine, run, candidates, jobError } = await generate({ answer }, { quota: 20, parallel: 2 })
    expect(jobError).toBe('out-of-memory')
    expect(candidates.length).toBeGreaterThan(2)
    expect(candidates.length).toBeLessThan(20)
    await engine.call('job.resume', { jobId: run.jobId })
    expect((await engine.settled(run.jobId)).state).toBe('done')
    const after = (await engine.call('generation.latest', { generationId: run.id, limit: 200 })).reverse()
    expect(after.slice(0, candidates.length)).toEqual(candidates)
    expect(after.map((candidate) => candidate.slot)).toEqual(Array.from({ length: 20 }, (_, slot) => slot))
  })
  it('whose candidates cannot be written fails, puts the teacher away, and goes on without a hole', async () => {
    const { engine, run, candidates, jobError, llama } = await generate(
      { answer: goodTeacher() },
      { quota: 20, parallel: 4 },
      ({ lab }) =>
        lab.project().db.exec(`create trigger no_room before insert on candidates
          when new.slot > 4 begin select raise(abort, 'no room'); end`),
    )
    expect(jobError).not.toBeNull()
    expect(candidates.length).toBeLessThan(6)
    expect(llama.openSessions).toBe(0)
    engine.lab.project().db.exec('drop trigger no_room')
    await engine.call('job.resume', { jobId: run.jobId })
    expect(await engine.settled(run.jobId)).toMatchObject({ state: 'done', error: null })
    const after = (await engine.call('generation.latest', { generationId: run.id, limit: 200 })).reverse()
    expect(after.map((candidate) => candidate.slot)).toEqual(Array.from({ length: 20 }, (_, slot) => slot))
  })
  it('shows fewer examples where the context is small, and says so once', async () => {
    const { engine, run, candidates } = await generate(
      { answer: goodTeacher(), contextTokens: 360 },
      { quota: 2, seeds: 5 },
      (engine) => {
        const long = Array.from({ length: 5 }, (_, at) => ({
          context: wrens,
          question: `${'Very long seed question '.repeat(8)}${at}?`,
          answer: 'a',
        }))
        void engine.call('taxonomy.save', {
          path: birds,
          branch: 'knowledge',
          domain: 'birds',
          documentOutline: 'o',
          seeds: long,
        })
      },
    )
    expect(candidates.filter((candidate) => candidate.state === 'passed')).toHaveLength(2)
    const notes = (await engine.call('job.events', { jobId: run.jobId })).filter((event) =>
      event.text.includes('examples'),
    )
    expect(notes.map((event) => event.text)).toEqual([expect.stringMatching(/knowledge-qa shows 0 of 1 examples/)])
  })
  it('drops what does not fit at all, in plain words', async () => {
    const { candidates } = await generate({ answer: goodTeacher(), contextTokens: 180 }, { quota: 1 })
    expect(candidates[0]).toMatchObject({
      droppedBy: 'form',
      reason: expect.stringMatching(/does not fit into the model's context/),
    })
  })
})
