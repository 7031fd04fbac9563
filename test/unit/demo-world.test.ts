import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { demoProject, demoWorld } from '../../main/demo/project.ts'
import { splitOf } from '../../main/demo/names.ts'
import { ask, answerStyles } from '../../main/demo/knowledge-cases.ts'
import { corruptFact } from '../../main/demo/documents.ts'
import { randomOf } from '../../main/demo/random.ts'
import { drawSkill, makeSkillPair } from '../../main/demo/skills.ts'
import { rightSkillAnswer } from '../../main/demo/skill-truth.ts'
import { truthOf } from '../../main/demo/truth.ts'
import { makeWorld, phrase } from '../../main/demo/world.ts'

const project = demoProject()

describe('demo world', () => {
  it('is the same on every call', () => {
    expect(JSON.stringify(demoProject())).toBe(JSON.stringify(project))
  })
  it('shares no name with any world used for training', () => {
    for (const { name } of demoWorld().entities) expect(splitOf(name)).toBe('held-out')
    for (let seed = 0; seed < 50; seed++) {
      const world = makeWorld({
        seed: String(seed),
        split: 'training',
        shape: { creature: 2, tool: 2, town: 2, person: 2 },
      })
      for (const { name } of world.entities) expect(splitOf(name)).toBe('training')
    }
  })
  it('states every one of its facts in its documents', () => {
    const text = project.leaves.flatMap((leaf) => leaf.documents.map((document) => document.text)).join('\n')
    for (const fact of project.world.facts) {
      const stated = [
        ...fact.attribute.statements.flatMap((form) => [phrase(form, fact), phrase(form, fact, fact.entity.pronoun)]),
        `| ${fact.attribute.noun} | ${fact.value} |`,
      ]
      expect(
        stated.some((sentence) => text.toLowerCase().includes(sentence.toLowerCase())),
        `${fact.entity.name} ${fact.attribute.key}`,
      ).toBe(true)
    }
  })
})

describe('oracle of truth', () => {
  it('calls every true answer true and every corrupted one false, in every style', () => {
    const random = randomOf('oracle')
    for (const fact of project.world.facts) {
      const second = project.world.facts.find((other) => other.entity === fact.entity && other !== fact)
      const facts = second ? [fact, second] : [fact]
      for (const style of answerStyles) {
        const good = ask(style === 'description' ? facts : [fact], style, random)
        expect(truthOf(project.world, good.question, good.answer), `${good.question} ${good.answer}`).toBe('true')
        const wrong = corruptFact(fact, random, { nearby: [], drawName: () => 'Nobody' })
        const bad = ask(style === 'description' ? [wrong, ...facts.slice(1)] : [wrong], style, random)
        expect(truthOf(project.world, bad.question, bad.answer), `${bad.question} ${bad.answer}`).toBe('false')
      }
    }
  })
  it('calls what it cannot read unknown', () => {
    expect(truthOf(project.world, 'What is love?', 'red')).toBe('unknown')
  })
  it('works out the answer of every skill problem from its text alone', () => {
    const random = randomOf('skills')
    for (let i = 0; i < 200; i++) {
      const skill = drawSkill(random)
      const names = ['Marlo', 'Tesel', 'Budor', 'Nikin']
      const made = makeSkillPair(skill, random, () => names.shift() ?? 'Kipel')
      expect(rightSkillAnswer(skill.style, made.context, made.question)).toBe(made.answer)
    }
  })
})

describe('demo project', () => {
  it('has version 3 files with at least five unique seeds a leaf', () => {
    for (const leaf of project.leaves) {
      const file = parse(leaf.qna) as { version: number; seed_examples: unknown[] }
      expect(file.version).toBe(3)
      expect(new Set(file.seed_examples.map((seed) => JSON.stringify(seed))).size, leaf.path).toBeGreaterThanOrEqual(5)
    }
  })
  it('asks no exam question that a seed or a dataset row asks', () => {
    const taught = new Set(
      project.leaves.flatMap((leaf) => [
        ...leaf.dataset.map((row) => row.question),
        ...(leaf.qna.match(/(?<=question: ").*(?="$)/gm) ?? []),
      ]),
    )
    for (const exam of project.exams.filter((candidate) => candidate.kind !== 'skill')) {
      for (const { question } of exam.questions) expect(taught.has(question), question).toBe(false)
    }
  })
  it('offers four different choices with the right one among them', () => {
    for (const { choices, accepted } of project.exams.find((exam) => exam.kind === 'choice')?.questions ?? []) {
      expect(new Set(choices).size).toBe(4)
      expect(choices).toContain(accepted[0])
    }
  })
})
