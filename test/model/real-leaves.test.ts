// InstructLab's own leaves from end to end: imported with their documents, generated for by the demo's teacher, exported again. The toy
// knows nothing of their matters, so what is asserted is that each leaf ends with its quota or with a reason, never with a failure.

import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

const shared = join(import.meta.dirname, '../../../shared/data')
const isThere = existsSync(join(shared, 'instructlab-taxonomy'))
if (!isThere) console.log(`skipped: no InstructLab taxonomy at ${shared}`)
let engine: TestEngine | undefined
afterAll(() => engine?.dispose())

describe.runIf(isThere)("InstructLab's leaves", () => {
  it('are imported, generated for, and exported as valid files', async () => {
    engine = await createTestEngine({ llama: createLlamaHost() })
    await engine.call('settings.set', { threads: 1, gpu: 'off' })
    const imported = await engine.call('taxonomy.import', {
      folder: join(shared, 'instructlab-taxonomy'),
      documentsFolder: join(shared, 'documents'),
    })
    expect(imported).toHaveLength(16)
    const path = join(import.meta.dirname, '../../main/demo/models/teacher.gguf')
    const { id: teacherId } = await engine.call('model.add', { path })
    const leaves = (await engine.call('taxonomy.list', {})).map(({ path: leaf }) => ({ leaf, quota: 2 }))
    const plan = { teacherId, leaves, maxAttemptsFactor: 1, parallel: 8 }
    const { generationId, jobId } = await engine.call('generation.start', plan)
    const job = await engine.settled(jobId)
    expect([job.state, job.error]).toEqual(['done', null])
    const { funnel } = await engine.call('generation.get', { generationId })
    expect(funnel).toHaveLength(16)
    for (const { accepted, quota, attempted, shortfall } of funnel) {
      expect(attempted).toBe(2)
      if (accepted < quota)
        expect(shortfall).toMatch(/^Made \d of 2: all 2 attempts are used up\. Most were dropped by/)
    }
    const folder = mkdtempSync(join(tmpdir(), 'real-leaves-'))
    const { files } = await engine.call('taxonomy.export', { folder })
    expect(files.filter((file) => file.path.endsWith('qna.yaml'))).toHaveLength(16)
    const again = await createTestEngine()
    const outcomes = await again.call('taxonomy.import', { folder })
    await again.dispose()
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 16 }, () => 'valid'))
  }, 180_000)
})
