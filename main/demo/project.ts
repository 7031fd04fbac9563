// The demo project: the taxonomy, documents, datasets and held-out exams of one small world whose truth is known. Everything is a
// function of the world's seed; exams ask in forms the teacher is not taught to write.

import { attributesOf } from './attributes.ts'
import { writeDocument, type WorldDocument } from './documents.ts'
import { foundationalTasks, makeTask, type FoundationalTask } from './foundational.ts'
import { answerStyles, ask, wrongValues } from './knowledge-cases.ts'
import { capitalise, nameSource } from './names.ts'
import { randomOf } from './random.ts'
import { demoStyles, makeSkillPair, skillOf, type Skill, type SkillPair } from './skills.ts'
import { factsOf, isCapitalised, makeWorld, phrase, type Fact, type World } from './world.ts'
import { writeKnowledgeQna, writeSkillQna, type KnowledgeSeed } from './qna-text.ts'

interface QuestionAnswer {
  question: string
  answer: string
}
export interface DemoLeaf {
  /** Taxonomy path without the file name. */
  path: string
  /** The leaf's qna.yaml, version 3. */
  qna: string
  attribution: string
  /** Markdown documents of a knowledge leaf. */
  documents: { name: string; text: string }[]
  /** Rows of a foundational leaf's dataset. */
  dataset: QuestionAnswer[]
  persona: 'precise' | 'creative'
}
interface DemoExamQuestion {
  leaf: string
  question: string
  accepted: string[]
  /** Four options of a multiple choice question, else empty. */
  choices: string[]
  context: string
}
export interface DemoExam {
  name: string
  kind: 'choice' | 'closed-book' | 'skill' | 'retention'
  questions: DemoExamQuestion[]
}
interface DemoProject {
  world: World
  leaves: DemoLeaf[]
  exams: DemoExam[]
}

const demoSeed = 'demo'
const documentPlans = [
  {
    leaf: 'knowledge/nature/creatures',
    name: 'creatures.md',
    title: 'Creatures',
    kinds: ['creature'],
    domain: 'creatures',
  },
  { leaf: 'knowledge/crafts/tools', name: 'tools.md', title: 'Tools', kinds: ['tool'], domain: 'tools' },
  {
    leaf: 'knowledge/places/towns',
    name: 'towns.md',
    title: 'Towns and people',
    kinds: ['town', 'person'],
    domain: 'towns and people',
  },
] as const
const taskPaths: Record<FoundationalTask, string> = {
  addition: 'foundational_skills/arithmetic/addition',
  number_order: 'foundational_skills/arithmetic/number_order',
  word_order: 'foundational_skills/language/word_order',
  reversal: 'foundational_skills/language/reversal',
}
const skillPaths: Record<Skill['style']['family'], string> = {
  bill: 'compositional_skills/trade/bill',
  ranking: 'compositional_skills/trade/ranking',
  list: 'compositional_skills/household/shopping_list',
  sign: 'compositional_skills/household/door_sign',
}
const datasetRowCount = 200
const retentionQuestionCount = 90
const skillQuestionCount = 30

/** The world of the demo. */
export function demoWorld(): World {
  return makeWorld({ seed: demoSeed, split: 'held-out', shape: { creature: 4, tool: 4, town: 3, person: 3 } })
}

/** The skill that a leaf of the demo teaches. */
export function demoSkillOf(leaf: string): Skill | undefined {
  return demoStyles.map(skillOf).find(({ style }) => skillPaths[style.family] === leaf)
}

/** The whole demo project. Equal on every call. */
export function demoProject(): DemoProject {
  const world = demoWorld()
  const written = documentPlans.map((plan) => ({ plan, document: writePlan(world, plan) }))
  const skills = demoStyles.map(skillOf)
  return {
    world,
    leaves: [
      ...written.map(({ plan, document }) => knowledgeLeaf(world, plan, document)),
      ...foundationalTasks.map(foundationalLeaf),
      ...skills.map(skillLeaf),
    ],
    exams: [
      ...written.map(({ plan, document }) => closedBookExam(plan, factsIn(world, document))),
      choiceExam(written.map(({ plan, document }) => ({ leaf: plan.leaf, facts: factsIn(world, document) }))),
      skillExam(skills),
      retentionExam(),
    ],
  }
}

type Plan = (typeof documentPlans)[number]

function writePlan(world: World, plan: Plan): WorldDocument {
  const entities = world.entities.filter((entity) => plan.kinds.some((kind) => kind === entity.kind))
  return writeDocument({
    world,
    name: plan.name,
    title: plan.title,
    entities,
    random: randomOf(`document:${world.seed}:${plan.name}`),
  })
}

function factsIn(world: World, document: WorldDocument): Fact[] {
  return document.sections.flatMap((section) => factsOf(world, section.entity))
}

function leafOf(path: string, parts: Partial<DemoLeaf> & { qna: string }): DemoLeaf {
  const attribution = `Title of work: ${path.split('/').at(-1)}\nLink to work: -\nRevision: 1\nLicense of the work: CC0-1.0\nCreator names: Labdesk demo world\n`
  return { path, attribution, documents: [], dataset: [], persona: 'precise', ...parts }
}

