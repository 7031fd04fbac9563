import { describe, expect, it } from 'vitest'
import { gramOf, gramsOf } from '../../main/domain/text-grams.ts'

describe('grams', () => {
  const has = (texts: string[], text: string) =>
    gramsOf(texts)
      .split(' ')
      .includes(gramOf(text) ?? 'none')
  it('are found for every letter and pair of a text, and for no other', () => {
    const text = 'Wie schön, 東京の🦅!'
    const letters = [...text]
    letters.forEach((letter, at) => {
      expect(has([text], letter)).toBe(true)
      if (at > 0) expect(has([text], `${letters[at - 1]}${letter}`)).toBe(true)
    })
    for (const other of ['q', 'hs', '京東', '🦆', 'wi ']) expect(has([text], other)).toBe(false)
  })
  it('know no case and do not reach from one text into the next', () => {
    expect(has(['Ärger'], 'äR')).toBe(true)
    expect(has(['ab', 'cd'], 'bc')).toBe(false)
  })
  it('of three letters or none are not asked for', () => {
    expect([gramOf(''), gramOf('abc'), gramOf('京')]).toEqual([null, null, expect.any(String)])
  })
  it('do not hang on what stands beside a letter', () => {
    expect([has(['ΟΔΟΣ'], 'ΟΣ'), has(['ΟΔΟΣ'], 'οσ'), has(['İzmir'], 'İz')]).toEqual([true, true, true])
  })
})
