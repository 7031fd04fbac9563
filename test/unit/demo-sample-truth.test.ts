// The demo's oracle agrees with the answers the exams accept, and sees through a changed digit or name.

import { describe, expect, it } from 'vitest'
import { demoProject } from '../../main/demo/project.ts'
import { demoOracle } from '../../main/demo/sample-truth.ts'
import { phrase } from '../../main/demo/world.ts'

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

  it('calls a right value told of another thing false', () => {
    const leaf = 'knowledge/places/towns'
    const asked = project.world.facts.filter(({ entity }) => entity.kind === 'town')
    for (const fact of asked) {
      const question = phrase(fact.attribute.questions[0] ?? '', fact)
      const other = { ...fact, entity: { ...fact.entity, name: 'Mabar' } }
      const answer = phrase(fact.attribute.sentence, other)
      expect(judge({ leaf, context: '', question, answer }), `${question} ${answer}`).toBe('false')
      const description = `Tell me about ${fact.entity.name}.`
      expect(judge({ leaf, context: '', question: description, answer }), `${description} ${answer}`).toBe('false')
    }
    expect(asked.length).toBeGreaterThan(10)
  })

  it('calls a question it cannot read unknown', () => {
    const leaf = project.leaves[0]?.path ?? ''
    expect(judge({ leaf, context: '', question: 'Why is the sky high?', answer: 'red' })).toBe('unknown')
    expect(judge({ leaf: 'compositional_skills/trade/bill', context: '', question: 'Why?', answer: '7' })).toBe(
      'unknown',
    )
  })
})
