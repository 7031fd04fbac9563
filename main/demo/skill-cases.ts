// Worked cases of the skill stages: new contexts, questions and answers in the style of a leaf's seeds, and grades for good, terse and
// spoilt pairs. The form of an answer is learnt from the seeds in the prompt, not from the task.

import type { CoreStage, PromptVariables } from '../domain/prompts.ts'
import type { StageCase } from './cases.ts'
import { makeTask, foundationalTasks } from './foundational.ts'
import { nameSource, type NameSplit } from './names.ts'
import type { Random } from './random.ts'
import { drawSkill, makeSkillPair, type Skill, type SkillPair } from './skills.ts'

/** Seeds of one leaf and a way to make more of the same. */
export interface Bench {
  skill: Skill
  seeds: SkillPair[]
  draw: () => SkillPair
}

export function makeBench(random: Random, split: NameSplit, skill = drawSkill(random)): Bench {
  const names = nameSource(random, split)
  const draw = (): SkillPair => makeSkillPair(skill, random, () => names.next(true))
  return { skill, seeds: [draw(), draw()], draw }
}

function shown(bench: Bench, fields: readonly ('context' | 'question' | 'answer')[]): PromptVariables[] {
  return bench.seeds.map((seed) => Object.fromEntries(fields.map((field) => [field, seed[field]])))
}

export function contextCase(bench: Bench): StageCase {
  return {
    stage: 'skill-context',
    variables: { task: bench.skill.task },
    examples: shown(bench, ['context']),
    output: { context: bench.draw().context },
  }
}

export function questionCase(bench: Bench): StageCase {
  const made = bench.draw()
  const variables = { task: bench.skill.task, context: made.context }
  return {
    stage: 'skill-question',
    variables,
    examples: shown(bench, ['context', 'question']),
    output: { question: made.question },
  }
}

export function answerCase(bench: Bench, stage: CoreStage): StageCase {
  const made = bench.draw()
  const variables = { task: bench.skill.task, context: made.context, question: made.question }
  return {
    stage,
    variables,
    examples: shown(bench, ['context', 'question', 'answer']),
    output: { answer: made.answer },
  }
}

export function questionJudgeCase(bench: Bench, random: Random, split: NameSplit): StageCase {
  const made = bench.draw()
  const isGood = random.chance(0.5)
  const bad = isGood ? { question: made.question, reason: '' } : spoilQuestion(bench, made, { random, split })
  const variables = { task: bench.skill.task, context: made.context, question: bad.question }
  const output = { reason: isGood ? 'It asks for the task.' : bad.reason, verdict: isGood ? 'YES' : 'NO' }
  return { stage: 'skill-question-judge', variables, examples: shown(bench, ['context', 'question']), output }
}

function spoilQuestion(
  bench: Bench,
  made: SkillPair,
  { random, split }: { random: Random; split: NameSplit },
): { question: string; reason: string } {
  const listed = /(\w+), (\w+), \w+\.$/.exec(made.question)
  if (listed && random.chance(0.4)) {
    const twice = `${listed[1]}, ${listed[2]}, ${random.chance(0.5) ? listed[1] : listed[2]}.`
    return { question: made.question.replace(listed[0], twice), reason: 'It names a thing twice.' }
  }
  if (random.chance(0.35)) {
    const words = made.question.replace(/[.?]$/, '').split(' ')
    const shuffled = random.shuffle(words)
    if (shuffled.join(' ') !== words.join(' '))
      return { question: `${shuffled.join(' ')}.`, reason: 'It is not a clear sentence.' }
  }
  if (random.chance(0.5)) {
    return {
      question: makeTask(random.pick(foundationalTasks), random, { isHeldOut: split === 'held-out' }).question,
      reason: 'It is another task.',
    }
  }
  for (;;) {
    const other = makeBench(random, split)
    if (other.skill.style.family !== bench.skill.style.family)
      return { question: other.draw().question, reason: 'It is another task.' }
  }
}

export function pairJudgeCase(bench: Bench, random: Random): StageCase {
  const made = bench.draw()
  const roll = random.next()
  const judged =
    roll < 0.4
      ? { answer: made.answer, score: '3' }
      : roll < 0.55
        ? { answer: made.terse, score: '2' }
        : { answer: spoilAnswer(bench, made, random), score: '1' }
  const variables = { task: bench.skill.task, context: made.context, question: made.question, answer: judged.answer }
  return {
    stage: 'skill-pair-judge',
    variables,
    examples: shown(bench, ['context', 'question', 'answer']),
    output: { reason: `${made.reason}.`, score: judged.score },
  }
}

/** A wrong answer in the right form: a wrong number, two parts swapped, or a part left out. */
function spoilAnswer(bench: Bench, made: SkillPair, random: Random): string {
  const { style } = bench.skill
  const body = made.answer
    .slice((style.label + style.opening).length, made.answer.length - style.closing.length)
    .split(style.separator)
  const wrong = random.chance(0.2)
    ? body.slice(0, -1)
    : style.family === 'bill' || random.chance(0.3)
      ? changed(body, bench, random)
      : swapped(body, random)
  return style.label + style.opening + wrong.join(style.separator) + style.closing
}

function swapped(body: string[], random: Random): string[] {
  const at = random.between(0, body.length - 2)
  return body.map((part, index) => (index === at ? (body[at + 1] ?? '') : index === at + 1 ? (body[at] ?? '') : part))
}

function changed(body: string[], bench: Bench, random: Random): string[] {
  const at =
    bench.skill.style.family === 'bill' && random.chance(0.8) ? body.length - 1 : random.between(0, body.length - 1)
  const other = bench.draw()
  return body.map((part, index) => {
    if (index !== at) return part
    const number = /\d+$/.exec(part)
    if (number)
      return part.replace(/\d+$/, String(Math.max(1, Number(number[0]) + random.pick([-10, -2, -1, 1, 2, 10]))))
    const { style } = bench.skill
    const otherBody = other.answer
      .slice((style.label + style.opening).length, other.answer.length - style.closing.length)
      .split(style.separator)
    return otherBody[at] === part ? `${part} ${part}` : (otherBody[at] ?? '')
  })
}
