import { describe, expect, it } from 'vitest'
import {
  type GroundedRow,
  lacksAnswer,
  openBookTurn,
  retrievalTurn,
  type SourceText,
} from '../../../main/domain/retrieval-rows.ts'

const chunk = { id: 'c0', text: 'The wren sings at dawn and eats 12 insects.' }
const row: GroundedRow = {
  origin: 'g-1',
  question: 'When does the wren sing?',
  answer: 'The wren sings at dawn.',
  chunk,
  quotes: ['The wren sings at dawn'],
}
const others: SourceText[] = Array.from({ length: 9 }, (_, at) => ({ id: `o${at}`, text: `Text ${at} is on stones.` }))

describe('a row behind its own chunk', () => {
  it('shows the chunk, then the question', () => {
    expect(openBookTurn(row)).toBe('The wren sings at dawn and eats 12 insects.\n\nWhen does the wren sing?')
  })
})

describe('a retrieval row', () => {
  it('shows four documents, the golden one in about four of ten rows', () => {
    const turns = Array.from(
      { length: 400 },
      (_, at) => retrievalTurn({ ...row, origin: `g-${at}` }, others, 's') ?? '',
    )
    for (const turn of turns) expect(turn.match(/^Document:$/gm)).toHaveLength(4)
    const golden = turns.filter((turn) => turn.includes(chunk.text)).length
    expect(golden).toBeGreaterThan(130)
    expect(golden).toBeLessThan(190)
  })
  it('is the same for the same seed, and another for another', () => {
    expect(retrievalTurn(row, others, 'a')).toBe(retrievalTurn(row, others, 'a'))
    const turns = new Set(Array.from({ length: 8 }, (_, at) => retrievalTurn(row, others, `${at}`)))
    expect(turns.size).toBeGreaterThan(4)
  })
  it('never shows a distractor that has a telling word of the answer, or what bore it out', () => {
    const near = { id: 'n', text: 'Thrushes sing before dawn.' }
    const quoted = { id: 'q', text: 'They say: the wren sings at dawn' }
    for (let at = 0; at < 50; at++) {
      const turn = retrievalTurn({ ...row, origin: `${at}` }, [near, quoted, ...others.slice(0, 3)], 's') ?? ''
      expect(turn).not.toContain('Thrushes')
      expect(turn).not.toContain('They say')
    }
  })
  it('shows fewer where not enough texts lack the answer, and is not made where none does', () => {
    const turn = retrievalTurn(row, others.slice(0, 1), 's') ?? ''
    expect(turn.match(/^Document:$/gm)?.length).toBeLessThanOrEqual(2)
    expect(retrievalTurn(row, [{ id: 'x', text: 'At dawn it rains.' }], 's')).toBeNull()
  })
  it('is not made where nothing in the answer could prove a text to lack it', () => {
    expect(retrievalTurn({ ...row, answer: 'Yes, it is.' }, others, 's')).toBeNull()
    expect(lacksAnswer('On stones.', { ...row, answer: 'Yes.' })).toBe(false)
  })
  it('tells Japanese answers apart by their characters', () => {
    const japanese = { ...row, question: 'いつ鳴きますか。', answer: '夜明けに鳴きます。', quotes: [] }
    expect(lacksAnswer('石は硬い。', japanese)).toBe(true)
    expect(lacksAnswer('夜は寒い。', japanese)).toBe(false)
  })
})
