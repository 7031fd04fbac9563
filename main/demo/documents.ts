// Writes Markdown from a world: one document per list of things, one section per thing, its facts in varied order and words, a sentence
// about something else now and then, sometimes a small table. Remembers which sentence states which fact.

import { attributesOf, type Kind } from './attributes.ts'
import { capitalise } from './names.ts'
import type { Random } from './random.ts'
import { drawValue, factsOf, phrase, type Entity, type Fact, type World } from './world.ts'

/** One sentence or table row of a section, and the fact it states (none for an introduction). */
export interface Line {
  text: string
  /** The part that states the fact: the sentence without the thing it begins with. */
  core: string
  fact: Fact | null
}
export interface Section {
  entity: Entity
  /** Everything stated, in order of appearance. */
  lines: Line[]
  /** The Markdown of the section, with its heading. */
  text: string
}
export interface WorldDocument {
  name: string
  title: string
  sections: Section[]
  text: string
}

const introductions: Record<Kind, readonly string[]> = {
  creature: ['This is a creature.', 'Few have seen this creature.'],
  tool: ['This is a tool.', 'Every house has this tool.'],
  town: ['This is a town.', 'The road ends in this town.'],
  person: ['This is a person.', 'Many know this person.'],
}

/** Writes one section. `facts` limits what is told; a distractor is a true sentence about another thing of the world. */
export function writeSection(options: {
  world: World
  entity: Entity
  random: Random
  facts?: Fact[]
  hasTable?: boolean
  hasIntroduction?: boolean
  distractor?: Fact
}): Section {
  const { entity, random } = options
  const facts = random.shuffle(options.facts ?? factsOf(options.world, entity))
  const tabled = options.hasTable ? facts.splice(0, Math.min(3, Math.floor(facts.length / 2))) : []
  const { distractor } = options
  const interruption = distractor ? random.between(0, facts.length) : -1
  // After a sentence about something else a pronoun would speak of that; the thing is named again.
  const told: Line[] = facts.map((fact, at) => tell(fact, random, at > 0 && at !== interruption && random.chance(0.6)))
  if (distractor) told.splice(interruption, 0, tell(distractor, random, false))
  const opening = random.pick(introductions[entity.kind])
  const introduction: Line[] = options.hasIntroduction === false ? [] : [{ text: opening, core: opening, fact: null }]
  const rows: Line[] = tabled.map((fact) => {
    const row = `| ${fact.attribute.noun} | ${fact.value} |`
    return { text: row, core: row, fact }
  })
  const prose = [...introduction, ...told].map((line) => line.text).join(' ')
  const table = rows.length > 0 ? `\n\n| ${entity.name} | |\n|---|---|\n${rows.map((row) => row.text).join('\n')}` : ''
  return { entity, lines: [...introduction, ...told, ...rows], text: `## ${entity.name}\n\n${prose}${table}` }
}

/** Writes a whole document about the given things. */
export function writeDocument(options: {
  world: World
  name: string
  title: string
  entities: Entity[]
  random: Random
}): WorldDocument {
  const { world, random } = options
  const sections = options.entities.map((entity, index) => {
    const others = world.facts.filter((fact) => fact.entity !== entity)
    const distractor = random.chance(0.5) ? random.pick(others) : undefined
    return writeSection({ world, entity, random, hasTable: index % 4 === 2, ...(distractor ? { distractor } : {}) })
  })
  const text = [`# ${options.title}`, ...sections.map((section) => section.text)].join('\n\n')
  return { name: options.name, title: options.title, sections, text: `${text}\n` }
}

/** One sentence stating a fact; with `usesPronoun` the thing is only `It`, `He` or `She`. */
export function tell(fact: Fact, random: Random, usesPronoun: boolean): Line {
  const template = random.pick(fact.attribute.statements)
  const isPronoun = usesPronoun && template.startsWith('{s}')
  const text = isPronoun ? phrase(template, fact, fact.entity.pronoun) : capitalise(phrase(template, fact))
  const core = template.startsWith('{s} ') ? phrase(template.slice(4), fact) : text
  return { text, core, fact }
}

/** A fact the world does not hold: the same thing and attribute with another value. */
export function corruptFact(
  fact: Fact,
  random: Random,
  { nearby, drawName }: { nearby: readonly Fact[]; drawName: (kind: Kind) => string },
): Fact {
  if (fact.attribute.values.kind === 'number' && random.chance(0.5))
    return { ...fact, value: similarNumber(fact.value, random) }
  const same = nearby.filter(
    (other) =>
      other.value !== fact.value && JSON.stringify(other.attribute.values) === JSON.stringify(fact.attribute.values),
  )
  if (same.length > 0 && random.chance(0.3)) return { ...fact, value: random.pick(same).value }
  for (;;) {
    const value = drawValue(fact.attribute, random, drawName)
    if (value !== fact.value) return { ...fact, value }
  }
}

/** A number that differs in one digit. */
export function similarNumber(value: string, random: Random): string {
  const at = random.between(0, value.length - 1)
  for (;;) {
    const digit = String(random.between(at === 0 ? 1 : 0, 9))
    if (digit !== value[at]) return value.slice(0, at) + digit + value.slice(at + 1)
  }
}

/** Attributes of the same kind of thing that a section does not mention of it. */
export function untold(section: Section): string[] {
  const told = new Set(
    section.lines.flatMap((line) => (line.fact?.entity === section.entity ? [line.fact.attribute.key] : [])),
  )
  return attributesOf(section.entity.kind).flatMap((attribute) => (told.has(attribute.key) ? [] : [attribute.key]))
}
