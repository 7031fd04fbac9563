// What the trainer refuses: damaged and foreign model files by name, impossible requests, broken frames. It must never crash.

import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { AppError } from '../../main/contract/errors.ts'
import type { Microbatch, Trainer } from '../../main/compute/trainer.ts'
import { withMetadata } from '../../main/domain/gguf.ts'
import { findLibraryDir } from '../../main/compute/trainer-build.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { readTensorTable } from '../support/gguf-patch.ts'
import { type LlamaShape, smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { describe, root, startTrainer, temporaryFolder, test, trainerPath } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
const shape: LlamaShape = { ...smallShape, width: 32, headCount: 2, kvHeadCount: 1, ffnWidth: 32, layerCount: 1 }
const good = writeRandomLlama(join(folder, 'good.gguf'), shape)
const bytes = readFileSync(good)
const spots = readTensorTable(bytes)
const dataStart = Math.min(...spots.map(({ offset }) => offset))
const load = { mode: 'full', microbatchTokens: 64, optimizer: plainAdam } satisfies Omit<
  LoadRequest,
  'kind' | 'modelPath'
>
const batch = randomMicrobatch({ rowLengths: [20, 12], vocabSize: shape.vocabSize, seed: 1 })

let trainer: Trainer
beforeAll(async () => {
  trainer = await startTrainer()
})
afterAll(async () => {
  await trainer.close()
  remove()
})

const refusal = async (work: Promise<unknown>): Promise<AppError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(thrown instanceof AppError)) throw new Error(`not refused: ${String(thrown)}`)
  expect(thrown.message.length).toBeGreaterThan(20)
  expect(thrown.remedy.length).toBeGreaterThan(10)
  return thrown
}

async function loadBytes(changed: Buffer): Promise<unknown> {
  const path = join(folder, 'changed.gguf')
  writeFileSync(path, changed)
  return trainer.load({ ...load, modelPath: path })
}

/** The file with the first occurrence of `from` in its header replaced by bytes of equal length. */
function replaced(from: string, to: string): Buffer {
  const at = bytes.indexOf(from)
  expect(at).toBeGreaterThan(0)
  const changed = Buffer.from(bytes)
  changed.write(to, at, from.length, 'latin1')
  return changed
}

describe('a model file', () => {
  test('cut anywhere is refused as truncated', async () => {
    const cuts = new Set([0, 1, 3, 4, 7, 8, 15, 16, 23, 24, bytes.length - 1])
    for (let at = 24; at < dataStart; at += 37) cuts.add(at)
    for (const { offset } of spots) for (const at of [offset, offset + 1, offset + 63]) cuts.add(at)
    for (const at of cuts) {
      const error = await refusal(loadBytes(bytes.subarray(0, at)))
      expect(error.code, `cut at ${at}`).toBe('bad-gguf')
    }
  })

  test('with any byte of its header changed is either refused with a reason or still a model', async () => {
    let state = 99
    const draw = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state % below
    }
    const outcomes = { refused: 0, loaded: 0 }
    for (let round = 0; round < 1500; round++) {
      const changed = Buffer.from(bytes)
      // Mostly the counts, the first entries and the tensor table; the vocabulary in between is long and harmless.
      const tableStart = bytes.indexOf('token_embd.weight') - 8
      const at =
        round % 3 === 0 ? draw(700) : round % 3 === 1 ? tableStart + draw(dataStart - tableStart) : draw(dataStart)
      changed[at] = round % 5 === 0 ? 255 : draw(256)
      if (round % 7 === 0) changed.writeBigUInt64LE(2n ** 63n - BigInt(draw(9)), Math.min(at, dataStart - 8))
      try {
        await loadBytes(changed)
        outcomes.loaded++
      } catch (error) {
        expect(error).toBeInstanceOf(AppError)
        expect((error as AppError).code, `byte ${at}`).not.toBe('worker-died')
        outcomes.refused++
      }
    }
    expect(outcomes.refused).toBeGreaterThan(300)
    expect(outcomes.loaded).toBeGreaterThan(100)
    await trainer.load({ ...load, modelPath: good })
    expect((await trainer.evaluate([batch])).every(({ lossSum }) => lossSum > 0)).toBe(true)
  })

  const strange: [string, () => Buffer, string, RegExp][] = [
    ['of another architecture', () => replaced('llama', 'gemma'), 'unsupported-architecture', /gemma/],
    [
      'with an unknown tensor',
      () => replaced('blk.0.ffn_up', 'blk.0.ffn_xx'),
      'unsupported-architecture',
      /blk\.0\.ffn_xx/,
    ],
    [
      'whose positions are scaled in an unknown way',
      () => Buffer.from(withMetadata(bytes, [{ key: 'llama.rope.scaling.type', type: 'string', value: 'spiral' }])),
      'unsupported-architecture',
      /spiral/,
    ],
    ['with a tensor twice', () => replaced('blk.0.attn_v', 'blk.0.attn_k'), 'bad-gguf', /blk\.0\.attn_k.*twice/],
    [
      'without a count of layers',
      () => replaced('llama.block_count', 'llama.block_xxxxx'),
      'bad-gguf',
      /llama\.block_count/,
    ],
    [
      'that is no GGUF',
      () => Buffer.from('PK\u0003\u0004 a zip file, perhaps a checkpoint of another program'),
      'bad-gguf',
      /not a GGUF/,
    ],
  ]
  test.each(strange)('%s is refused by name', async (_, make, code, words) => {
    const error = await refusal(loadBytes(make()))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(words)
  })

  test('that is missing, a folder or empty is refused', async () => {
    expect((await refusal(trainer.load({ ...load, modelPath: join(folder, 'none.gguf') }))).code).toBe('model-missing')
    expect((await refusal(trainer.load({ ...load, modelPath: folder }))).code).toBe('bad-gguf')
    expect((await refusal(loadBytes(Buffer.alloc(0)))).code).toBe('bad-gguf')
  })

  test('with a wrong shape or a type that cannot be trained is refused with the tensor named', async () => {
    const entry = bytes.indexOf('blk.0.attn_k.weight') + 'blk.0.attn_k.weight'.length
    const reshaped = Buffer.from(bytes)
    reshaped.writeBigUInt64LE(8n, entry + 4 + 8)
    expect((await refusal(loadBytes(reshaped))).message).toMatch(/blk\.0\.attn_k\.weight.*\[32, 8\].*\[32, 16\]/)
    const retyped = Buffer.from(bytes)
    retyped.writeUInt32LE(12, entry + 4 + 16)
    const error = await refusal(loadBytes(retyped))
    expect(error.code).toBe('bad-gguf')
    expect(error.message).toMatch(/blk\.0\.attn_k\.weight.*whole blocks/)
    retyped.writeUInt32LE(4000, entry + 4 + 16)
    expect((await refusal(loadBytes(retyped))).message).toMatch(/number 4000/)
  })

  test.each(['f32', 'f16', 'bf16', 'q8_0'] as const)(
    'holding NaN or infinity in %s is refused with the tensor named',
    async (type) => {
      const source = readFileSync(writeRandomLlama(join(folder, 'typed.gguf'), { ...shape, type }))
      const spot = readTensorTable(source).find(({ name }) => name === 'blk.0.ffn_down.weight')
      const at = (spot?.offset ?? 0) + (type === 'q8_0' ? 34 * 3 : 40)
      if (type === 'f32') source.writeFloatLE(Number.NaN, at)
      else source.writeUInt16LE(type === 'bf16' ? 0x7f80 : 0x7c00, at)
      const error = await refusal(loadBytes(source))
      expect(error.code).toBe('bad-gguf')
      expect(error.message).toMatch(/blk\.0\.ffn_down\.weight.*finite/)
    },
  )
})

