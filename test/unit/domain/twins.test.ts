import { describe, expect, it } from 'vitest'
import { heldOutTexts } from '../../../main/domain/held-out-texts.ts'
import { chooseLosers, type Rival } from '../../../main/domain/keep-best.ts'
import { createMeaningIndex } from '../../../main/domain/meaning-index.ts'
import { createPairFinder, likenessOf } from '../../../main/domain/min-hash.ts'
import { rougeL } from '../../../main/domain/near-duplicate.ts'
import { createRandom } from '../../../main/domain/random.ts'
import { type KeptText, searchTwins } from '../../../main/domain/twin-search.ts'

const words = 'the wren sings at dawn and eats small insects in cold days near old walls of stone'.split(' ')

function textOf(fields: Partial<KeptText> & { id: string }): KeptText {
  return { isSeed: false, context: '', question: '', answer: 'It does.', sourceWords: null, vector: null, ...fields }
}
const search = (texts: KeptText[], thresholds = { words: 0.7, meaning: 0.9 }) =>
  [...searchTwins(texts, thresholds)].flat()

/** Texts of a small vocabulary with copies in which some words were exchanged. */
function manyTexts(count: number): KeptText[] {
  const random = createRandom('twins')
  const made: string[][] = []
  // Letters only: numbers tell questions apart.
  const draw = () =>
    `w${random
      .int(400)
      .toString(36)
      .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)]!)}`
  return Array.from({ length: count }, (_, at) => {
    const copied = at > 10 && random.next() < 0.3 ? made[random.int(made.length)] : undefined
    const text = copied
      ? copied.map((word) => (random.next() < 0.15 ? draw() : word))
      : Array.from({ length: 6 + random.int(14) }, () => draw())
    made.push(text)
    return textOf({ id: `t${at}`, question: `${text.join(' ')}?`, answer: 'yes' })
  })
}

describe('MinHash with bands', () => {
  it('proposes nearly every pair that ROUGE-L finds, and few of the others', () => {
    const texts = manyTexts(500)
    const finder = createPairFinder(likenessOf(0.7))
    const proposed = new Set(
      texts.flatMap(({ question }, at) =>
        finder.add(question.split(/[ ?]+/).filter(Boolean)).map((other) => `${other} ${at}`),
      ),
    )
    const near: string[] = []
    for (const [at, { question }] of texts.entries())
      for (let other = 0; other < at; other++)
        if (rougeL(texts[other]!.question, question) >= 0.7) near.push(`${other} ${at}`)
    expect(near.length).toBeGreaterThan(50)
    expect(near.filter((pair) => !proposed.has(pair)).length / near.length).toBeLessThan(0.01)
    expect(proposed.size).toBeLessThan(0.02 * ((500 * 499) / 2))
  })
  it('proposes equal texts always, and nothing for empty ones', () => {
    const finder = createPairFinder(likenessOf(0.95))
    expect(finder.add(words)).toEqual([])
    expect(finder.add([...words].reverse())).toEqual([0])
    expect(finder.add([])).toEqual([])
    expect(finder.add([])).toEqual([])
  })
})

describe('a search for twins', () => {
  it('finds the same pairs as comparing all with all', () => {
    const texts = manyTexts(400)
    const found = new Set(search(texts).map(({ one, other }) => `${one} ${other}`))
    const all: string[] = []
    for (const [at, text] of texts.entries())
      for (let other = 0; other < at; other++)
        if (rougeL(texts[other]!.question, text.question) >= 0.7) all.push(`${texts[other]!.id} ${text.id}`)
    expect(all.length).toBeGreaterThan(50)
    expect(all.filter((pair) => !found.has(pair)).length / all.length).toBeLessThan(0.01)
    expect([...found].filter((pair) => !all.includes(pair))).toEqual([])
  })
  it('tells exact ones from near ones', () => {
    const texts = [
      textOf({ id: 'a', question: 'When does the small wren sing in spring?' }),
      textOf({ id: 'b', question: 'when does the small wren sing, in spring' }),
      textOf({ id: 'c', question: 'When does the small wren sing in early spring?' }),
    ]
    expect(search(texts)).toEqual([
      { one: 'a', other: 'b', kind: 'exact', score: 1 },
      { one: 'a', other: 'c', kind: 'words', score: expect.closeTo(0.94, 1) },
      { one: 'b', other: 'c', kind: 'words', score: expect.closeTo(0.94, 1) },
    ])
  })
  it('takes questions about another number or name for other questions', () => {
    const texts = [
      textOf({ id: 'a', question: 'What do 3 hats cost in the shop of the town?' }),
      textOf({ id: 'b', question: 'What do 4 hats cost in the shop of the town?' }),
      textOf({ id: 'c', question: 'What do the hats of Anna cost in the shop?' }),
      textOf({ id: 'd', question: 'What do the hats of Berta cost in the shop?' }),
    ]
    expect(search(texts)).toEqual([])
  })
  it('takes questions that name what only their own text speaks of for other questions', () => {
    const about = (id: string, name: string) =>
      textOf({
        id,
        question: `What does the ${name} eat in the cold days of the year?`,
        sourceWords: new Set(['the', name, 'eats', 'insects']),
      })
    expect(search([about('a', 'wren'), about('b', 'robin')])).toEqual([])
    // Another word that no text tells apart is another way to say it.
    const said = (id: string, word: string) =>
      textOf({
        id,
        question: `What does the wren ${word} in the cold days of the year?`,
        sourceWords: new Set(['wren']),
      })
    expect(search([said('a', 'eat'), said('b', 'feed')])).toHaveLength(1)
  })
  it('asks of answers what it asks of questions', () => {
    const question = 'What does the small wren eat in the cold days?'
    const texts = [textOf({ id: 'a', question }), textOf({ id: 'b', question, answer: 'Nothing but insects.' })]
    expect(search(texts)).toEqual([])
  })
  it('finds by meaning what no word gives away', () => {
    const near = Float32Array.of(0.6, 0.8)
    const texts = [
      textOf({ id: 'a', question: 'When does it sing?', vector: Float32Array.of(0.58, 0.8146) }),
      textOf({ id: 'b', question: 'At what hour is its voice heard?', vector: near }),
      textOf({ id: 'c', question: 'Who built the wall?', vector: Float32Array.of(1, 0) }),
    ]
    expect(search(texts)).toEqual([{ one: 'a', other: 'b', kind: 'meaning', score: expect.closeTo(0.9997, 3) }])
  })
  it('leaves two seeds alone, whose author wrote both', () => {
    const question = 'When does the small wren sing in spring?'
    const seeds = [textOf({ id: 's1', question, isSeed: true }), textOf({ id: 's2', question, isSeed: true })]
    expect(search(seeds)).toEqual([])
    expect(search([...seeds, textOf({ id: 'a', question })]).map(({ one }) => one)).toEqual(['s1', 's2'])
  })
})

