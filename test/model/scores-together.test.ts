// Many sequences in one context answer as they would alone, however often they are asked.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import type { LlamaHost } from '../../main/compute/llama-protocol.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'

const folder = mkdtempSync(join(tmpdir(), 'scores-together-'))
// A large vocabulary: the larger the table of logits, the longer the moment in which two readers could meet.
const modelPath = writeRandomLlama(join(folder, 'random.gguf'), { ...smallShape, vocabSize: 2048 })
const rounds = 8
let host: LlamaHost

beforeAll(() => {
  host = createLlamaHost()
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true, force: true })
})

const asks = Array.from({ length: 32 }, (_, at) => ({
  prompt: `question ${at}${' and so on'.repeat((at * 7) % 6)}?`,
  continuation: `answer ${(at * 13) % 32}`,
}))

test('scores asked for at once are those asked for one by one', async () => {
  const request = { modelPath, contextTokens: 192, threads: 1, gpu: 'off' } as const
  const single = await host.openSession({ ...request, sequences: 1 })
  const alone: number[] = []
  for (const ask of asks) alone.push((await single.score(ask)).logLikelihood)
  const session = await host.openSession({ ...request, sequences: 16 })
  for (let round = 0; round < rounds; round++) {
    const together = await Promise.all(asks.map((ask) => session.score(ask)))
    const worst = Math.max(...together.map((score, at) => Math.abs(score.logLikelihood - (alone[at] ?? Number.NaN))))
    expect(worst).toBeLessThan(0.05)
  }
  await session.dispose()
  await single.dispose()
})