describe('a request', () => {
  beforeAll(() => trainer.load({ ...load, modelPath: good }))
  const row = (tokens: number[], weights: number[]): Microbatch => ({
    rowLengths: [tokens.length],
    rowGroups: [0],
    tokens: Int32Array.from(tokens),
    weights: Float32Array.from(weights),
  })
  const wrong: [string, () => Microbatch[], RegExp][] = [
    [
      'with a row longer than a microbatch',
      () => [randomMicrobatch({ rowLengths: [65], vocabSize: 300, seed: 1 })],
      /Row 1 is 65 tokens.*64/,
    ],
    [
      'with a longer microbatch',
      () => [randomMicrobatch({ rowLengths: [40, 40], vocabSize: 300, seed: 1 })],
      /longer than the 64/,
    ],
    ['with a token outside the vocabulary', () => [row([1, shape.vocabSize], [0, 1])], /token 320/],
    ['with a negative token', () => [row([1, -1], [0, 1])], /token -1/],
    ['with a weight on a first token', () => [row([1, 2], [1, 1])], /first token/],
    ['with a weight that is no number', () => [row([1, 2], [0, Number.NaN])], /weight/],
    ['with a negative weight', () => [row([1, 2], [0, -1])], /weight/],
    ['in which nothing counts', () => [row([1, 2], [0, 0])], /counts towards the loss/],
    ['without rows', () => [], /no rows/],
    ['with fewer tokens than its rows say', () => [{ ...row([1, 2], [0, 1]), rowLengths: [9] }], /shorter/],
    ['with more tokens than its rows say', () => [{ ...row([1, 2, 3], [0, 1, 1]), rowLengths: [2] }], /longer/],
    [
      'with a row of no tokens',
      () => [{ ...row([1, 2], [0, 1]), rowLengths: [2, 0], rowGroups: [0, 0] }],
      /whole number/,
    ],
    ['with fewer groups than rows', () => [{ ...row([1, 2], [0, 1]), rowGroups: [] }], /groups/],
  ]
  test.each(wrong)('%s is refused', async (_, make, words) => {
    const error = await refusal(trainer.step(1e-3, make()))
    expect(error.code).toBe('bad-input')
    expect(error.message).toMatch(words)
  })

  test('to load with impossible settings is refused', async () => {
    const other = await startTrainer()
    const attempts: Partial<LoadRequest>[] = [
      { microbatchTokens: 0 },
      { optimizer: { ...plainAdam, beta1: 1 } },
      { optimizer: { ...plainAdam, eps: 0 } },
      { mode: 'lora' },
      { mode: 'lora', lora: { rank: 0, alpha: 1, seed: 1, targets: ['attn_q'] } },
      { mode: 'lora', lora: { rank: 4, alpha: 1, seed: 1, targets: [] } },
      { mode: 'frozen', init: { kind: 'random', seed: 1 } },
    ]
    for (const attempt of attempts)
      expect((await refusal(other.load({ ...load, modelPath: good, ...attempt }))).code).toBe('bad-input')
    expect((await refusal(other.step(1e-3, [batch]))).message).toMatch(/No model is loaded/)
    await other.close()
  })

  test('to train a model loaded for evaluation is refused', async () => {
    const other = await startTrainer()
    await other.load({ ...load, modelPath: good, mode: 'frozen' })
    expect(await other.evaluate([batch])).toHaveLength(2)
    for (const work of [other.step(1e-3, [batch]), other.gradients([batch]), other.saveCheckpoint(join(folder, 'c'))])
      expect((await refusal(work)).message).toMatch(/evaluation only/)
    expect((await refusal(other.export({ what: 'adapter', path: join(folder, 'a.gguf'), type: 'f32' }))).code).toBe(
      'bad-input',
    )
    await other.close()
  })

  test('that would need far more memory than there is, is refused before it is tried', async () => {
    const other = await startTrainer()
    const wide = writeRandomLlama(join(folder, 'wide.gguf'), { ...shape, layerCount: 24 })
    const error = await refusal(
      other.load({ ...load, modelPath: wide, microbatchTokens: 1 << 20, threads: 1 } as never),
    )
    expect(error.code).toBe('out-of-memory')
    await other.close()
  })

  test('whose loss or gradient is not finite names the tensor and step and leaves the weights alone', async () => {
    const other = await startTrainer()
    // A decay far beyond sense multiplies the weights by -1e5 a step, until they overflow.
    await other.load({ ...load, modelPath: good, optimizer: { ...plainAdam, weightDecay: 100 } })
    let error: AppError | undefined
    for (let round = 0; round < 40 && !error; round++) {
      const before = await other.evaluate([batch]).catch(() => undefined)
      error = await other.step(999, [batch]).then(
        () => undefined,
        (thrown: AppError) => thrown,
      )
      if (error && before) expect(await other.evaluate([batch])).toEqual(before)
    }
    expect(error?.code).toBe('not-finite')
    expect(error?.message).toMatch(/step \d+/)
    await other.close()
  })
})

