// The oracle for skills: reads context and question back into the problem and works out the one right answer. Undefined where they are
// no problem of the skill, so a malformed question can never count as answered rightly.

import { drawAnswer, type SkillStyle } from './skills.ts'
import { goods } from './foundational.ts'

const known = new Set<string>(goods)

/** The right answer in the skill's style, or undefined when the question cannot be read. */
export function rightSkillAnswer(style: SkillStyle, context: string, question: string): string | undefined {
  const parts = readParts(style, context, question)
  return parts && drawAnswer(style, parts)
}

/** Is this a context the skill can be asked about? */
export function isSkillContext(style: SkillStyle, context: string): boolean {
  return style.family === 'bill' || style.family === 'ranking'
    ? readContext(style, context) !== undefined
    : context === ''
}

interface Part {
  word: string
  amount: number
}

function readContext(style: SkillStyle, context: string): Part[] | undefined {
  const pattern = style.family === 'bill' ? /^An? (\w+) costs (\d+) coins\.$/ : /^(\w+) has (\d+) \w+\.$/
  const sentences = context.trim().split(/(?<=\.) /)
  const parts = sentences.flatMap((sentence) => {
    const match = pattern.exec(sentence)
    return match?.[1] ? [{ word: match[1], amount: Number(match[2]) }] : []
  })
  const isWhole = parts.length === sentences.length && parts.length === (style.family === 'bill' ? 2 : 3)
  const isDistinct = new Set(parts.map((part) => part.word)).size === parts.length
  return isWhole && isDistinct ? parts : undefined
}

function readParts(style: SkillStyle, context: string, question: string): Part[] | undefined {
  const label = style.label.toLowerCase()
  const text = question.trim()
  if (style.family === 'bill') {
    const parts = readContext(style, context)
    const named = new RegExp(`^What is the ${label} for the (\\w+) and the (\\w+)\\?$`).exec(text)
    const isAsked =
      text === `Write the ${label} for both.` ||
      (named && parts && named[1] === parts[0]?.word && named[2] === parts[1]?.word)
    return isAsked ? parts : undefined
  }
  if (style.family === 'ranking') {
    const isAsked = text === `Write the ${label} of the three.` || /^Who has the most \w+\?$/.test(text)
    return isAsked ? readContext(style, context) : undefined
  }
  if (style.family === 'list') {
    const match = new RegExp(`^(?:Write the ${label} for|I need(?: some)?) (\\w+), (\\w+), (\\w+)\\.$`).exec(text)
    const words = match?.slice(1)
    return words?.every((word) => known.has(word)) && new Set(words).size === 3
      ? words.map((word) => ({ word, amount: 0 }))
      : undefined
  }
  const ordered = new RegExp(`^Write the ${label} for the (\\w+) (\\w+) of (\\w+)\\.$`).exec(text)
  const stated = /^(\w+) is an? (\w+) and works in (\w+)\.$/.exec(text)
  const words = ordered ? [ordered[2], ordered[1], ordered[3]] : stated?.slice(1)
  return words?.map((word) => ({ word: word ?? '', amount: 0 }))
}
