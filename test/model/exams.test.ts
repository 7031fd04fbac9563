// Exams of models whose chat form takes most of the room.

import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTuningLab, type TuningLab } from '../support/tuning-lab.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

let lab: TuningLab
beforeAll(async () => {
  lab = await openTuningLab()
}, 120_000)
afterAll(() => lab.engine.dispose())

const longForm = `{{ '<s>${'You are a careful assistant. '.repeat(20)}' }}{% for message in messages %}{{ message['content'] }}{% endfor %}`

test('a chat form with a long system prompt of its own leaves room for short questions and their answers', async () => {
  const path = join(lab.engine.dataDir, 'wordy.gguf')
  writeTinyGguf(path, { contextLength: 2048, seed: 5, chatTemplate: longForm })
  const { id } = await lab.engine.call('model.add', { path })
  const examIds = [lab.exams.choice.id, lab.exams.closedBook.id]
  const { jobId } = await lab.engine.call('exam.start', { examIds, modelIds: [id] })
  expect(await lab.engine.settled(jobId)).toMatchObject({ state: 'done', error: null })
  const taken = (await lab.engine.call('evaluation.list', {})).filter(({ modelId }) => modelId === id)
  expect(taken).toHaveLength(2)
  for (const evaluation of taken) {
    const { answers } = await lab.engine.call('evaluation.get', { evaluationId: evaluation.id })
    expect(answers.length).toBeGreaterThan(5)
    // What did not fit was kept as a wrong answer in brackets; a random model says nonsense, but it says it.
    expect(answers.filter(({ answer }) => /^\(.*(fit|context|token)/i.test(answer))).toEqual([])
    if (evaluation.examKind === 'choice')
      expect(answers.every(({ logLikelihoods }) => logLikelihoods.length > 1)).toBe(true)
  }
})