describe('a broken conversation', () => {
  const talk = async (input: Buffer): Promise<{ code: number | null; signal: string | null; output: Buffer }> => {
    const child = spawn(trainerPath ?? '', [], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    return new Promise((resolve) =>
      child.once('close', (code, signal) => resolve({ code, signal, output: Buffer.concat(chunks) })),
    )
  }
  const frame = (text: string, payload = Buffer.alloc(0)) => {
    const start = Buffer.alloc(8)
    start.writeUInt32LE(Buffer.byteLength(text), 0)
    start.writeUInt32LE(payload.length, 4)
    return Buffer.concat([start, Buffer.from(text), payload])
  }

  test('ends cleanly at the end of input, also inside a frame', async () => {
    expect(await talk(Buffer.alloc(0))).toMatchObject({ code: 0 })
    expect(await talk(Buffer.from([9, 0]))).toMatchObject({ code: 0 })
    expect(await talk(frame('{"kind":"open"}').subarray(0, 12))).toMatchObject({ code: 0 })
  })

  test('ends with an error status, never a crash, on frames that are none', async () => {
    for (const input of [
      Buffer.alloc(64, 255),
      frame('{"kind":'),
      frame('nonsense'),
      frame(`${'['.repeat(200)}`),
      frame('{"a":1e999}'),
    ])
      expect(await talk(input)).toMatchObject({ code: 2, signal: null })
  })

  test('answers unknown and early requests with an error and goes on', async () => {
    const open = JSON.stringify({ id: 3, kind: 'open', libraryDir: findLibraryDir(root), threads: 1 })
    const input = [
      frame('{"id":1,"kind":"step"}'),
      frame('{"id":2}'),
      frame(open),
      frame(open),
      frame('{"id":4,"kind":"dance"}'),
    ]
    const { code, output } = await talk(Buffer.concat(input))
    expect(code).toBe(0)
    const text = output.toString('latin1')
    expect(text.match(/bad-request/g)).toHaveLength(4)
    expect(text).toMatch(/"id":3,"ok":\{"protocol":1/)
  })

  test('reports a library folder without the library, or with another version', async () => {
    const error = await refusal(startTrainer({ libraryDir: folder }))
    expect(error.code).toBe('trainer-failed')
    expect(error.message).toMatch(/could not be opened/)
  })
})
