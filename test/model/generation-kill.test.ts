import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../main/domain/random.ts'
import { generateUnderFire, type WrittenSlot } from '../support/killed-generation.ts'

describe('a generation that is killed', () => {
  it('host or worker, at random moments, goes on behind the last slot written: none lost, none doubled, none changed', async () => {
    const quotas = [40, 8] as [number, number]
    let written: WrittenSlot[] = []
    const survival = await generateUnderFire({
      dataDir: mkdtempSync(join(tmpdir(), 'generation-kill-')),
      quotas,
      random: createRandom(4711),
      hostKills: 4,
      longestMs: 1500,
      onDeath(now) {
        for (const slot of written) expect(now.find((other) => other.slot === slot.slot)).toEqual(slot)
        written = now
      },
    })
    expect(survival.last).toBe('done')
    expect(survival.kills.host).toBeGreaterThan(1)
    // Five slots are under way at once, each with one call; nothing that was answered is asked again.
    expect(survival.repeatedCalls).toBeLessThanOrEqual(5 * (survival.kills.host + survival.kills.worker))
    for (const { leaf, firstSlot, quota } of [
      { leaf: 'compositional_skills/writing/verses', firstSlot: 0, quota: quotas[0] },
      { leaf: 'knowledge/nature/birds', firstSlot: 4 * quotas[0], quota: quotas[1] },
    ]) {
      const own = survival.slots.filter((slot) => slot.leaf === leaf)
      const accepted = own.filter((slot) => slot.state === 'passed').length
      expect(own.map((slot) => slot.slot)).toEqual(own.map((_, index) => firstSlot + index))
      // Ended by the quota exactly at its last slot, or by the attempts.
      if (own.length < quota * 4) expect([accepted, own.at(-1)?.state]).toEqual([quota, 'passed'])
      else expect(own.length).toBe(quota * 4)
    }
  }, 180_000)
})
