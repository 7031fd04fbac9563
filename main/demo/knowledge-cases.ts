// Worked cases of the knowledge stages over a fresh small world each: questions and answers read from a chunk, and judgements of good
// and corrupted pairs in equal shares.

import { attributesOf, type Kind, kinds, valueSet } from './attributes.ts'
import type { StageCase } from './cases.ts'
import { corruptFact, untold, writeSection, type Line, type Section } from './documents.ts'
import { nameSource, type NameSplit, similarName } from './names.ts'
import type { Random } from './random.ts'
import { factsOf, isCapitalised, makeWorld, mention, phrase, type Entity, type Fact, type World } from './world.ts'

/** A question and an answer, and the facts they rest on (the first is what the question asks for). */
export interface QaPair {
  question: string
  answer: string
  facts: Fact[]
}
/** `short`: the bare value. `sentence`: a whole sentence. `description`: two or three sentences. */
export const answerStyles = ['short', 'sentence', 'description'] as const
type AnswerStyle = (typeof answerStyles)[number]

const descriptionQuestions = ['Tell me about {e}.', 'Describe {e}.']

/** Is this one of the ways to ask for a description of the thing? */
export function isDescriptionOf(question: string, entity: Entity): boolean {
  return descriptionQuestions.some((form) => form.replace('{e}', mention(entity)) === question)
}

/** What a chunk of an unseen document gives to ask about. */
export interface Scene {
  world: World
  sections: Section[]
  chunk: string
  drawName: (kind: Kind) => string
  /** A name that looks like this one. */
  drawSimilar: (name: string) => string
}

export interface SceneOptions {
  split: NameSplit
  difficulty: number
}

/** Makes a small world and one chunk of it. `difficulty` 0 gives three facts and no distractor, 1 the full language. */
export function makeScene(seed: string, random: Random, options: SceneOptions): Scene {
  const main = random.pick(kinds)
  const shape = { creature: 1, tool: 1, town: 1, person: 1 }
  shape[main] = 2
  const world = makeWorld({ seed, split: options.split, shape })
  const isFull = random.chance(options.difficulty)
  const entities = random
    .shuffle(world.entities.filter((entity) => entity.kind === main))
    .slice(0, isFull && random.chance(0.35) ? 2 : 1)
  const sections = entities.map((entity) => sectionOf(world, entity, { random, isFull }))
  const title = random.chance(0.3) ? `# ${drawTitle(world, random)}\n\n` : ''
  const names = nameSource(random, options.split)
  return {
    world,
    sections,
    chunk: title + sections.map((section) => section.text).join('\n\n'),
    drawName: (kind) => names.next(isCapitalised(kind)),
    drawSimilar: (name) => similarName(name, random, options.split),
  }
}

function drawTitle(world: World, random: Random): string {
  const title = random.pick([
    'Creatures',
    'Tools',
    'Towns',
    'People',
    'Notes',
    'Towns and people',
    'Tools and creatures',
  ])
  return random.chance(0.5) ? title : `${title} of ${world.entities.find((entity) => entity.kind === 'town')?.name}`
}

function sectionOf(world: World, entity: Entity, { random, isFull }: { random: Random; isFull: boolean }): Section {
  const all = factsOf(world, entity)
  const facts = random.sample(all, isFull ? random.between(4, all.length) : 3)
  const others = world.facts.filter((fact) => fact.entity !== entity)
  const sameKind = others.filter((fact) => fact.entity.kind === entity.kind)
  const distractor = isFull && random.chance(0.6) ? random.pick(random.chance(0.6) ? sameKind : others) : undefined
  return writeSection({
    world,
    entity,
    random,
    facts,
    hasTable: isFull && random.chance(0.2),
    hasIntroduction: !isFull || random.chance(0.85),
    ...(distractor ? { distractor } : {}),
  })
}

/** A true question and answer about facts in the teacher's own forms. */
export function ask(facts: Fact[], style: AnswerStyle, random: Random): QaPair {
  const fact = facts[0] as Fact
  if (style === 'description') {
    const question = random.pick(descriptionQuestions).replace('{e}', mention(fact.entity))
    return { question, answer: describe(facts), facts }
  }
  return { question: phrase(random.pick(fact.attribute.questions), fact), answer: answerOf(fact, style), facts: [fact] }
}

