// The oracle over samples of the demo project: knowledge by the world's facts, skills by working the answer out again from the question
// and its context. What it cannot read it calls unknown; it never guesses, and it never filters.

import { demoSkillOf, demoWorld } from './project.ts'
import { rightSkillAnswer } from './skill-truth.ts'
import { type Truth, truthOf } from './truth.ts'

/** What is judged: a sample's leaf, the context it was asked in, question and answer. */
export interface JudgedSample {
  leaf: string
  context: string
  question: string
  answer: string
}
export type DemoOracle = (sample: JudgedSample) => Truth

/** An oracle for the demo's world and skill leaves. */
export function demoOracle(): DemoOracle {
  const world = demoWorld()
  return ({ leaf, context, question, answer }) => {
    if (leaf.startsWith('knowledge/')) return truthOf(world, question, answer)
    const skill = demoSkillOf(leaf)
    const expected = skill && rightSkillAnswer(skill.style, context, question)
    if (expected === undefined) return 'unknown'
    return expected === answer.trim() ? 'true' : 'false'
  }
}
