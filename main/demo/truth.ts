// The demo's oracle: says of a question and answer whether they are true in a world, by the language the world is written in. What it
// cannot read it calls unknown; it never guesses. Used to report how true accepted samples are, never to filter them.

import { attributesOf, type Attribute } from './attributes.ts'
import { isDescriptionOf } from './knowledge-cases.ts'
import { isName } from './names.ts'
import { factsOf, phrase, type Entity, type Fact, type World } from './world.ts'

export type Truth = 'true' | 'false' | 'unknown'

/** Is this answer to this question true in the world? */
export function truthOf(world: World, question: string, answer: string): Truth {
  const asked = findAsked(world, question.trim())
  if (!asked) return 'unknown'
  const text = answer.trim()
  if (asked.attribute) {
    const fact = world.facts.find(
      (candidate) => candidate.entity === asked.entity && candidate.attribute === asked.attribute,
    )
    if (!fact) return 'unknown'
    return answerTruth(fact, text)
  }
  const sentences = text.split(/(?<=\.) /)
  const truths = sentences.map((sentence) => sentenceTruth(world, asked.entity, sentence))
  if (truths.includes('false')) return 'false'
  return truths.every((truth) => truth === 'true') ? 'true' : 'unknown'
}

/** What a question asks for: an entity, and one attribute unless it asks for a description. */
function findAsked(world: World, question: string): { entity: Entity; attribute?: Attribute } | undefined {
  for (const entity of world.entities) {
    if (isDescriptionOf(question, entity)) return { entity }
    for (const fact of factsOf(world, entity)) {
      const forms = [...fact.attribute.questions, ...fact.attribute.examQuestions]
      if (forms.some((form) => phrase(form, fact) === question)) return { entity, attribute: fact.attribute }
    }
  }
  return undefined
}

function answerTruth(fact: Fact, text: string): Truth {
  const bare = text
    .replace(/\.$/, '')
    .replace(/^(?:an?|the|its) /i, '')
    .replace(/ (?:coins|legs|houses|years|years old)$/, '')
  if (!text.includes(' ') || bare === fact.value) return bare === fact.value ? 'true' : 'false'
  const stated = statedValue(fact.entity, fact.attribute, text)
  if (stated === undefined) return tellsOfAnother(fact, text) ? 'false' : 'unknown'
  return stated === fact.value ? 'true' : 'false'
}

/** Does the sentence answer for another thing than the one asked about? Whether that would be true does not matter. */
function tellsOfAnother({ entity, attribute }: Pick<Fact, 'entity' | 'attribute'>, text: string): boolean {
  const names = text.match(/\w+/g)?.filter(isName) ?? []
  return names.some((name) => {
    const other = { ...entity, name }
    return name !== entity.name && statedValue(other, attribute, text) !== undefined
  })
}

function sentenceTruth(world: World, entity: Entity, sentence: string): Truth {
  let truth: Truth = 'unknown'
  for (const attribute of attributesOf(entity.kind)) {
    const stated = statedValue(entity, attribute, sentence)
    const fact = world.facts.find((candidate) => candidate.entity === entity && candidate.attribute === attribute)
    if (stated !== undefined && stated === fact?.value) return 'true'
    if (stated !== undefined || tellsOfAnother({ entity, attribute }, sentence)) truth = 'false'
  }
  return truth
}

/** The value a sentence gives to an attribute of a thing, or undefined when it is no sentence about it. */
function statedValue(entity: Entity, attribute: Attribute, sentence: string): string | undefined {
  const marked = { entity, attribute, value: 'VALUE' }
  for (const template of [...attribute.statements, attribute.sentence]) {
    for (const start of [undefined, entity.pronoun]) {
      const text = phrase(template, marked, start)
      const pattern = `^${text
        .replace(/[.?*+^$()|[\]\\]/g, '\\$&')
        .replace(/\ba VALUE/, 'an? VALUE')
        .replace('VALUE', '(\\w+)')}$`
      const match = new RegExp(pattern, 'i').exec(sentence)
      if (match?.[1]) return match[1]
    }
  }
  return undefined
}