function answerOf(fact: Fact, style: AnswerStyle): string {
  return style === 'short' ? fact.value : phrase(fact.attribute.sentence, fact)
}

function describe(facts: Fact[]): string {
  return facts
    .map((fact, index) =>
      index === 0 ? phrase(fact.attribute.sentence, fact) : phrase(fact.attribute.sentence, fact, fact.entity.pronoun),
    )
    .join(' ')
}

/** Draws a style; descriptions are rarer because they are longer. */
function drawStyle(random: Random): AnswerStyle {
  const roll = random.next()
  return roll < 0.5 ? 'short' : roll < 0.8 ? 'sentence' : 'description'
}

function toldFacts(section: Section): Fact[] {
  return section.lines.flatMap((line) => (line.fact?.entity === section.entity ? [line.fact] : []))
}

function drawPair(scene: Scene, random: Random, style = drawStyle(random)): QaPair {
  const told = random.shuffle(toldFacts(random.pick(scene.sections)))
  return ask(style === 'description' ? told.slice(0, random.between(2, 3)) : told.slice(0, 1), style, random)
}

/** A pair about something the chunk does not tell: another thing, or an attribute left out. */
function drawUntold(scene: Scene, random: Random): QaPair {
  const style = random.chance(0.6) ? 'short' : 'sentence'
  const section = random.pick(scene.sections)
  const missing = untold(section)
  if (missing.length > 0 && random.chance(0.4)) {
    const key = random.pick(missing)
    const fact = factsOf(scene.world, section.entity).find((candidate) => candidate.attribute.key === key)
    const isTold = scene.sections.some((other) => other.lines.some((line) => line.fact === fact))
    if (fact && !isTold) return ask([fact], style, random)
  }
  const fact = random.pick(toldFacts(section))
  return ask([{ ...fact, entity: strangerTo(scene, section.entity, random) }], style, random)
}

/** A thing of the same kind that the text does not speak of; half of them have names that look alike. */
function strangerTo(scene: Scene, entity: Entity, random: Random): Entity {
  return { ...entity, name: random.chance(0.5) ? scene.drawSimilar(entity.name) : scene.drawName(entity.kind) }
}

/** Another thing of the text where there is one, else a stranger. */
function otherThan(scene: Scene, entity: Entity, random: Random): Entity {
  const others = scene.sections.filter((section) => section.entity !== entity)
  return others.length > 0 && random.chance(0.5) ? random.pick(others).entity : strangerTo(scene, entity, random)
}

function lineOf(scene: Scene, fact: Fact): Line | undefined {
  return scene.sections
    .flatMap((section) => section.lines)
    .find((line) => line.fact?.entity === fact.entity && line.fact.attribute === fact.attribute)
}

/** Replaces one value of a pair by a wrong one; the wrong fact comes first in `facts`. */
function corruptPair(scene: Scene, pair: QaPair, random: Random): QaPair {
  const index = random.chance(0.6) ? 0 : random.between(0, pair.facts.length - 1)
  const wrong = wrongFact(scene, pair.facts[index] as Fact, random)
  const facts = pair.facts.map((fact, at) => (at === index ? wrong : fact))
  const isShort = pair.facts.length === 1 && pair.answer === pair.facts[0]?.value
  const answer = pair.facts.length > 1 ? describe(facts) : answerOf(wrong, isShort ? 'short' : 'sentence')
  return { question: pair.question, answer, facts: [wrong] }
}

/** A wrong value: often what the text says of another thing, or a name that looks alike. */
function wrongFact(scene: Scene, fact: Fact, random: Random): Fact {
  const nearby = scene.sections.flatMap((section) => section.lines.flatMap((line) => (line.fact ? [line.fact] : [])))
  const confused = nearby.filter((other) => other.attribute === fact.attribute && other.value !== fact.value)
  if (confused.length > 0 && random.chance(0.6)) return { ...fact, value: random.pick(confused).value }
  const drawName = (kind: Kind): string => (random.chance(0.5) ? scene.drawSimilar(fact.value) : scene.drawName(kind))
  return corruptFact(fact, random, { nearby, drawName })
}

