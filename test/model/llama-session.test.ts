import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import type { CompletionRequest, LlamaHost, LlamaSession } from '../../main/compute/llama-protocol.ts'
import { stageGrammar, parseStageOutput } from '../../main/domain/prompts.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'llama-session-'))
const modelPath = writeTinyGguf(join(folder, 'tiny.gguf'), { contextLength: 256 })
let host: LlamaHost
let session: LlamaSession

beforeAll(async () => {
  host = createLlamaHost()
  session = await host.openSession({ modelPath, contextTokens: 256, sequences: 4, threads: 1, gpu: 'off' })
})
afterAll(() => host.close())

const ask = (request: Partial<CompletionRequest>) =>
  session.complete({ prompt: '<s>hello there', maxTokens: 24, temperature: 1, seed: 1, ...request })

describe('a session', () => {
  it('says what the model is and how it wants a conversation written', () => {
    expect(session.reply).toMatchObject({ contextTokens: 256, trainContextTokens: 256, vocabSize: 346, gpu: 'none' })
    expect(session.reply.chat).toMatchObject({ bosText: '<s>', eosText: '</s>', addBos: true })
    expect(session.reply.chat.template).toContain('im_start')
  })
  it('reads a file anew that was written to the same path, also while the former one is in use', async () => {
    const path = join(folder, 'rewritten.gguf')
    const wish = { modelPath: path, contextTokens: 64, sequences: 1, threads: 1, gpu: 'off' } as const
    writeTinyGguf(path, { contextLength: 64 })
    const former = await host.openSession(wish)
    rmSync(path)
    writeTinyGguf(path, { contextLength: 32 })
    const latter = await host.openSession(wish)
    expect([former.reply.trainContextTokens, latter.reply.trainContextTokens]).toEqual([64, 32])
    await former.dispose()
    await latter.dispose()
  })
  it('gives the same answer for the same seed, alone or in company', async () => {
    const alone = await ask({ seed: 7, maxTokens: 40 })
    const company = await Promise.all([3, 7, 11, 13, 17, 19, 23].map((seed) => ask({ seed, maxTokens: 40 })))
    expect(company[1]?.text).toBe(alone.text)
    expect(new Set(company.map((completion) => completion.text)).size).toBeGreaterThan(3)
  })
  it('answers more requests than it has sequences, each in its grammar', async () => {
    const grammar = stageGrammar('knowledge-faithful')
    const answers = await Promise.all(Array.from({ length: 30 }, (_, seed) => ask({ seed, grammar, maxTokens: 100 })))
    const ended = answers.filter((answer) => answer.stop === 'end')
    expect(ended.length).toBeGreaterThan(15)
    for (const answer of ended)
      expect(parseStageOutput('knowledge-faithful', answer.text).verdict).toMatch(/^(YES|NO)$/)
  })
  it('recognises special tokens written out in a prompt', async () => {
    expect((await session.tokenize('<s>')).length).toBe(1)
    const tokens = await session.tokenize('<|im_start|>user\nhi<|im_end|>')
    expect(await session.detokenize(tokens)).toContain('<|im_end|>')
  })
  it('skips the part of a prompt a sequence has evaluated, and answers the same', async () => {
    const prompt = `<s>${'the cat sat on the mat. '.repeat(6)}`
    const first = await ask({ prompt, seed: 5 })
    const again = await ask({ prompt, seed: 5 })
    const longer = await ask({ prompt: `${prompt}and`, seed: 5 })
    expect(again.text).toBe(first.text)
    expect(longer.promptTokens).toBeGreaterThan(first.promptTokens)
  })
  it('ends an answer that fills the context, and refuses a prompt that leaves no room', async () => {
    const prompt = `<s>${'a'.repeat(240)}`
    const filled = await ask({ prompt, maxTokens: 500, grammar: 'root ::= [a-z]+', seed: 2 })
    expect(filled.promptTokens + filled.outputTokens).toBeLessThanOrEqual(256)
    await expect(ask({ prompt: `<s>${'a'.repeat(400)}` })).rejects.toMatchObject({ code: 'bad-input' })
    await expect(ask({ prompt: '' })).rejects.toMatchObject({ code: 'bad-input' })
  })
  it('stops at a stop text and streams only what belongs to the answer', async () => {
    const pieces: string[] = []
    const grammar = 'root ::= "abc" "STOP" "def"'
    const completion = await session.complete(
      { prompt: '<s>x', maxTokens: 40, temperature: 0, seed: 1, grammar, stops: ['STOP'] },
      { onText: (piece) => pieces.push(piece) },
    )
    expect(completion).toMatchObject({ text: 'abc', stop: 'stop-text' })
    expect(pieces.join('')).toBe('abc')
  })
  it('calls off an answer', async () => {
    const abort = new AbortController()
    const running = session.complete(
      { prompt: '<s>x', maxTokens: 200, temperature: 1, seed: 1, grammar: 'root ::= [a-z]+' },
      { signal: abort.signal, onText: () => abort.abort() },
    )
    expect((await running).stop).toBe('cancelled')
  })
  it('names a grammar that cannot be read', async () => {
    await expect(ask({ grammar: 'root ::= (' })).rejects.toMatchObject({ code: 'bad-input' })
  })
})

describe('score', () => {
  it('agrees with greedy decoding about the likeliest next token', async () => {
    const prompt = '<s>hello'
    const letters = [...'abcdefghij']
    const greedy = await ask({ prompt, temperature: 0, maxTokens: 1, grammar: 'root ::= [a-j]' })
    const scores = await Promise.all(letters.map((continuation) => session.score({ prompt, continuation })))
    const best =
      letters[scores.reduce((at, score, index) => (score.logLikelihood > scores[at]!.logLikelihood ? index : at), 0)]
    expect(greedy.text).toBe(best)
    expect(scores.reduce((sum, score) => sum + Math.exp(score.logLikelihood), 0)).toBeLessThanOrEqual(1)
  })
  it('adds up along a continuation', async () => {
    const both = await session.score({ prompt: '<s>q', continuation: 'xyz' })
    const parts = [
      await session.score({ prompt: '<s>q', continuation: 'x' }),
      await session.score({ prompt: '<s>qx', continuation: 'y' }),
      await session.score({ prompt: '<s>qxy', continuation: 'z' }),
    ]
    const sum = parts.reduce((total, part) => total + part.logLikelihood, 0)
    expect(both.tokens).toBe(parts.reduce((total, part) => total + part.tokens, 0))
    expect(both.logLikelihood).toBeCloseTo(sum, 3)
  })
  it('is the same among many scores and answers at once', async () => {
    const alone = await session.score({ prompt: '<s>question: ', continuation: 'because' })
    const [among] = await Promise.all([
      session.score({ prompt: '<s>question: ', continuation: 'because' }),
      ...[1, 2, 3, 4, 5].map((seed) => ask({ seed })),
      ...['x', 'y', 'z'].map((continuation) => session.score({ prompt: '<s>other ', continuation })),
    ])
    expect(among?.logLikelihood).toBeCloseTo(alone.logLikelihood, 3)
  })
})
