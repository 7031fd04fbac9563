// The student's corpus: questions about given texts, lore of other worlds asked in every form (so that it can be taught facts later),
// and the foundational tasks. Each row is a pure function of (seed, row number); no row holds a name of the demo world.

import type { CorpusRow } from './corpus.ts'
import { chatPrompt } from './corpus.ts'
import { type FoundationalTask, foundationalTasks, goods, makeTask } from './foundational.ts'
import { drillRow } from './drills.ts'
import { nameSource } from './names.ts'
import { ask, makeScene } from './knowledge-cases.ts'
import { randomOf, type Random } from './random.ts'
import { factsOf, makeWorld, mention, phrase, type Fact, type World } from './world.ts'

const loreWorldCount = 8
const loreShape = { creature: 4, tool: 4, town: 4, person: 4 }

/** The fixed worlds whose facts the student learns by heart while it learns the language. */
export function loreWorlds(): World[] {
  return Array.from({ length: loreWorldCount }, (_, index) =>
    makeWorld({ seed: `lore-${index}`, split: 'training', shape: loreShape }),
  )
}

interface Turn {
  user: string
  answer: string
}

/** Row `index` of the student's corpus. */
export function studentRow(
  lore: readonly World[],
  { seed, index, isFinishing }: { seed: string; index: number; isFinishing: boolean },
): CorpusRow {
  const random = randomOf(`student:${seed}:${index}`)
  const roll = random.next()
  if (isFinishing) return finishingRow(lore, `student:${seed}:${index}`, random)
  const turns =
    roll < 0.4
      ? [taskTurn(random)]
      : roll < 0.8
        ? [loreTurn(lore, random)]
        : openBookTurns(`student:${seed}:${index}`, random)
  return rowOf(turns)
}

/** The last part: more sums, which are learnt slowest, and more copying from a given text. */
function finishingRow(lore: readonly World[], seed: string, random: Random): CorpusRow {
  const roll = random.next()
  if (roll < 0.12) return drillRow(seed, { difficulty: 1 })
  if (roll < 0.2) return rowOf(amountTurns(random))
  if (roll < 0.3) return rowOf(openBookTurns(seed, random))
  if (roll < 0.5) return rowOf([loreTurn(lore, random)])
  const tasks = random.chance(0.6) ? (['addition'] as const) : foundationalTasks
  return rowOf(Array.from({ length: 3 }, () => taskTurn(random, tasks)))
}

/** Amounts stated in a line or two, asked for one by one. */
function amountTurns(random: Random): Turn[] {
  const names = nameSource(random, 'training')
  const amounts = Array.from({ length: random.between(2, 3) }, () => random.between(2, 40))
  const isPrice = random.chance(0.5)
  const owners = isPrice ? random.sample(goods, amounts.length) : amounts.map(() => names.next(true))
  const good = `${random.pick(goods.filter((word) => !/[hs]$/.test(word)))}s`
  const article = (noun: string): string => (/^[aeiou]/.test(noun) ? 'An' : 'A')
  const context = owners
    .map((owner, at) =>
      isPrice ? `${article(owner)} ${owner} costs ${amounts[at]} coins.` : `${owner} has ${amounts[at]} ${good}.`,
    )
    .join(' ')
  const turns = owners.map(
    (owner, at): Turn => ({
      user: isPrice ? `How much does the ${owner} cost?` : `How many ${good} does ${owner} have?`,
      answer: String(amounts[at]),
    }),
  )
  return random.shuffle(turns).map((turn, at) => (at === 0 ? { ...turn, user: `${context}\n\n${turn.user}` } : turn))
}

function rowOf(turns: Turn[]): CorpusRow {
  return {
    turns: turns.map(({ user, answer }, at) => ({
      prompt: (at > 0 ? '\n' : '') + chatPrompt('', user),
      response: `${answer}<|im_end|>`,
    })),
  }
}

function taskTurn(random: Random, tasks: readonly FoundationalTask[] = foundationalTasks): Turn {
  const { question, answer } = makeTask(random.pick(tasks), random, { isHeldOut: false })
  return { user: question, answer }
}

function loreTurn(lore: readonly World[], random: Random): Turn {
  const world = random.pick(lore)
  if (random.chance(0.15)) {
    const entity = random.pick(world.entities)
    const pair = ask(random.sample(factsOf(world, entity), random.between(2, 3)), 'description', random)
    return { user: pair.question, answer: pair.answer }
  }
  return questionTurn(random.pick(world.facts), random)
}

/** A question in any form, also those of the exams. */
function questionTurn(fact: Fact, random: Random): Turn {
  const forms = [...fact.attribute.questions, ...fact.attribute.examQuestions]
  return {
    user: phrase(random.pick(forms), fact),
    answer: random.chance(0.6) ? fact.value : phrase(fact.attribute.sentence, fact),
  }
}

/** Questions about one given text; the later ones do not show it again. */
function openBookTurns(seed: string, random: Random): Turn[] {
  const scene = makeScene(seed, random, { split: 'training', difficulty: 0.7 })
  const section = random.pick(scene.sections)
  const told = section.lines.flatMap((line) => (line.fact?.entity === section.entity ? [line.fact] : []))
  const turns = Array.from({ length: random.between(1, 4) }, () => questionTurn(random.pick(told), random))
  if (random.chance(0.2))
    turns.push({
      user: `Describe ${mention(section.entity)}.`,
      answer: ask(random.sample(told, 2), 'description', random).answer,
    })
  return turns.map((turn, at) => (at === 0 ? { ...turn, user: `${scene.chunk}\n\n${turn.user}` } : turn))
}