/** The same answer told of another thing than the question's. The pair's answer has to be a sentence or a description. */
function misname(scene: Scene, pair: QaPair, random: Random): QaPair & { other: Entity } {
  const asked = (pair.facts[0] as Fact).entity
  const other = otherThan(scene, asked, random)
  const facts = pair.facts.map((fact) => ({ ...fact, entity: other }))
  const answer = facts.length > 1 ? describe(facts) : answerOf(facts[0] as Fact, 'sentence')
  return { ...pair, answer, other }
}

export function qaCase(scene: Scene, random: Random): StageCase {
  const style = drawStyle(random)
  const pair = drawPair(scene, random, style)
  const shown = scene.sections.map((section) => section.entity)
  const others = scene.world.entities.filter((entity) => !shown.includes(entity))
  const sameKind = others.filter((entity) => entity.kind === shown[0]?.kind)
  const other = random.chance(0.25)
    ? (shown[0] as Entity)
    : random.pick(sameKind.length > 0 && random.chance(0.6) ? sameKind : others)
  const facts = random.shuffle(factsOf(scene.world, other)).slice(0, style === 'description' ? random.between(2, 3) : 1)
  const example = ask(facts, style, random)
  return {
    stage: 'knowledge-qa',
    variables: { chunk: scene.chunk },
    examples: [{ question: example.question, answer: example.answer }],
    output: { question: pair.question, answer: pair.answer },
  }
}

export function faithfulCase(scene: Scene, random: Random): StageCase {
  const isGood = random.chance(0.5)
  const fault = random.next()
  const isUntold = !isGood && fault < 0.25
  const isMisnamed = !isGood && fault > 0.8
  const base = isUntold
    ? drawUntold(scene, random)
    : drawPair(scene, random, isMisnamed ? random.pick(['sentence', 'description'] as const) : drawStyle(random))
  const pair = isGood || isUntold ? base : isMisnamed ? misname(scene, base, random) : corruptPair(scene, base, random)
  const line = isUntold ? undefined : lineOf(scene, pair.facts[0] as Fact)
  const variables = { chunk: scene.chunk, question: pair.question, answer: pair.answer }
  return {
    stage: 'knowledge-faithful',
    variables,
    examples: [],
    output: { quote: line?.core ?? 'none', verdict: isGood ? 'YES' : 'NO' },
  }
}

const relevanceStyles = ['short', 'short', 'sentence', 'sentence', 'description'] as const

export function relevantCase(scene: Scene, random: Random): StageCase {
  const good = drawPair(scene, random, random.pick(relevanceStyles))
  const isWrongValue = random.chance(0.3)
  const shown = isWrongValue ? corruptPair(scene, good, random) : good
  const judged = random.chance(0.5)
    ? { pair: shown, reason: praise(good), verdict: 'YES' }
    : { ...spoil(scene, good, random), verdict: 'NO' }
  const variables = { chunk: scene.chunk, question: judged.pair.question, answer: judged.pair.answer }
  return {
    stage: 'knowledge-relevant',
    variables,
    examples: [],
    output: { reason: judged.reason, verdict: judged.verdict },
  }
}

function praise(pair: QaPair): string {
  const fact = pair.facts[0] as Fact
  if (isDescriptionOf(pair.question, fact.entity)) return `It asks about ${mention(fact.entity)} and gets it.`
  return `It asks for the ${fact.attribute.noun} of ${mention(fact.entity)} and gets it.`
}

