// A real model of random weights that turns texts into vectors, in the real worker.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import type { Embedder, LlamaHost } from '../../main/compute/llama-protocol.ts'
import { cosine } from '../../main/domain/meaning-index.ts'
import { Embedding } from '../../main/pipelines/embedding.ts'
import { createTestEngine } from '../support/test-engine.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'embedder-'))
const modelPath = writeTinyGguf(join(folder, 'tiny.gguf'), {
  contextLength: 128,
  metadata: { 'llama.pooling_type': 1 },
})
const texts = ['The wren sings at dawn.', 'The wren sings at dawn!', 'Seven plus two is nine.', '']
let host: LlamaHost
let embedder: Embedder

beforeAll(async () => {
  host = createLlamaHost()
  embedder = await host.openEmbedder({ modelPath, contextTokens: 64, threads: 1, gpu: 'off' })
})
afterAll(async () => {
  await host.close()
  rmSync(folder, { recursive: true })
})

describe('an embedding model', () => {
  it('gives equal texts equal vectors of length 1, and others other ones', async () => {
    const [one, near, far] = await embedder.embed(texts)
    const [again] = await embedder.embed([texts[0]!])
    expect(cosine(one!, one!)).toBeCloseTo(1, 5)
    expect(again).toEqual(one)
    expect(cosine(one!, near!)).toBeLessThan(0.9999)
    expect(cosine(one!, far!)).toBeLessThan(0.99)
  })
  it('does not depend on what was asked before', async () => {
    const forward = await embedder.embed(texts.slice(0, 3))
    const backward = await embedder.embed(texts.slice(0, 3).reverse())
    expect(backward.reverse()).toEqual(forward)
  })
  it('reads the beginning of a text that is longer than its context', async () => {
    const long = 'The wren sings. '.repeat(200)
    const [whole, more] = await embedder.embed([long, `${long} And more.`])
    expect(whole).toEqual(more)
  })
  it('survives an empty text', async () => {
    const [vector] = await embedder.embed([''])
    expect([...vector!].every(Number.isFinite)).toBe(true)
  })
  it('is opened again where its process died, and what was made is kept', async () => {
    const engine = await createTestEngine({ llama: createLlamaHost() })
    await engine.call('settings.set', { threads: 1, gpu: 'off' })
    const model = await engine.call('model.add', { path: modelPath })
    expect(model.unfit).toEqual({ teacher: expect.stringMatching(/embedding/), student: expect.any(String) })
    const embedding = new Embedding(engine.lab, model)
    const before = await embedding.vectorsOf(texts.slice(0, 1))
    process.kill(engine.lab.llama.pid!, 'SIGKILL')
    const after = await embedding.vectorsOf(texts.slice(0, 3))
    expect(after[0]).toEqual(before[0])
    expect(after).toHaveLength(3)
    await embedding.dispose()
    await engine.dispose()
  })
})
