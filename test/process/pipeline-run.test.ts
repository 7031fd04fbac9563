// Pipelines at work, over a scripted teacher: every block, who is asked, how often, and what becomes of the slot.

import { describe, expect, it } from 'vitest'
import {
  bills,
  birds,
  judgePath,
  openPipelineLab,
  runPipeline,
  stagesOf,
  studentPath,
  teacherPath,
  use,
  wrens,
} from '../support/pipeline-lab.ts'

describe('blocks that write', () => {
  it('ask about a rewrite made once for all slots, and judge against the raw chunk', async () => {
    const lab = await openPipelineLab()
    const { details } = await runPipeline(lab, {
      knowledge: [use('material', { forms: ['clean-up'] }), use('pair'), use('new'), use('faithful')],
    })
    expect(details).toHaveLength(2)
    expect(stagesOf(details[0]!)).toEqual(['document-clean-up', 'knowledge-qa', 'knowledge-faithful'])
    expect(lab.asked.filter(({ stage }) => stage === 'clean-up')).toHaveLength(1)
    const prompts = (wanted: string) =>
      lab.asked.filter(({ stage }) => stage === wanted).map(({ request }) => request.prompt)
    for (const prompt of prompts('qa')) expect(prompt).toContain('The wren is a brown bird that sings at dawn.')
    for (const prompt of prompts('faithful')) expect(prompt).toContain(wrens)
  })
  it('take the forms of a chunk in turn, and of an extract only what really stands in the text', async () => {
    const lab = await openPipelineLab()
    await runPipeline(lab, {
      knowledge: [use('material', { forms: ['as-is', 'extractive-summary'] }), use('pair'), use('new')],
    })
    const [first, second] = lab.asked.filter(({ stage }) => stage === 'qa').map(({ request }) => request.prompt)
    expect(first).toContain(wrens)
    expect(second).toContain('- It sings at dawn.')
    expect(second).not.toContain('moon')
  })
  it('ask how two entities belong together that both stand in the text', async () => {
    const lab = await openPipelineLab()
    const { details } = await runPipeline(lab, { knowledge: [use('entity-pair'), use('new')] })
    expect(stagesOf(details[0]!)).toEqual(['knowledge-entities', 'knowledge-entity-pair'])
    const [prompt = ''] = lab.asked.filter(({ stage }) => stage === 'entity-pair').map(({ request }) => request.prompt)
    expect(prompt).toContain('speaks of "wren" and of "insects"')
    expect(lab.asked.some(({ request }) => request.prompt.includes('and of "Napoleon"'))).toBe(false)
  })
  it('evolve the share of questions asked for', async () => {
    const lab = await openPipelineLab()
    const chain = [use('question'), use('evolve', { how: 'harder', share: 0.5 }), use('answer'), use('new')]
    const { details } = await runPipeline(lab, { freeform: chain }, { leaves: [{ leaf: bills, quota: 20 }] })
    const evolved = details.filter((detail) => stagesOf(detail).includes('question-harder'))
    expect(evolved.length).toBeGreaterThan(3)
    expect(evolved.length).toBeLessThan(17)
    for (const { question } of evolved) expect(question).toMatch(/after a discount/)
  })
  it('keep the best of several answers, with the others in its history', async () => {
    let number = 0
    const lab = await openPipelineLab({
      answer: () => `Answer ${++number}.`,
      grade: ({ prompt }) =>
        `Reason: r.\nScore: ${Number(/Answer: Answer (\d+)\./.exec(prompt)?.[1]) % 3 === 2 ? 3 : 2}`,
    })
    const { details } = await runPipeline(
      lab,
      { freeform: [use('question'), use('answer', { bestOf: 3 }), use('new')] },
      { leaves: [{ leaf: bills, quota: 1 }] },
    )
    expect(details[0]).toMatchObject({ answer: expect.stringMatching(/^Answer (2|5|8)\.$/), status: 'accepted' })
    const seeds = lab.asked.filter(({ stage }) => stage === 'answer').map(({ request }) => request.seed)
    expect(new Set(seeds.slice(0, 3)).size).toBe(3)
    expect(details[0]!.stages.filter(({ words }) => words.startsWith('Another was better'))).toHaveLength(2)
  })
  it('make choices that a second reading bears out', async () => {
    const lab = await openPipelineLab()
    const { details } = await runPipeline(lab, { knowledge: [use('pair'), use('choices'), use('new')] })
    expect(details[0]!.question).toMatch(/A: .*\nB: .*\nC: .*\nD: /)
    expect(details[0]!.answer).toMatch(/^[A-D]: It sings at dawn\.$/)
    expect(details[0]!.question).toContain(`\n${details[0]!.answer}`)
  })
  it('drop choices whose key a second reading does not find', async () => {
    const lab = await openPipelineLab({
      verify: ({ prompt }) =>
        `Quote: It sings at dawn.\nLetter: ${/([A-D]): It sings at noon\./.exec(prompt)?.[1] ?? 'A'}`,
    })
    const { details } = await runPipeline(lab, { knowledge: [use('pair'), use('choices'), use('new')] })
    expect(details[0]).toMatchObject({ droppedBy: 'choice-verify', reason: expect.stringContaining('another reading') })
  })
  it('mine what the student would be asked, and let it answer itself', async () => {
    const lab = await openPipelineLab()
    const { details } = await runPipeline(
      lab,
      { mined: [use('mine'), use('answer'), use('new'), use('unseen')] },
      { studentId: lab.ids.student },
    )
    expect(stagesOf(details[0]!)).toEqual(['mined-question', 'mined-answer'])
    expect(lab.asked.every(({ modelPath }) => modelPath === studentPath)).toBe(true)
    const [opening] = lab.asked
    expect(opening?.request.prompt.endsWith('<|im_start|>user\n')).toBe(true)
    expect(opening?.request.grammar).toBeUndefined()
  })
})

