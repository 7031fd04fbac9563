// Reading drills for a model that starts from nothing: repeat a list, look a word up in a list of pairs, quote the sentence about an
// attribute, compare two words, add. Copying by attention is learnt from these in minutes; the stages then build on it. No product prompt
// uses them.

import { type Kind, valueSets } from './attributes.ts'
import { chatPrompt, type CorpusRow } from './corpus.ts'
import { type FoundationalTask, foundationalTasks, goods, makeTask } from './foundational.ts'
import { corruptFact, similarNumber, tell } from './documents.ts'
import { ask, makeScene } from './knowledge-cases.ts'
import { isName, nameSource, similarName } from './names.ts'
import { randomOf, type Random } from './random.ts'
import { isCapitalised, makeWorld, phrase } from './world.ts'

const words: readonly string[] = [...goods, ...Object.values(valueSets).flat()]

/** A conversation that practises one way of reading, or sums, as a pure function of its seed. */
export function drillRow(seed: string, { difficulty }: { difficulty: number }): CorpusRow {
  const random = randomOf(`drill:${seed}`)
  const draw = random.pick(drillMix)
  const turns = draw(random, { seed, difficulty })
  return {
    turns: turns.map(([user, answer], at) => ({
      prompt: (at > 0 ? '\n' : '') + chatPrompt(at > 0 ? '' : 'Read.', user),
      response: `${answer}<|im_end|>`,
    })),
  }
}

type Turn = [user: string, answer: string]
type Drill = (random: Random, options: { seed: string; difficulty: number }) => Turn[]

/** In the shares they are drawn in. */
const drillMix: readonly Drill[] = [
  repeatTurns,
  pairTurns,
  sameTurns,
  lineTurns,
  quoteTurns,
  quoteTurns,
  (random) => taskTurns(random, ['addition', 'addition', ...foundationalTasks]),
]

function drawWord(random: Random, name: (isCapitalised: boolean) => string): string {
  const roll = random.next()
  if (roll < 0.5) return name(roll < 0.25)
  return roll < 0.65 ? String(random.between(1, 99)) : random.pick(words)
}

function repeatTurns(random: Random): Turn[] {
  const names = nameSource(random, 'training')
  const list = Array.from({ length: random.between(4, 24) }, () => drawWord(random, names.next)).join(
    random.pick([', ', ' ', '; ']),
  )
  return [[`Repeat: ${list}`, `List: ${list}`]]
}

/** Pairs once, then a question for each: which word stood beside this one? */
function pairTurns(random: Random): Turn[] {
  const names = nameSource(random, 'training')
  const count = random.between(3, 8)
  const keys = random.chance(0.6)
    ? Array.from({ length: count }, () => names.next(random.chance(0.5)))
    : random.sample(words, count)
  const pairs = keys.map((key) => [key, drawWord(random, names.next)] as const)
  const asked = random.shuffle(pairs)
  const label = random.pick(['', 'Answer: '])
  const list = pairs.map(([key, value]) => `the ${key} is ${value}`).join(', ')
  return asked.map(([key, value], at) => [
    at === 0 ? `Pairs: ${list}.\n\nWhat is the ${key}?` : `What is the ${key}?`,
    label + value,
  ])
}

/** Are two words the same? */
function sameTurns(random: Random): Turn[] {
  const names = nameSource(random, 'training')
  return Array.from({ length: random.between(4, 8) }, (): Turn => {
    const word = drawWord(random, names.next)
    const isSame = random.chance(0.5)
    return [`Same: ${word}, ${isSame ? word : otherWord(word, random, names.next)}?`, isSame ? 'YES' : 'NO']
  })
}

/** Another word, which often looks alike. */
function otherWord(word: string, random: Random, name: (isCapitalised: boolean) => string): string {
  if (random.chance(0.5) && isName(word)) return similarName(word, random, 'training')
  if (random.chance(0.7) && /^\d+$/.test(word)) return similarNumber(word, random)
  for (;;) {
    const other = drawWord(random, name)
    if (other !== word) return other
  }
}

/** One line of a text at a time, judged by itself: does the answer say what the line says? */
function lineTurns(random: Random, { seed }: { seed: string }): Turn[] {
  const world = makeWorld({ seed, split: 'training', shape: { creature: 1, tool: 1, town: 1, person: 1 } })
  const names = nameSource(random, 'training')
  const drawName = (kind: Kind): string => names.next(isCapitalised(kind))
  return Array.from({ length: random.between(3, 6) }, (): Turn => {
    const fact = random.pick(world.facts)
    const line = tell(fact, random, random.chance(0.5))
    const isTrue = random.chance(0.5)
    const told = isTrue ? fact : corruptFact(fact, random, { nearby: world.facts, drawName })
    const { question, answer } = ask([told], random.chance(0.7) ? 'short' : 'sentence', random)
    return [
      `${line.text}\n\nQuestion: ${question}\nAnswer: ${answer}`,
      `Quote: ${line.core}\nVerdict: ${isTrue ? 'YES' : 'NO'}`,
    ]
  })
}

/** A chunk once, then its facts one by one: the sentence, and the value. */
function quoteTurns(random: Random, { seed, difficulty }: { seed: string; difficulty: number }): Turn[] {
  const scene = makeScene(seed, random, { split: 'training', difficulty })
  const told = scene.sections.flatMap((section) =>
    section.lines.flatMap((line) => (line.fact ? [{ text: line.core, fact: line.fact }] : [])),
  )
  const turns = random
    .shuffle(told)
    .map(
      ({ text, fact }): Turn => [
        `Question: ${phrase(random.pick(fact.attribute.questions), fact)}`,
        `Quote: ${text}\nAnswer: ${fact.value}`,
      ],
    )
  return turns.map(([user, answer], at) => [at === 0 ? `${scene.chunk}\n\n${user}` : user, answer])
}

function taskTurns(random: Random, tasks: readonly FoundationalTask[]): Turn[] {
  return Array.from({ length: 4 }, () => {
    const { question, answer } = makeTask(random.pick(tasks), random, { isHeldOut: false })
    return [question, answer]
  })
}
