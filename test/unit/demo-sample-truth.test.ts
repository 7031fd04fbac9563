// The demo's oracle agrees with the answers the exams accept, and sees through a changed digit or name.

import { describe, expect, it } from 'vitest'
import { demoProject } from '../../main/demo/project.ts'
import { demoOracle } from '../../main/demo/sample-truth.ts'

const project = demoProject()
const judge = demoOracle()
const questions = project.exams
  .filter((exam) => exam.kind === 'skill' || exam.kind === 'closed-book')
  .flatMap((exam) => exam.questions)

describe('the oracle of the demo', () => {
  it('calls every accepted answer of the skill and closed-book exams true', () => {
    for (const { leaf, context, question, accepted } of questions) {
      const answer = accepted[0] ?? ''
      expect(judge({ leaf, context, question, answer }), `${question} ${answer}`).toBe('true')
    }
    expect(questions.length).toBeGreaterThan(100)
  })

  it('calls an answer with one word changed false', () => {
    for (const { leaf, context, question, accepted } of questions) {
      const answer = (accepted[0] ?? '').replace(/\w+(?=\W*$)/, 'nonsense')
      expect(judge({ leaf, context, question, answer }), `${question} ${answer}`).toBe('false')
    }
  })

  it('calls a question it cannot read unknown', () => {
    const leaf = project.leaves[0]?.path ?? ''
    expect(judge({ leaf, context: '', question: 'Why is the sky high?', answer: 'red' })).toBe('unknown')
    expect(judge({ leaf: 'compositional_skills/trade/bill', context: '', question: 'Why?', answer: '7' })).toBe(
      'unknown',
    )
  })
})