describe('blocks that judge', () => {
  it('take votes until a majority stands, each with a seed of its own', async () => {
    let vote = 0
    const lab = await openPipelineLab({ grade: () => `Reason: r.\nScore: ${++vote % 3 === 0 ? 3 : 1}` })
    const { details } = await runPipeline(
      lab,
      { freeform: [use('question'), use('answer'), use('new'), use('pair-grade', { votes: 3 })] },
      { leaves: [{ leaf: bills, quota: 1 }], maxAttemptsFactor: 1 },
    )
    expect(details[0]).toMatchObject({ droppedBy: 'skill-pair-judge', score: 1 })
    expect(details[0]!.reason).toMatch(/\(2 of 2 votes\)$/)
    const graded = lab.asked.filter(({ stage }) => stage === 'grade')
    expect(new Set(graded.map(({ request }) => request.seed)).size).toBe(2)
    expect(graded.every(({ request }) => request.temperature === 0.7)).toBe(true)
  })
  it('ask another model where one was chosen as the judge', async () => {
    const lab = await openPipelineLab()
    await runPipeline(
      lab,
      { knowledge: [use('pair'), use('new'), use('faithful'), use('relevant', { by: 'teacher' })] },
      { judgeId: lab.ids.judge },
    )
    const asked = (stage: string) => new Set(lab.asked.filter((one) => one.stage === stage).map((one) => one.modelPath))
    expect([asked('qa'), asked('faithful'), asked('relevant')].map((paths) => [...paths])).toEqual([
      [teacherPath],
      [judgePath],
      [teacherPath],
    ])
    expect(lab.llama.openSessions).toBe(0)
  })
})