function knowledgeLeaf(world: World, plan: Plan, document: WorldDocument): DemoLeaf {
  const random = randomOf(`seeds:${world.seed}:${plan.name}`)
  const seeds: KnowledgeSeed[] = Array.from({ length: 6 }, (_, index) => {
    const section = document.sections[index % document.sections.length] as (typeof document.sections)[number]
    const own = section.lines.filter((line) => line.fact?.entity === section.entity)
    const round = Math.floor(index / document.sections.length)
    const half = document.sections.length < 6 ? own.slice(round * 3, round * 3 + 3) : own.slice(0, 3)
    const lines = half.length === 3 ? half : own.slice(-3)
    const facts = lines.flatMap((line) => (line.fact ? [line.fact] : []))
    const pairs = answerStyles.map((style, at) =>
      ask(style === 'description' ? facts.slice(0, 2) : [facts[(at + 1) % 3] as Fact], style, random),
    )
    const context = `## ${section.entity.name}\n\n${lines.map((line) => line.text).join(lines.some((line) => line.text.startsWith('|')) ? '\n' : ' ')}`
    return { context, pairs }
  })
  const qna = writeKnowledgeQna({
    domain: plan.domain,
    outline: `${plan.title} of an invented world`,
    document: plan.name,
    seeds,
  })
  return leafOf(plan.leaf, { qna, documents: [{ name: document.name, text: document.text }] })
}

function foundationalLeaf(task: FoundationalTask): DemoLeaf {
  const random = randomOf(`dataset:${task}`)
  const rows = new Map<string, QuestionAnswer>()
  while (rows.size < datasetRowCount) {
    const { question, answer } = makeTask(task, random, { isHeldOut: false })
    rows.set(question, { question, answer })
  }
  const dataset = [...rows.values()]
  const description = {
    addition: 'Add two numbers',
    number_order: 'Put numbers in order',
    word_order: 'Put words in alphabetical order',
    reversal: 'Reverse a list',
  }[task]
  return leafOf(taskPaths[task], { qna: writeSkillQna(description, dataset.slice(0, 5)), dataset })
}

function skillPairs(skill: Skill, seed: string, count: number): SkillPair[] {
  const random = randomOf(seed)
  const pairs = new Map<string, SkillPair>()
  while (pairs.size < count) {
    const names = nameSource(random, 'held-out')
    const made = makeSkillPair(skill, random, () => names.next(true))
    pairs.set(`${made.context}|${made.question}`, made)
  }
  return [...pairs.values()]
}

function skillLeaf(skill: Skill): DemoLeaf {
  const seeds = skillPairs(skill, `seeds:${skill.style.family}`, 6)
  return leafOf(skillPaths[skill.style.family], {
    qna: writeSkillQna(skill.task, seeds),
    persona: skill.style.family === 'sign' ? 'creative' : 'precise',
  })
}

function closedBookExam(plan: Plan, facts: Fact[]): DemoExam {
  const questions = facts.map((fact, index) => ({
    leaf: plan.leaf,
    question: examQuestion(fact, index),
    accepted: [fact.value],
    choices: [],
    context: '',
  }))
  return { name: `${capitalise(plan.title)}, closed book`, kind: 'closed-book', questions }
}

function examQuestion(fact: Fact, index: number): string {
  const forms = fact.attribute.examQuestions
  return phrase(forms[index % forms.length] as string, fact)
}

function choiceExam(parts: { leaf: string; facts: Fact[] }[]): DemoExam {
  const random = randomOf('exam:choice')
  const questions = parts.flatMap(({ leaf, facts }) =>
    facts.map((fact, index) => {
      const names = nameSource(random, 'held-out')
      const wrong = wrongFromWorld(fact, facts) ?? wrongValues(fact, random, (kind) => names.next(isCapitalised(kind)))
      return {
        leaf,
        question: examQuestion(fact, index + 1),
        accepted: [fact.value],
        choices: random.shuffle([fact.value, ...wrong.slice(0, 3)]),
        context: '',
      }
    }),
  )
  return { name: 'Facts, multiple choice', kind: 'choice', questions }
}

/** Wrong names come from the same world where it has enough, so that a known name alone does not betray the answer. */
function wrongFromWorld(fact: Fact, facts: Fact[]): string[] | undefined {
  if (fact.attribute.values.kind !== 'name') return undefined
  const same = new Set(
    facts
      .filter(
        (other) =>
          other.attribute.values.kind === 'name' &&
          attributesOf(fact.entity.kind).includes(other.attribute) &&
          other.attribute === fact.attribute,
      )
      .map((other) => other.value),
  )
  same.delete(fact.value)
  return same.size >= 3 ? [...same] : undefined
}

function skillExam(skills: Skill[]): DemoExam {
  const questions = skills.flatMap((skill) => {
    const known = new Set(
      skillPairs(skill, `seeds:${skill.style.family}`, 6).map((seed) => seed.context + seed.question),
    )
    const fresh = skillPairs(skill, `exam:${skill.style.family}`, skillQuestionCount).filter(
      (made) => !known.has(made.context + made.question),
    )
    return fresh.map((made) => ({
      leaf: skillPaths[skill.style.family],
      question: made.question,
      accepted: [made.answer],
      choices: [],
      context: made.context,
    }))
  })
  return { name: 'Skills', kind: 'skill', questions }
}

function retentionExam(): DemoExam {
  const random = randomOf('exam:retention')
  const questions = foundationalTasks.flatMap((task) => {
    const rows = new Map<string, DemoExamQuestion>()
    while (rows.size < retentionQuestionCount) {
      const { question, answer } = makeTask(task, random, { isHeldOut: true })
      rows.set(question, { leaf: taskPaths[task], question, accepted: [answer], choices: [], context: '' })
    }
    return [...rows.values()]
  })
  return { name: 'Retention of foundational tasks', kind: 'retention', questions }
}
