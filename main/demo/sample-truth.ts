// The oracle over samples of the demo project: knowledge by the world's facts, skills by working the answer out again from the question
// and its context. What it cannot read it calls unknown; it never guesses, and it never filters.

import { demoWorld } from './project.ts'
import { demoStyles, type SkillStyle } from './skills.ts'
import { type Truth, truthOf } from './truth.ts'

/** What is judged: a sample's leaf, the context it was asked in, question and answer. */
export interface JudgedSample {
  leaf: string
  context: string
  question: string
  answer: string
}
export type DemoOracle = (sample: JudgedSample) => Truth

/** An oracle for the demo's world and skill leaves. */
export function demoOracle(): DemoOracle {
  const world = demoWorld()
  return (sample) => {
    if (sample.leaf.startsWith('knowledge/')) return truthOf(world, sample.question, sample.answer)
    const style = demoStyles.find((one) => workers[one.family](sample, one) !== undefined)
    const expected = style && workers[style.family](sample, style)
    if (expected === undefined) return 'unknown'
    return expected === sample.answer.trim() ? 'true' : 'false'
  }
}

type Worker = (sample: JudgedSample, style: SkillStyle) => string | undefined

/** The right answer of a question of each family, or undefined when the question is not of that family. */
const workers: Record<SkillStyle['family'], Worker> = {
  bill({ context }, style) {
    const prices = [...context.matchAll(/\bAn? (\w+) costs (\d+) coins\./g)]
    if (prices.length !== 2) return undefined
    const sum = prices.reduce((total, [, , price]) => total + Number(price), 0)
    return close(style, [...prices.map(([, good, price]) => `${good} ${price}`), `${style.sumWord} ${sum}`])
  },
  ranking({ context }, style) {
    const amounts = [...context.matchAll(/\b(\w+) has (\d+) \w+\./g)].map(([, word, amount]) => ({
      word,
      amount: Number(amount),
    }))
    if (amounts.length !== 3) return undefined
    return close(
      style,
      amounts.sort((a, b) => b.amount - a.amount).map(({ word, amount }) => `${word} ${amount}`),
    )
  },
  list({ context, question }, style) {
    const listed = /(?:for|need(?: some)?) (\w+), (\w+), (\w+)\.$/.exec(question)
    if (context !== '' || !listed) return undefined
    return close(style, listed.slice(1).sort())
  },
  sign({ context, question }, style) {
    if (context !== '') return undefined
    const named =
      / for the (?<craft>\w+) (?<person>\w+) of (?<town>\w+)\.$/.exec(question) ??
      /^(?<person>\w+) is an? (?<craft>\w+) and works in (?<town>\w+)\.$/.exec(question)
    const { person, craft, town } = named?.groups ?? {}
    if (!person || !craft || !town) return undefined
    return close(
      style,
      [person, craft, town].map((word) => word.charAt(0).toUpperCase() + word.slice(1)),
    )
  },
}

function close(style: SkillStyle, body: string[]): string {
  return style.label + style.opening + body.join(style.separator) + style.closing
}
