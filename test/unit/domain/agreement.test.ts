import { describe, expect, it } from 'vitest'
import { agreementOf, kappaOf } from '../../../main/domain/agreement.ts'
import { decided, middleScore } from '../../../main/domain/judge-verdicts.ts'

describe('agreement of a judge with a person', () => {
  it('is 1 for both where they never differ, and 0 beyond chance where they are independent', () => {
    const same = { passedAccepted: 30, passedRejected: 0, failedAccepted: 0, failedRejected: 10 }
    expect([agreementOf(same), kappaOf(same)]).toEqual([1, 1])
    const blind = { passedAccepted: 20, passedRejected: 20, failedAccepted: 20, failedRejected: 20 }
    expect([agreementOf(blind), kappaOf(blind)]).toEqual([0.5, 0])
  })
  it('follows the textbook: 20, 5, 10, 15 of 50 give 0.4', () => {
    expect(kappaOf({ passedAccepted: 20, passedRejected: 5, failedAccepted: 10, failedRejected: 15 })).toBeCloseTo(
      0.4,
      9,
    )
  })
  it('cannot be told without samples, nor where chance alone would always agree', () => {
    expect(agreementOf({ passedAccepted: 0, passedRejected: 0, failedAccepted: 0, failedRejected: 0 })).toBeNull()
    expect(kappaOf({ passedAccepted: 9, passedRejected: 0, failedAccepted: 0, failedRejected: 0 })).toBeNull()
  })
})

describe('votes', () => {
  const yes = { words: '', score: 3, problem: null }
  const no = { words: '', score: 1, problem: 'no' }
  it('decide as soon as a majority of all wanted stands', () => {
    expect(decided([], 3)).toBeNull()
    expect(decided([yes], 3)).toBeNull()
    expect(decided([yes, yes], 3)).toBe(true)
    expect(decided([no, yes], 3)).toBeNull()
    expect(decided([no, yes, no], 3)).toBe(false)
    expect(decided([yes], 1)).toBe(true)
  })
  it('that are split evenly do not pass', () => {
    expect(decided([yes, no], 2)).toBe(false)
  })
  it('have the middle score, the lower of two', () => {
    expect(middleScore([yes, no, yes])).toBe(3)
    expect(middleScore([yes, no])).toBe(1)
  })
})