function spoil(scene: Scene, pair: QaPair, random: Random): { pair: QaPair; reason: string } {
  const fact = pair.facts[0] as Fact
  const isShort = pair.answer === fact.value
  const isDescription = isDescriptionOf(pair.question, fact.entity)
  if (random.chance(0.35)) {
    const stranger = strangerTo(scene, fact.entity, random)
    const facts = pair.facts.map((told) => ({ ...told, entity: stranger }))
    const asked = ask(facts, isShort ? 'short' : isDescription ? 'description' : 'sentence', random)
    return { pair: asked, reason: `The text is not about ${mention(stranger)}.` }
  }
  if (isDescription || (!isShort && random.chance(0.5))) {
    const wrong = misname(scene, pair, random)
    return { pair: wrong, reason: `It asks about ${mention(fact.entity)} but tells of ${mention(wrong.other)}.` }
  }
  const others = attributesOf(fact.entity.kind).filter(
    (other) => other.values.kind !== fact.attribute.values.kind || other.values.kind === 'set',
  )
  const usable = others.filter((other) => JSON.stringify(other.values) !== JSON.stringify(fact.attribute.values))
  const other = random.pick(usable)
  const otherFact = factsOf(scene.world, fact.entity).find((candidate) => candidate.attribute === other) as Fact
  const answer = isShort ? otherFact.value : phrase(other.sentence, otherFact)
  return { pair: { ...pair, answer }, reason: `It asks for the ${fact.attribute.noun} but gets the ${other.noun}.` }
}

const kindNoun: Record<Kind, string> = { creature: 'creature', tool: 'tool', town: 'town', person: 'person' }

export function selfContainedCase(scene: Scene, random: Random): StageCase {
  const fact = random.pick(scene.world.facts)
  const isGood = random.chance(0.5)
  const template = random.pick(fact.attribute.questions)
  const vague = random.pick([
    fact.entity.kind === 'person' ? fact.entity.pronoun.toLowerCase() : 'it',
    `this ${kindNoun[fact.entity.kind]}`,
    `the ${kindNoun[fact.entity.kind]}`,
  ])
  const bad = random.chance(0.2)
    ? random.pick([
        'What does the text say?',
        'What is in the table?',
        'What does the second sentence say?',
        'Who is named in the text?',
      ])
    : random.chance(0.1)
      ? random.pick(descriptionQuestions).replace('{e}', vague)
      : template.replace('{e}', vague)
  const good = random.chance(0.2)
    ? random.pick(descriptionQuestions).replace('{e}', mention(fact.entity))
    : phrase(template, fact)
  return {
    stage: 'knowledge-self-contained',
    variables: { question: isGood ? good : bad },
    examples: [],
    output: { verdict: isGood ? 'YES' : 'NO' },
  }
}

/** Three different wrong values for a fact. */
export function wrongValues(fact: Fact, random: Random, drawName: (kind: Kind) => string): string[] {
  const wrong = new Set<string>()
  while (wrong.size < 3) wrong.add(corruptFact(fact, random, { nearby: [], drawName }).value)
  return [...wrong]
}

/** The three values that follow in the closed set or by number: choices one can be exact about. Undefined for names. */
function followingValues(fact: Fact): string[] | undefined {
  const source = fact.attribute.values
  if (source.kind === 'name') return undefined
  const set = valueSet(fact.attribute) ?? []
  const step = (by: number) =>
    source.kind === 'number'
      ? String(Number(fact.value) + by)
      : (set[(set.indexOf(fact.value) + by) % set.length] ?? '')
  return [step(1), step(2), step(3)]
}

export function choiceCase(scene: Scene, random: Random): StageCase {
  const pair = drawPair(scene, random, 'short')
  const fact = pair.facts[0] as Fact
  const [wrong1 = '', wrong2 = '', wrong3 = ''] = followingValues(fact) ?? wrongValues(fact, random, scene.drawName)
  const variables = { chunk: scene.chunk, question: pair.question, answer: pair.answer }
  return { stage: 'knowledge-choice', variables, examples: [], output: { wrong1, wrong2, wrong3 } }
}

export function verifyCase(scene: Scene, random: Random): StageCase {
  const pair = drawPair(scene, random, 'short')
  const fact = pair.facts[0] as Fact
  const [a = '', b = '', c = '', d = ''] = random.shuffle([fact.value, ...wrongValues(fact, random, scene.drawName)])
  const line = lineOf(scene, fact)
  const letter = 'ABCD'[[a, b, c, d].indexOf(fact.value)] ?? 'A'
  const variables = { chunk: scene.chunk, question: pair.question, a, b, c, d }
  return {
    stage: 'choice-verify',
    variables,
    examples: [],
    output: { quote: line?.core ?? 'none', letter },
  }
}
