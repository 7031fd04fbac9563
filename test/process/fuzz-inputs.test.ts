// A few hundred damaged files of every format: the short form of `npm run fuzz`.

import { afterAll, expect, test } from 'vitest'
import { createDocumentReader } from '../../main/compute/document-reader.ts'
import { feed, fuzzTargets } from '../support/fuzz-targets.ts'

const reader = createDocumentReader()
afterAll(() => reader.close())

test.each(fuzzTargets(reader))(
  '$name: every damaged file is taken or refused by name, in time',
  async (target) => {
    const seen = { taken: 0, refused: 0, 'given up': 0 }
    for (let round = 0; round < 6 * target.share; round++) {
      const outcome = await feed(target, { seed: 'test', round })
      if (outcome.kind === 'failed') throw new Error(`round ${round}: ${outcome.why}`)
      seen[outcome.kind]++
      expect(outcome.ms, `round ${round}`).toBeLessThan(8000)
    }
    // Damage that never matters, or always does, tests nothing.
    expect(seen.taken).toBeGreaterThan(0)
    if (target.name !== 'yaml' && target.name !== 'jsonl') expect(seen.refused).toBeGreaterThan(0)
  },
  120_000,
)
