// The form a leaf asks its answers to have: the sentence that tells the teacher, and the check of what it wrote.

import type { AnswerFormat } from '../contract/taxonomy.ts'
import { countWords } from './qna-length.ts'

const instructions: Record<'en' | 'ja', Record<Exclude<AnswerFormat, 'text'>, string>> = {
  en: {
    word: 'Answer with one word and nothing else.',
    number: 'Answer with one number and nothing else.',
    list: 'Answer with a list, one point a line, each line beginning with "- ".',
    json: 'Answer with valid JSON and nothing else.',
    'yes-no': 'Answer with "yes" or "no" and nothing else.',
  },
  ja: {
    word: '一語だけで答えてください。',
    number: '数値を一つだけ答えてください。',
    list: '箇条書きで答えてください。各行を「- 」で始めます。',
    json: '有効な JSON だけで答えてください。',
    'yes-no': '「はい」か「いいえ」だけで答えてください。',
  },
}

/** What the teacher is told in the leaf's language (English where there is no translation); empty for free text. */
export function answerInstruction(format: AnswerFormat, language: string): string {
  if (format === 'text') return ''
  return instructions[language.startsWith('ja') ? 'ja' : 'en'][format]
}

const breaches: Record<Exclude<AnswerFormat, 'text'>, string> = {
  word: 'is not one word',
  number: 'is not one number',
  list: 'is not a list of lines that begin with a dash or a number',
  json: 'is not valid JSON',
  'yes-no': 'is neither yes nor no',
}

/** How an answer breaks the format, to be read after "The answer"; null where it keeps it. */
export function formatBreach(format: AnswerFormat, answer: string): string | null {
  return format === 'text' || keepsFormat(format, answer.trim()) ? null : breaches[format]
}

function keepsFormat(format: Exclude<AnswerFormat, 'text'>, answer: string): boolean {
  switch (format) {
    case 'word':
      return answer !== '' && !/\s/.test(answer) && countWords(answer) <= 1
    case 'number':
      return (
        /^[-+−]?(?:\d{1,3}(?:[,\u202f ]\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d+)?\s?[%°]?$/.test(answer) &&
        /\d/.test(answer)
      )
    case 'list':
      return answer
        .split('\n')
        .filter((line) => line.trim() !== '')
        .every((line) => /^\s*(?:[-*•・]|\d+[.)])\s?\S/.test(line))
    case 'json':
      return isJson(answer)
    case 'yes-no':
      return /^(?:yes|no|はい|いいえ)[.。]?$/i.test(answer)
  }
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return false
    throw thrown
  }
}
