// npm run soak:generate: kills host and worker of a generation of 500 slots at 50 random moments, and proves that every slot was written
// once and that no call was made twice but those under way at a death.
// Usage: node scripts/soak-generate.ts [kills] [seed]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '../main/domain/random.ts'
import { generateUnderFire } from '../test/support/killed-generation.ts'

const wanted = Number(process.argv[2] ?? 50)
const random = createRandom(`soak generate ${process.argv[3] ?? 1}`)
/** 4 attempts for each wanted sample: 500 slots. A random model lets little pass. */
const quotas: [number, number] = [100, 25]
const slotCount = 4 * (quotas[0] + quotas[1])
const underWay = 5

let kills = 0
for (let run = 1; kills < wanted; run++) {
  const dataDir = mkdtempSync(join(tmpdir(), 'labdesk-soak-generate-'))
  const survival = await generateUnderFire({ dataDir, quotas, random, hostKills: wanted - kills, longestMs: 700 })
  const deaths = survival.kills.host + survival.kills.worker
  kills += deaths
  const slots = survival.slots.map(({ slot }) => slot)
  const isOnce = new Set(slots).size === slots.length
  if (survival.last !== 'done') fail(`run ${run} did not end: ${survival.last}`)
  if (!isOnce || slots.length > slotCount) fail(`run ${run} wrote ${slots.length} slots of ${slotCount}`)
  if (survival.repeatedCalls > underWay * deaths)
    fail(`run ${run} repeated ${survival.repeatedCalls} calls at ${deaths} deaths`)
  console.log(
    `run ${run}: ${deaths} deaths (${JSON.stringify(survival.kills)}), ${slots.length} slots, each once; ${survival.repeatedCalls} of ${survival.calls} calls repeated`,
  )
  rmSync(dataDir, { recursive: true, force: true })
}
console.log(`${kills} deaths, nothing lost or doubled`)

function fail(what: string): never {
  console.error(what)
  process.exit(1)
}
