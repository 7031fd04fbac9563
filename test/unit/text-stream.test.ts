import { describe, expect, it } from 'vitest'
import { TextStream } from '../../main/compute/worker/text-stream.ts'

/** Tokens are bytes. */
const detokenize = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens))
const feed = (text: string, stops: string[] = []) => {
  const stream = new TextStream(detokenize, { stops })
  const pieces: string[] = []
  for (const byte of new TextEncoder().encode(text)) {
    pieces.push(stream.push(byte))
    if (stream.isStopped) break
  }
  pieces.push(stream.end())
  return { stream, pieces: pieces.filter((piece) => piece !== '') }
}

describe('TextStream', () => {
  it('never emits half a character', () => {
    const { pieces, stream } = feed('a鳥🐦b')
    expect(pieces).toEqual(['a', '鳥', '🐦', 'b'])
    expect(stream.text).toBe('a鳥🐦b')
  })
  it('ends before a stop text and emits no part of it', () => {
    const { pieces, stream } = feed('yes<end>no', ['<end>'])
    expect(stream.isStopped).toBe(true)
    expect(stream.text).toBe('yes')
    expect(pieces.join('')).toBe('yes')
  })
  it('holds back what could become a stop text and gives it out when it does not', () => {
    const { pieces, stream } = feed('a<eb', ['<end>'])
    expect(pieces).toEqual(['a', '<eb'])
    expect(stream.text).toBe('a<eb')
  })
  it('gives out a held-back tail at the end', () => {
    expect(feed('a<en', ['<end>']).pieces.join('')).toBe('a<en')
  })
  it('takes the earliest of several stops', () => {
    expect(feed('one|two#three', ['#', '|']).stream.text).toBe('one')
  })
  it('lets broken bytes through instead of waiting for ever', () => {
    const stream = new TextStream(detokenize)
    for (let count = 0; count < 8; count++) stream.push(0xf0)
    expect(stream.text.length).toBeGreaterThan(0)
  })
})
