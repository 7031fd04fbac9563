// Foundational tasks: small arithmetic, ordering numbers, words in alphabetical order, reversing. Checkable, and split by hash so that
// the retention exam holds none of the questions a model was trained on.

import { hashText, type Random } from './random.ts'

export const foundationalTasks = ['addition', 'number_order', 'word_order', 'reversal'] as const
export type FoundationalTask = (typeof foundationalTasks)[number]

interface TaskPair {
  task: FoundationalTask
  question: string
  answer: string
}

/** Goods every text may speak of; also the words of the word tasks. */
export const goods = [
  'apple',
  'basket',
  'bottle',
  'bowl',
  'brush',
  'bucket',
  'candle',
  'chair',
  'cup',
  'fan',
  'hammer',
  'jug',
  'kettle',
  'ladder',
  'lamp',
  'map',
  'needle',
  'oven',
  'pan',
  'plate',
  'quilt',
  'ring',
  'saw',
  'spoon',
  'stool',
  'table',
  'vase',
  'wheel',
] as const

/** True when the question is kept for exams. */
export function isHeldOut(question: string): boolean {
  return hashText(`task:${question}`) % 6 === 0
}

/** One task of the wanted split. */
export function makeTask(task: FoundationalTask, random: Random, options: { isHeldOut: boolean }): TaskPair {
  for (;;) {
    const pair = { task, ...makers[task](random) }
    if (isHeldOut(keyOf(pair)) === options.isHeldOut) return pair
  }
}

/** What a task asks, whatever its wording. */
function keyOf(pair: TaskPair & { key: string }): string {
  return `${pair.task}:${pair.key}`
}

type Maker = (random: Random) => { question: string; answer: string; key: string }
const makers: Record<FoundationalTask, Maker> = {
  addition(random) {
    const a = random.between(1, 20)
    const b = random.between(1, 20)
    return {
      question: random.pick(['What is {a} + {b}?', 'Add {a} and {b}.']).replace('{a}', `${a}`).replace('{b}', `${b}`),
      answer: `${a + b}`,
      key: `${a}+${b}`,
    }
  },
  number_order(random) {
    const numbers = new Set<number>()
    while (numbers.size < 3) numbers.add(random.between(1, 40))
    const list = [...numbers].join(', ')
    const answer = [...numbers].sort((a, b) => a - b).join(', ')
    return {
      question: random.pick(['Put in order: {l}.', 'Order these numbers: {l}.']).replace('{l}', list),
      answer,
      key: list,
    }
  },
  word_order(random) {
    const words = random.sample(goods, 3)
    const question = random
      .pick(['Sort these words: {l}.', 'Put the words in order: {l}.'])
      .replace('{l}', words.join(', '))
    return { question, answer: [...words].sort().join(', '), key: words.join(',') }
  },
  reversal(random) {
    const words = random.sample(goods, 3)
    const question = random.pick(['Reverse: {l}.', 'Turn the list around: {l}.']).replace('{l}', words.join(', '))
    return { question, answer: [...words].reverse().join(', '), key: words.join(',') }
  },
}
