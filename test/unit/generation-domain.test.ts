import { describe, expect, it } from 'vitest'
import type { ChunkId, DocumentId, SeedId } from '../../main/contract/ids.ts'
import type { Chunk, Seed } from '../../main/contract/taxonomy.ts'
import { createDuplicateScreen, type ScreenedText } from '../../main/domain/duplicate-screen.ts'
import { quoteProblem } from '../../main/domain/quotes.ts'
import { callSeed, chunkOf, examplesOf } from '../../main/domain/slot-plan.ts'

const text = (question: string, answer: string, more: Partial<ScreenedText> = {}): ScreenedText => ({
  source: 'chunk-1',
  context: '',
  question,
  answer,
  ...more,
})

describe('the duplicate screen', () => {
  const screen = createDuplicateScreen(0.7)
  screen.keep('a', text('What colour is the dalmel?', 'Green.'))
  screen.keep(
    'b',
    text('Where is the town of Rivor built, and on which river?', 'It is built on the banks of the river Sel.'),
  )
  screen.keep('c', text('What do 3 ropes cost?', 'They cost 12 coins.', { source: '' }))

  it('finds what says the same in another case and punctuation', () => {
    expect(screen.findExact(text('what colour is the Dalmel', 'green'))).toEqual({ key: 'a', score: 1 })
    expect(screen.findExact(text('What colour is the dalmel?', 'The dalmel is green.'))).toBeNull()
  })
  it('finds a reworded question with a reworded answer', () => {
    const near = screen.findNear(
      text('Where was the town of Rivor built and on which river?', 'It was built on the banks of the river Sel.'),
    )
    expect(near?.key).toBe('b')
    expect(near?.score).toBeGreaterThan(0.7)
  })
  it('keeps the same question with a longer answer, and another question with the same answer', () => {
    expect(screen.findNear(text('What colour is the dalmel?', 'The dalmel is green.'))).toBeNull()
    expect(screen.findNear(text('What is the food of the dalmel made of?', 'Green.'))).toBeNull()
  })
  it('keeps an alike question about another chunk, name or number', () => {
    expect(screen.findNear(text('What colour is the funor?', 'Green.', { source: 'chunk-2' }))).toBeNull()
    expect(
      screen.findNear(
        text('Where is the town of Talor built, and on which river?', 'It is built on the banks of the river Sel.'),
      ),
    ).toBeNull()
    expect(screen.findNear(text('What do 5 ropes cost?', 'They cost 20 coins.', { source: '' }))).toBeNull()
    expect(screen.findNear(text('What will 3 ropes cost?', 'They cost 12 coins.', { source: '' }))?.key).toBe('c')
  })
})

describe('quoteProblem', () => {
  const source = 'The dalmel  lives in caves.\nIt eats “moss” only.'
  it('accepts what stands in the source but for space, case and quotation marks', () => {
    expect(quoteProblem('the dalmel lives in caves. It eats "moss" only.', source)).toBeNull()
    expect(quoteProblem('"It eats"', source)).toBeNull()
  })
  it('says in plain words why a quote does not count', () => {
    expect(quoteProblem('The dalmel lives in trees.', source)).toMatch(/does not stand in the text/)
    expect(quoteProblem('none', source)).toMatch(/no sentence/)
    expect(quoteProblem('in', source)).toMatch(/too short/)
  })
  it('works without spaces between words', () => {
    expect(quoteProblem('洞窟に住む', 'ダルメルは洞窟に住む。')).toBeNull()
  })
})

describe('a slot', () => {
  const chunks = ['x', 'y', 'z'].map(
    (id, index) =>
      ({
        id: id as ChunkId,
        documentId: 'd' as DocumentId,
        index,
        text: id,
        headings: [],
        tokenCount: 1,
      }) satisfies Chunk,
  )
  const seeds = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id: id as SeedId, question: id, answer: id }) satisfies Seed)
  const choice = (attempt: number) =>
    examplesOf(seeds, { runSeed: 1, leaf: 'l', attempt, roundLength: 3 }).map((seed) => seed.id)

  it('takes every chunk in turn and has none where there are none', () => {
    expect([0, 1, 2, 3].map((attempt) => chunkOf(chunks, attempt).chunk?.id)).toEqual(['x', 'y', 'z', 'x'])
    expect([2, 3, 7].map((attempt) => chunkOf(chunks, attempt).round)).toEqual([0, 1, 2])
    expect(chunkOf([], 5).chunk).toBeNull()
  })
  it('shows every seed equally often, three different ones at a time, and the same ones when redone', () => {
    const shown = Array.from({ length: 10 }, (_, attempt) => choice(attempt))
    for (const ids of shown) expect(new Set(ids).size).toBe(3)
    const counts = seeds.map((seed) => shown.flat().filter((id) => id === seed.id).length)
    expect(counts).toEqual([6, 6, 6, 6, 6])
    expect(choice(7)).toEqual(choice(7))
  })
  it('shows what there is when seeds are few', () => {
    expect(examplesOf(seeds.slice(0, 1), { runSeed: 1, leaf: 'l', attempt: 4, roundLength: 1 })).toHaveLength(1)
    expect(examplesOf([], { runSeed: 1, leaf: 'l', attempt: 4, roundLength: 1 })).toEqual([])
  })
  it('has its own sampling seed for every call, in 31 bits', () => {
    const name = { runSeed: 1, leaf: 'l', slot: 2, stage: 's', attempt: 0 }
    const seeds = [
      name,
      { ...name, slot: 3 },
      { ...name, stage: 't' },
      { ...name, attempt: 1 },
      { ...name, runSeed: 2 },
    ].map(callSeed)
    expect(new Set(seeds).size).toBe(5)
    for (const seed of seeds) expect(seed >= 0 && seed < 2 ** 31 && Number.isInteger(seed)).toBe(true)
    expect(callSeed(name)).toBe(callSeed({ ...name }))
  })
})