describe('blocks that rule', () => {
  it('keep repetitions where the chain does not ask for new ones', async () => {
    const same = { qa: () => 'Question: What does the wren do?\nAnswer: It sings at dawn.' }
    const with_ = await runPipeline(await openPipelineLab(same), { knowledge: [use('pair'), use('new')] })
    expect(with_.run.funnel[0]).toMatchObject({ accepted: 1 })
    const without = await runPipeline(await openPipelineLab(same), { knowledge: [use('pair')] })
    expect(without.run.funnel[0]).toMatchObject({ accepted: 2, droppedBy: [] })
  })
  it('drop what is not in the language of the leaf', async () => {
    const lab = await openPipelineLab({
      answer: () => 'Drei Hüte kosten zusammen einundzwanzig Münzen, wenn jeder sieben kostet.',
    })
    const { details } = await runPipeline(lab, { freeform: [use('question'), use('answer'), use('language')] })
    expect(details[0]).toMatchObject({ droppedBy: 'language', reason: expect.stringContaining('written in de') })
  })
  it('tell the teacher which form of answer the leaf asks for, and drop what has another', async () => {
    const lab = await openPipelineLab({ answer: ({ seed }) => (seed % 2 === 0 ? '21' : 'They cost 21 coins.') })
    await lab.engine.call('taxonomy.save', {
      path: bills,
      branch: 'compositional_skills',
      taskDescription: 'Add up.',
      answerFormat: 'number',
      seeds: [1, 2, 3, 4, 5].map((at) => ({ question: `What is ${at} + 1?`, answer: `${at + 1}` })),
    })
    const { details } = await runPipeline(
      lab,
      { freeform: [use('question'), use('answer'), use('format')] },
      { leaves: [{ leaf: bills, quota: 8 }] },
    )
    const [prompt = ''] = lab.asked.filter(({ stage }) => stage === 'answer').map(({ request }) => request.prompt)
    expect(prompt).toContain('Add up. Answer with one number and nothing else.')
    for (const { answer, droppedBy } of details) expect(droppedBy).toBe(answer === '21' ? null : 'answer-format')
    expect(new Set(details.map(({ droppedBy }) => droppedBy)).size).toBe(2)
  })
  it('mark what the student answers already, and drop it where that is asked for', async () => {
    const knows = { free: () => 'It sings at dawn.' }
    const lab = await openPipelineLab(knows)
    const plan = { studentId: lab.ids.student }
    const marked = await runPipeline(lab, { knowledge: [use('pair'), use('new'), use('known')] }, plan)
    expect(marked.details[0]).toMatchObject({ status: 'accepted' })
    expect(marked.details[0]!.stages.at(-1)).toMatchObject({ stage: 'student-knows', passed: true, score: 1 })
    const again = await openPipelineLab(knows)
    const dropped = await runPipeline(
      again,
      { knowledge: [use('pair'), use('new'), use('known', { drops: true })] },
      { studentId: again.ids.student },
    )
    expect(dropped.details[0]).toMatchObject({ droppedBy: 'student-knows' })
    const thinned = await openPipelineLab(knows)
    const { details } = await runPipeline(
      thinned,
      { knowledge: [use('pair'), use('known', { drops: true, share: 0.5 })] },
      { studentId: thinned.ids.student, leaves: [{ leaf: birds, quota: 20 }] },
    )
    const gone = details.filter(({ droppedBy }) => droppedBy === 'student-knows').length
    expect(gone / details.length).toBeGreaterThan(0.25)
    expect(gone / details.length).toBeLessThan(0.75)
    expect(details.filter(({ status }) => status === 'accepted')).toHaveLength(20)
  })
})

describe('thinking aloud', () => {
  const chain = { knowledge: [use('pair'), use('faithful', { sampling: { thinkTokens: 200 } })] }

  it('is let where a block says so and the model knows how, and is kept with what was said', async () => {
    const lab = await openPipelineLab({}, { reasoning: 'The text says dawn.' })
    const { details } = await runPipeline(lab, chain)
    const judged = lab.asked.find(({ stage }) => stage === 'faithful')
    expect(judged?.request.thinking).toEqual({ opening: '<think>', closing: '</think>', maxTokens: 200 })
    expect(judged?.request).not.toHaveProperty('thinkTokens')
    expect(lab.asked.find(({ stage }) => stage === 'qa')?.request.thinking).toBeUndefined()
    const byStage = (name: string) => details[0]!.stages.find(({ stage }) => stage === name)
    expect(byStage('knowledge-faithful')?.reasoning).toBe('The text says dawn.')
    expect(byStage('knowledge-qa')?.reasoning).toBe('')
  })
  it('is left out with a note where the model is not known to think', async () => {
    const lab = await openPipelineLab()
    const { run } = await runPipeline(lab, chain)
    expect(lab.asked.every(({ request }) => request.thinking === undefined)).toBe(true)
    const log = await lab.engine.call('job.events', { jobId: run.jobId })
    expect(log.some(({ text }) => text.includes('think aloud'))).toBe(true)
  })
})

