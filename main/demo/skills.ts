// Compositional skills: a family fixes what is worked out (a sum, a ranking, an alphabetical list, a sign), a style fixes the words and
// marks around it. Answers are checkable. The demo's styles are apart from all styles the teacher is trained on.

import { goods } from './foundational.ts'
import { capitalise } from './names.ts'
import type { Random } from './random.ts'

const skillFamilies = ['bill', 'ranking', 'list', 'sign'] as const
type SkillFamily = (typeof skillFamilies)[number]

/** Words and marks of one leaf. */
export interface SkillStyle {
  family: SkillFamily
  /** Opens every answer, e.g. `Notice`. */
  label: string
  /** Between the label and the rest. */
  opening: string
  /** Between parts of the answer. */
  separator: string
  /** Closes every answer; may be empty. */
  closing: string
  /** Names the sum of a bill. */
  sumWord: string
  /** Index of the wording of questions. */
  wording: number
}

/** One worked problem of a skill. `reason` is the working a judge writes. */
export interface SkillPair {
  context: string
  question: string
  answer: string
  /** The answer without label and marks: correct but terse. */
  terse: string
  reason: string
}
export interface Skill {
  style: SkillStyle
  task: string
  isGrounded: boolean
}

const trainingLabels = [
  'Memo',
  'Card',
  'Slip',
  'Tag',
  'Report',
  'Entry',
  'Post',
  'Sheet',
  'Plan',
  'Board',
  'Page',
  'Label',
  'Paper',
  'Letter',
  'Line',
]
const trainingSeparators = [', ', ' | ', ' / ', ' and ', ' + ', ' - ']
const openings = [': ', ' - ', ' = ', ' > ']
const closings = ['.', '', '!', ' #', ' ok']
const sumWords = ['sum', 'in all', 'together', 'altogether', 'cost']

/**
 * The demo's styles. Their labels and marks are among those the teacher has practised (in other worlds, with other names): one of two
 * million parameters copies no label word it has never seen. The student has seen none of them.
 */
export const demoStyles: readonly SkillStyle[] = [
  { family: 'bill', label: 'Slip', opening: ': ', separator: ', ', closing: '.', sumWord: 'in all', wording: 1 },
  { family: 'list', label: 'Memo', opening: ': ', separator: ' and ', closing: '.', sumWord: '', wording: 1 },
  { family: 'sign', label: 'Card', opening: ' > ', separator: ' | ', closing: '!', sumWord: '', wording: 0 },
]

/** A style for training. Bills come oftener: sums are learnt slowest. */
export function drawSkill(random: Random): Skill {
  const family = random.chance(0.25) ? 'bill' : random.pick(skillFamilies)
  const style: SkillStyle = {
    family,
    label: random.pick(trainingLabels),
    opening: random.pick(openings),
    separator: random.pick(trainingSeparators),
    closing: random.pick(closings),
    sumWord: family === 'bill' ? random.pick(sumWords) : '',
    wording: random.between(0, 1),
  }
  return skillOf(style)
}

/** The skill of a style, with its task description. */
export function skillOf(style: SkillStyle): Skill {
  const tasks: Record<SkillFamily, string> = {
    bill: 'Add up the two prices',
    ranking: 'Rank the people from most to least',
    list: 'Put the goods in alphabetical order',
    sign: 'Name the person, the craft and the town',
  }
  return {
    style,
    task: `${tasks[style.family]} and write them as a ${style.label.toLowerCase()}.`,
    isGrounded: style.family === 'bill' || style.family === 'ranking',
  }
}

const crafts = ['baker', 'smith', 'weaver', 'potter', 'miller', 'tailor', 'carver', 'fisher', 'painter', 'farmer']

/** What a problem is about, before it is put into words. */
interface Matter {
  /** `[good, price]`, `[person, amount]`, `[good]` or `[person, craft, town]`. */
  parts: { word: string; amount: number }[]
  plural: string
}

