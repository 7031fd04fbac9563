import { describe, expect, it } from 'vitest'
import { createContaminationCheck } from '../../main/domain/contamination.ts'
import { createNeighbourIndex, exactKey, rougeL } from '../../main/domain/near-duplicate.ts'
import { createRandom } from '../../main/domain/random.ts'
import { wordsOf } from '../../main/domain/text-tokens.ts'

/** ROUGE-L F1 by the textbook table, to compare with. */
function slowRougeL(one: string, other: string): number {
  const [a, b] = [wordsOf(one), wordsOf(other)]
  const table = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0))
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      table[i]![j] = a[i - 1] === b[j - 1] ? table[i - 1]![j - 1]! + 1 : Math.max(table[i - 1]![j]!, table[i]![j - 1]!)
    }
  }
  return (2 * table[a.length]![b.length]!) / Math.max(1, a.length + b.length)
}

const randomText = (random: ReturnType<typeof createRandom>, words: number, vocabulary: number) =>
  Array.from({ length: words }, () => `w${Math.floor(random.next() ** 2 * vocabulary)}`).join(' ')

describe('exactKey', () => {
  it('ignores case, spacing, width, quotes and punctuation', () => {
    expect(exactKey('What  is “LAB”?')).toBe(exactKey('what is lab'))
    expect(exactKey('ＬＡＢ、です。')).toBe(exactKey('LAB です'))
    expect(exactKey('It costs 10,000 yen.')).toBe(exactKey('it costs 10000 yen'))
    expect(exactKey('- 5 **apples**')).toBe(exactKey('5 apples'))
  })
  it('keeps different sums different', () => {
    const keys = ['5 - 3', '5 / 3', '5 * 3', '5 + 3', '5 3', '5.3', '53', '5 %', '5 < 3', '5 > 3'].map(exactKey)
    expect(new Set(keys).size).toBe(keys.length)
  })
  it('keeps texts made of marks only apart', () => {
    expect(exactKey('?!')).not.toBe(exactKey('...'))
    expect(exactKey('  ')).toBe('')
  })
})

describe('wordsOf', () => {
  it('cuts scripts without spaces by character and others by word', () => {
    expect(wordsOf('東京は Big-City です3.5%')).toEqual(['東', '京', 'は', 'big', 'city', 'で', 'す', '3.5', '%'])
    expect(wordsOf('서울은 크다')).toEqual(['서울은', '크다'])
    expect(wordsOf('Привет, мир!')).toEqual(['привет', 'мир'])
  })
})

describe('rougeL', () => {
  it('is the harmonic mean of precision and recall of the longest common subsequence', () => {
    expect(rougeL('the cat sat on the mat', 'the cat was on the mat')).toBeCloseTo(5 / 6, 10)
    expect(rougeL('a b c d', 'd c b a')).toBeCloseTo(1 / 4, 10)
    expect(rougeL('same words', 'same words')).toBe(1)
    expect(rougeL('one', 'two')).toBe(0)
    expect(rougeL('', '')).toBe(0)
  })
  it('equals the textbook table on random texts up to several machine words long', () => {
    const random = createRandom('rouge')
    for (let round = 0; round < 300; round++) {
      const one = randomText(random, 1 + random.int(120), 12)
      const other = randomText(random, 1 + random.int(120), 12)
      expect(rougeL(one, other)).toBeCloseTo(slowRougeL(one, other), 12)
    }
  })
})

describe('createNeighbourIndex', () => {
  it('finds exactly what comparing with every text finds', () => {
    const random = createRandom('index')
    const texts = Array.from({ length: 250 }, () => randomText(random, 3 + random.int(20), 25))
    for (const threshold of [0.3, 0.5, 0.7, 0.9]) {
      const index = createNeighbourIndex(threshold)
      texts.forEach((text, at) => index.add(String(at), text))
      for (let query = 0; query < 60; query++) {
        const text = randomText(random, 3 + random.int(20), 25)
        const scores = texts.map((other) => slowRougeL(text, other))
        const best = Math.max(...scores)
        const found = index.nearest(text)
        if (best < threshold) expect(found).toBeNull()
        else expect(found).toEqual({ key: String(scores.indexOf(best)), score: best })
      }
    }
  })
  it('finds nothing in an empty index and nothing for a text without words', () => {
    const index = createNeighbourIndex(0.7)
    expect(index.nearest('anything')).toBeNull()
    index.add('a', 'some words')
    expect(index.nearest('   ')).toBeNull()
    expect(index.size).toBe(1)
  })
  it('takes 5,000 templated candidates, each compared before it is kept, in seconds', () => {
    const random = createRandom('many')
    const index = createNeighbourIndex(0.95)
    const started = performance.now()
    for (let at = 0; at < 5000; at++) {
      const text = `In the valley of ${randomText(random, 2, 4000)} the ${randomText(random, 4, 4000)} has a height of ${random.int(900)} metres and was first seen by the people of ${randomText(random, 3, 4000)} . What colour is it?`
      index.nearest(text)
      index.add(String(at), text)
    }
    expect(performance.now() - started).toBeLessThan(15_000)
  })
})

describe('createContaminationCheck', () => {
  const exam =
    'A train leaves the station at nine in the morning and travels at sixty kilometres an hour for three hours.'
  it('finds a run of 13 words of an exam whatever stands around it', () => {
    const check = createContaminationCheck([exam])
    const hit = check(
      `Consider this. TRAIN leaves the station at nine, in the morning and travels at sixty miles: how far does it go?`,
    )
    expect(hit?.examText).toBe(exam)
    expect(hit?.words.split(' ')).toHaveLength(13)
  })
  it('lets twelve shared words pass', () => {
    const check = createContaminationCheck([exam])
    expect(check('a train leaves the station at nine in the morning and stops')).toBeNull()
  })
  it('matches shorter exam questions whole, and very short ones only when nothing else is said', () => {
    const check = createContaminationCheck(['What colour is the hide of a marlok?', 'What is LAB?'])
    expect(check('Tell me: what colour is the hide of a marlok, please')?.words).toBe(
      'what colour is the hide of a marlok',
    )
    expect(check('what is lab')).not.toBeNull()
    expect(check('What is LAB good for?')).toBeNull()
    expect(check('')).toBeNull()
  })
})