describe('a student with a short context', () => {
  it('is not asked what it cannot hold, and the sample is kept with that said', async () => {
    const long = `What does the wren do ${'at dawn and '.repeat(400)} at dusk?`
    const lab = await openPipelineLab(
      { qa: () => `Question: ${long}\nAnswer: It sings at dawn.` },
      { contextTokens: 7000 },
    )
    const { details } = await runPipeline(
      lab,
      { knowledge: [use('pair', { sampling: { maxTokens: 5000 } }), use('known')] },
      { studentId: lab.ids.student, leaves: [{ leaf: birds, quota: 1 }] },
    )
    expect(details[0]).toMatchObject({ status: 'accepted' })
    expect(details[0]!.stages.at(-1)).toMatchObject({
      stage: 'student-knows',
      passed: false,
      words: expect.stringContaining('does not fit'),
    })
  })
})

describe('a plan', () => {
  it('is refused when the teacher has no prompt for a block', async () => {
    const { engine, ids } = await openPipelineLab()
    const start = (pipeline: string) =>
      engine.call('generation.start', { teacherId: ids.compact, pipeline, leaves: [{ leaf: birds, quota: 1 }] })
    await expect(start('instructlab-full')).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('compact prompts only'),
    })
    await expect(start('nowhere')).rejects.toMatchObject({ code: 'not-found' })
  })
  it('says of a leaf that the pipeline has no chain for it', async () => {
    const lab = await openPipelineLab()
    const { run: done } = await runPipeline(
      lab,
      { freeform: [use('question'), use('answer')] },
      { leaves: [{ leaf: birds, quota: 1 }] },
    )
    expect(done.funnel[0]?.shortfall).toBe(
      'The pipeline "mine" has no knowledge chain. Choose one that has, or add the chain to it.',
    )
  })
  it('keeps its pipeline when that is changed or removed later', async () => {
    const lab = await openPipelineLab()
    const { run: done } = await runPipeline(lab, { freeform: [use('question'), use('answer')] })
    await lab.engine.call('pipeline.remove', { name: 'mine' })
    const kept = await lab.engine.call('generation.get', { generationId: done.id })
    expect(kept.plan.pipeline?.chains.freeform?.map((block) => block.use)).toEqual(['question', 'answer'])
  })
  it('with minutes to spend ends in time, serves its leaves evenly, and says so', async () => {
    const lab = await openPipelineLab({}, { delayMs: 4 })
    const { run: done } = await runPipeline(
      lab,
      { freeform: [use('question'), use('answer')], knowledge: [use('pair')] },
      {
        leaves: [
          { leaf: birds, quota: 5000 },
          { leaf: bills, quota: 5000 },
        ],
        timeBudgetMinutes: 0.01,
        parallel: 4,
      },
    )
    for (const { accepted, shortfall } of done.funnel) {
      expect(accepted).toBeGreaterThan(3)
      expect(shortfall).toMatch(/^Made \d+ of 5000: the 0\.01 minutes it was given are used up\./)
    }
    const [one, other] = done.funnel.map(({ attempted }) => attempted)
    expect(Math.abs((one ?? 0) - (other ?? 0))).toBeLessThan(0.2 * (one ?? 0) + 8)
  })
})

describe('presets and pipelines of the user', () => {
  it('stand in one list, presets first, and presets cannot be replaced or removed', async () => {
    const { engine } = await openPipelineLab()
    const list = await engine.call('pipeline.list', {})
    expect(list[0]).toMatchObject({ name: 'lab', isPreset: true })
    const text = list[0]?.text ?? ''
    await expect(engine.call('pipeline.save', { text })).rejects.toMatchObject({ code: 'bad-input' })
    await expect(engine.call('pipeline.remove', { name: 'lab' })).rejects.toMatchObject({ code: 'not-found' })
    const mine = await engine.call('pipeline.save', { text: text.replace('name: lab', 'name: mine') })
    expect(mine).toMatchObject({ name: 'mine', isPreset: false })
    expect((await engine.call('pipeline.list', {})).at(-1)).toMatchObject({ name: 'mine' })
    await expect(engine.call('pipeline.save', { text: 'version: 1' })).rejects.toMatchObject({ code: 'bad-input' })
  })
})
