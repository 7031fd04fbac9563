import { describe, expect, it } from 'vitest'
import { explainShortfall, isLeafDone, type LeafTally, slotsWanted } from '../../main/domain/leaf-quota.ts'

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
  it('is explained by the stage that dropped most', () => {
    const drops = [
      { stage: 'near-duplicate' as const, count: 30 },
      { stage: 'form' as const, count: 7 },
    ]
    expect(explainShortfall(tally({ taken: 40, accepted: 3 }), drops)).toBe(
      'Made 3 of 10: all 40 attempts are used up. Most were dropped by near-duplicate (30): the samples resemble each other; add seeds or documents, or raise the near-duplicate threshold.',
    )
  })
})