describe('who stays of near duplicates', () => {
  const rival = (id: string, fields: Partial<Rival> = {}): Rival => ({
    id,
    isReviewed: false,
    score: 2,
    answerLength: 10,
    number: Number(id.slice(1)),
    ...fields,
  })
  const pair = (one: string, other: string) => ({ one, other })

  it.each([
    ['what a person decided', { isReviewed: true, score: 1 }],
    ['the higher score', { score: 3 }],
    ['the longer answer', { answerLength: 11 }],
  ])('is %s', (_what, fields) => {
    expect(chooseLosers([rival('r1'), rival('r2', fields)], [pair('r1', 'r2')])).toEqual([{ id: 'r1', keptId: 'r2' }])
  })
  it('is the earlier one when all else is equal', () => {
    expect(chooseLosers([rival('r2'), rival('r1')], [pair('r2', 'r1')])).toEqual([{ id: 'r2', keptId: 'r1' }])
  })
  it('is both ends of a chain, since they are no twins of each other', () => {
    const rivals = [rival('r1', { score: 3 }), rival('r2'), rival('r3')]
    expect(chooseLosers(rivals, [pair('r1', 'r2'), pair('r2', 'r3')])).toEqual([{ id: 'r2', keptId: 'r1' }])
  })
  it('is everything a person decided, twins or not', () => {
    const rivals = [rival('r1', { isReviewed: true }), rival('r2', { isReviewed: true })]
    expect(chooseLosers(rivals, [pair('r1', 'r2')])).toEqual([])
  })
  it('refuses a pair of someone unknown', () => {
    expect(() => chooseLosers([rival('r1')], [pair('r1', 'r9')])).toThrow(/unknown/)
  })
})

describe('an index of meanings', () => {
  it('finds the closest of the same group, the earliest of equals', () => {
    const index = createMeaningIndex()
    index.keep('far', 'g', Float32Array.of(0, 1))
    index.keep('first', 'g', Float32Array.of(1, 0))
    index.keep('second', 'g', Float32Array.of(1, 0))
    index.keep('other', 'h', Float32Array.of(1, 0))
    expect(index.nearest('g', Float32Array.of(1, 0), 0.9)).toEqual({ key: 'first', score: 1 })
    expect(index.nearest('g', Float32Array.of(-1, 0), 0.9)).toBeNull()
    expect(index.nearest('none', Float32Array.of(1, 0), 0)).toBeNull()
  })
})

describe('a held-out file', () => {
  it('is cut into every longer string of JSON, line by line, whatever its form', () => {
    const rows = [
      { question: 'When does the wren sing?', choices: ['at dawn', 'a long time after noon'], id: 7 },
      { turns: [{ content: 'It sings when the sun comes up.' }] },
    ]
    const content = `${rows.map((row) => JSON.stringify(row)).join('\n')}\n{ this line is broken\n`
    expect(heldOutTexts('test.jsonl', content)).toEqual([
      'When does the wren sing?',
      'a long time after noon',
      'It sings when the sun comes up.',
      '{ this line is broken',
    ])
    expect(heldOutTexts('test.json', JSON.stringify(rows))).toHaveLength(3)
  })
  it('is cut into paragraphs otherwise, each once', () => {
    expect(heldOutTexts('test.md', 'One paragraph.\nStill it.\n\n\nshort\n\nOne paragraph.\nStill it.')).toEqual([
      'One paragraph.\nStill it.',
    ])
  })
  it('does not follow JSON without end', () => {
    const deep = `${'['.repeat(500)}"a text that lies deep"${']'.repeat(500)}`
    expect(heldOutTexts('deep.json', deep)).toEqual([])
  })
})
