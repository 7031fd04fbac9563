import { describe, expect, it } from 'vitest'
import type { StageName } from '../../main/contract/generation.ts'
import {
  type AttemptFate,
  explainShortfall,
  isLeafDone,
  type LeafTally,
  slotsWanted,
} from '../../main/domain/leaf-quota.ts'

const tally = (change: Partial<LeafTally> = {}): LeafTally => ({
  quota: 10,
  maxAttempts: 40,
  taken: 0,
  accepted: 0,
  pending: 0,
  ...change,
})

describe('slotsWanted', () => {
  it('asks for more than the quota needs when slots are being dropped, and for few when little is missing', () => {
    expect(slotsWanted(tally())).toBe(15)
    expect(slotsWanted(tally({ taken: 20, accepted: 5 }))).toBeGreaterThan(15)
    expect(slotsWanted(tally({ taken: 9, accepted: 9 }))).toBe(2)
  })
  it('counts what is pending and never goes beyond the attempts allowed', () => {
    expect(slotsWanted(tally({ pending: 15 }))).toBe(0)
    expect(slotsWanted(tally({ taken: 38, accepted: 1, pending: 1 }))).toBe(1)
    expect(slotsWanted(tally({ taken: 10, accepted: 10 }))).toBe(0)
  })
})

describe('the end of a leaf', () => {
  it('comes with the quota or with the last attempt', () => {
    expect(isLeafDone(tally({ taken: 12, accepted: 10 }))).toBe(true)
    expect(isLeafDone(tally({ taken: 40, accepted: 3 }))).toBe(true)
    expect(isLeafDone(tally({ taken: 39, accepted: 9 }))).toBe(false)
  })
  const settings = { minPairGrade: 2, overtime: null }
  const fates = (count: number, droppedBy: StageName | null, more: Partial<AttemptFate> = {}): AttemptFate[] =>
    Array.from({ length: count }, () => ({ droppedBy, score: null, seedIds: ['seed-a'], ...more }))

  it('is explained by the stage that dropped most', () => {
    const all = [...fates(3, null), ...fates(7, 'form'), ...fates(30, 'near-duplicate')]
    expect(explainShortfall(tally({ taken: 40, accepted: 3 }), all, settings)).toBe(
      'Made 3 of 10: all 40 attempts are used up. Most were dropped by near-duplicate (30): the samples resemble each other; add seeds or documents, or raise the near-duplicate threshold.',
    )
  })
  it('is explained by the threshold that a lower grade would have met', () => {
    const all = [...fates(8, 'skill-pair-judge', { score: 1 }), ...fates(1, null)]
    expect(explainShortfall(tally({ taken: 40, accepted: 1 }), all, settings)).toContain(
      'With a grade of 1 for a pair, 8 more would have passed.',
    )
  })
  it('is explained by a seed that never led to anything, where others did', () => {
    const all = [...fates(8, 'form', { seedIds: ['seed-b'] }), ...fates(2, null)]
    expect(explainShortfall(tally({ taken: 40, accepted: 2 }), all, settings)).toContain(
      'A seed led to nothing in all 8 or more tries: seed-b.',
    )
    expect(explainShortfall(tally({ taken: 40 }), fates(40, 'form'), settings)).not.toContain('seed')
  })
  it('is explained by the time that was given', () => {
    const overtime = 'the 30 minutes it was given are used up'
    expect(explainShortfall(tally({ taken: 4, accepted: 4 }), fates(4, null), { minPairGrade: 2, overtime })).toBe(
      'Made 4 of 10: the 30 minutes it was given are used up.',
    )
  })
})
