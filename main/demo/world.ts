// A small invented world as a function of a seed: things of four kinds with facts about them. Whatever is true is in `facts`; nothing
// else is. Names are drawn from one half of the name split, so worlds of different halves share no name.

import { attributesOf, kinds, valueSet, type Attribute, type Kind } from './attributes.ts'
import { nameSource, type NameSource, type NameSplit } from './names.ts'
import { randomOf, type Random } from './random.ts'

export interface Entity {
  kind: Kind
  name: string
  /** `He` or `She` for people, `It` for the rest. */
  pronoun: string
}
export interface Fact {
  entity: Entity
  attribute: Attribute
  value: string
}
export interface World {
  seed: string
  split: NameSplit
  entities: Entity[]
  facts: Fact[]
}
type WorldShape = Record<Kind, number>

/** Makes the world of a seed. Relations point inside the world where it has a thing of that kind, else to a name of their own. */
export function makeWorld(options: { seed: string; split: NameSplit; shape: WorldShape }): World {
  const random = randomOf(`world:${options.seed}`)
  const names = nameSource(random, options.split)
  const entities = kinds.flatMap((kind) =>
    Array.from({ length: options.shape[kind] }, () => makeEntity(kind, random, names)),
  )
  const drawName = (kind: Kind, self: Entity): string => {
    const others = entities.filter((entity) => entity.kind === kind && entity !== self)
    return others.length > 0 && random.chance(0.7) ? random.pick(others).name : names.next(isCapitalised(kind))
  }
  const facts = entities.flatMap((entity) => {
    const draw = (attribute: Attribute) => drawValue(attribute, random, (kind) => drawName(kind, entity))
    return attributesOf(entity.kind).map((attribute) => ({ entity, attribute, value: draw(attribute) }))
  })
  return { seed: options.seed, split: options.split, entities, facts }
}

/** A value the attribute may have. */
export function drawValue(attribute: Attribute, random: Random, drawName: (kind: Kind) => string): string {
  const source = attribute.values
  if (source.kind === 'number') return String(random.between(source.min, source.max))
  if (source.kind === 'name') return drawName(source.of)
  return random.pick(valueSet(attribute) ?? [])
}

export function factsOf(world: World, entity: Entity): Fact[] {
  return world.facts.filter((fact) => fact.entity === entity)
}

/** The entity inside a sentence: `the dovin`, `Marlo`. */
export function mention(entity: Entity): string {
  return isCapitalised(entity.kind) ? entity.name : `the ${entity.name}`
}

/** The entity at the start of a sentence: `The dovin`, `Marlo`. */
export function subject(entity: Entity): string {
  return isCapitalised(entity.kind) ? entity.name : `The ${entity.name}`
}

/** Fills `{s}`, `{e}`, `{v}` and repairs the article before a vowel. */
export function phrase(template: string, fact: Fact, start = subject(fact.entity)): string {
  const text = template.replace('{s}', start).replace('{e}', mention(fact.entity)).replace('{v}', fact.value)
  return text.replace(/\ba (?=[aeiou])/g, 'an ')
}

export function isCapitalised(kind: Kind): boolean {
  return kind === 'town' || kind === 'person'
}

function makeEntity(kind: Kind, random: Random, names: NameSource): Entity {
  const pronoun = kind === 'person' ? random.pick(['He', 'She']) : 'It'
  return { kind, name: names.next(isCapitalised(kind)), pronoun }
}