/** Draws one problem of a skill. */
export function makeSkillPair(skill: Skill, random: Random, drawName: () => string): SkillPair {
  return word(skill, drawMatter(skill.style.family, random, drawName), random)
}

function drawMatter(family: SkillFamily, random: Random, drawName: () => string): Matter {
  const plural = `${random.pick(goods.filter((good) => !/[hs]$/.test(good)))}s`
  if (family === 'bill')
    return { plural, parts: random.sample(goods, 2).map((good) => ({ word: good, amount: random.between(2, 20) })) }
  if (family === 'list') return { plural, parts: random.sample(goods, 3).map((good) => ({ word: good, amount: 0 })) }
  if (family === 'sign')
    return { plural, parts: [drawName(), random.pick(crafts), drawName()].map((text) => ({ word: text, amount: 0 })) }
  const amounts = new Set<number>()
  while (amounts.size < 3) amounts.add(random.between(1, 40))
  return { plural, parts: [...amounts].map((amount) => ({ word: drawName(), amount })) }
}

function word(skill: Skill, matter: Matter, random: Random): SkillPair {
  const { style } = skill
  const { parts, plural } = matter
  const words = parts.map((part) => part.word)
  const answer = drawAnswer(style, parts)
  const asked = (...wordings: string[]): string => wordings[style.wording] ?? ''
  const label = style.label.toLowerCase()
  switch (style.family) {
    case 'bill': {
      const [first = 0, second = 0] = parts.map((part) => part.amount)
      const context = parts.map((part) => `${article(part.word)} ${part.word} costs ${part.amount} coins.`).join(' ')
      const question = asked(
        `Write the ${label} for both.`,
        `What is the ${label} for the ${words[0]} and the ${words[1]}?`,
      )
      return {
        context,
        question,
        answer,
        terse: `${first + second}`,
        reason: `${first} + ${second} = ${first + second}`,
      }
    }
    case 'ranking': {
      const context = parts.map((part) => `${part.word} has ${part.amount} ${plural}.`).join(' ')
      const ranked = rank(parts)
      const question = asked(`Write the ${label} of the three.`, `Who has the most ${plural}?`)
      return {
        context,
        question,
        answer,
        terse: `${ranked[0]?.word}`,
        reason: ranked.map((part) => part.amount).join(' > '),
      }
    }
    case 'list': {
      const sorted = words.toSorted()
      const question = asked(
        `Write the ${label} for ${words.join(', ')}.`,
        `I need ${random.pick(['', 'some '])}${words.join(', ')}.`,
      )
      return { context: '', question, answer, terse: sorted.join(' '), reason: sorted.join(' < ') }
    }
    case 'sign': {
      const question = asked(
        `Write the ${label} for the ${words[1]} ${words[0]} of ${words[2]}.`,
        `${words[0]} is a ${words[1]} and works in ${words[2]}.`,
      )
      return { context: '', question, answer, terse: `${words[0]}`, reason: words.join(' + ') }
    }
  }
}

/** The right answer for the parts of a problem, in the style's words and marks. */
export function drawAnswer(style: SkillStyle, parts: readonly { word: string; amount: number }[]): string {
  const body: Record<SkillFamily, () => string[]> = {
    bill: () => [
      ...parts.map((part) => `${part.word} ${part.amount}`),
      `${style.sumWord} ${parts.reduce((sum, part) => sum + part.amount, 0)}`,
    ],
    ranking: () => rank(parts).map((part) => `${part.word} ${part.amount}`),
    list: () => parts.map((part) => part.word).toSorted(),
    sign: () => parts.map((part) => capitalise(part.word)),
  }
  return style.label + style.opening + body[style.family]().join(style.separator) + style.closing
}

function rank<Part extends { amount: number }>(parts: readonly Part[]): Part[] {
  return parts.toSorted((a, b) => b.amount - a.amount)
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? 'An' : 'A'
}
