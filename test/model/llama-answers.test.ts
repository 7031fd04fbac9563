import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import type { Completion, CompletionRequest, LlamaHost, LlamaSession } from '../../main/compute/llama-protocol.ts'
import { parseStageOutput, promptStages, stageGrammar } from '../../main/domain/prompts.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

const modelPath = writeTinyGguf(join(mkdtempSync(join(tmpdir(), 'llama-answers-')), 'tiny.gguf'), {
  contextLength: 512,
})
let host: LlamaHost
let session: LlamaSession

beforeAll(async () => {
  host = createLlamaHost()
  session = await host.openSession({ modelPath, contextTokens: 512, sequences: 4, threads: 1, gpu: 'off' })
})
afterAll(() => host.close())

const ask = (request: Partial<CompletionRequest>, by: LlamaSession = session) =>
  by.complete({ prompt: '<s>hello there', maxTokens: 24, temperature: 1, seed: 1, ...request })
const askAll = (requests: Partial<CompletionRequest>[], by: LlamaSession = session) =>
  Promise.all(requests.map((request) => ask(request, by)))
const closedLine = /^Quote: (?!.*TS)[STU]+\nVerdict: (YES|NO)$/
const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)

describe('an answer that grows too long for its grammar', () => {
  it.each(promptStages)('has the form of the stage %s all the same', async (stage) => {
    const grammar = stageGrammar(stage)
    const answers = await askAll(seeds(24).map((seed) => ({ grammar, seed, maxTokens: 8 + seed })))
    for (const { text } of answers) expect(Object.keys(parseStageOutput(stage, text)).length).toBeGreaterThan(0)
    if (grammar.includes('line')) expect(answers.some(({ stop }) => stop === 'length')).toBe(true)
  })
  it('leaves real choices to the model', async () => {
    const grammar = stageGrammar('knowledge-faithful')
    const answers = await askAll(
      seeds(60).map((seed) => ({ prompt: `<s>${seed * 7919}`, grammar, seed, maxTokens: 12 })),
    )
    const verdicts = new Set(answers.map(({ text }) => parseStageOutput('knowledge-faithful', text).verdict))
    expect(verdicts).toEqual(new Set(['NO', 'YES']))
  })
  it('is closed where a stop text comes too early, without any part of it', async () => {
    const grammar = 'root ::= "Quote: " "ab" "STOP" [a-z]* "\\nVerdict: " ("YES" | "NO")'
    const answer = await ask({ grammar, stops: ['STOP'], temperature: 0 })
    expect(answer.text).toMatch(/^Quote: ab$/)
    const line = 'root ::= "Quote: " [S-U]+ "\\nVerdict: " ("YES" | "NO")'
    const answers = await askAll(seeds(60).map((seed) => ({ grammar: line, stops: ['TS'], seed, maxTokens: 60 })))
    for (const { text } of answers) expect(text).toMatch(closedLine)
    expect(answers.some(({ stop }) => stop === 'stop-text')).toBe(true)
  })
  it('is closed in time where the context ends first', async () => {
    const prompt = `<s>${'a'.repeat(440)}`
    const grammar = stageGrammar('knowledge-faithful')
    for (const { text, promptTokens, outputTokens } of await askAll(
      seeds(12).map((seed) => ({ prompt, grammar, seed, maxTokens: 500 })),
    )) {
      expect(parseStageOutput('knowledge-faithful', text).verdict).toMatch(/^(YES|NO)$/)
      expect(promptTokens + outputTokens).toBeLessThanOrEqual(512)
    }
  })
  it('is refused where not even its shortest form fits', async () => {
    const prompt = `<s>${'a'.repeat(490)}`
    await expect(ask({ prompt, grammar: stageGrammar('knowledge-qa') })).rejects.toMatchObject({ code: 'bad-input' })
  })
  it('never holds a token that has no text', async () => {
    // The grammar would admit the three characters of <s> too, which say nothing.
    const answers = await askAll(seeds(300).map((seed) => ({ grammar: 'root ::= [ -~]{3}', seed, temperature: 5 })))
    expect(new Set(answers.map(({ text }) => text.length))).toEqual(new Set([3]))
  })
  it('does not end before it may', async () => {
    const answers = await askAll(seeds(40).map((seed) => ({ seed, temperature: 3, minTokens: 20, maxTokens: 20 })))
    expect(new Set(answers.map(({ outputTokens }) => outputTokens))).toEqual(new Set([20]))
  })
})

describe('reasoning before the answer', () => {
  const thinking = { opening: '<think>', closing: '</think>', maxTokens: 30 }
  const grammar = stageGrammar('knowledge-self-contained')

  it('is kept apart, and ended where its budget ends', async () => {
    const answers = await askAll(seeds(8).map((seed) => ({ thinking, grammar, seed, maxTokens: 20 })))
    for (const answer of answers) {
      expect(answer.text).toMatch(/^Verdict: (YES|NO)$/)
      expect(answer.reasoning).not.toContain('think>')
    }
    const lengths = answers.map(({ reasoning = '' }) => reasoning.length)
    expect([Math.max(...lengths) > 20, Math.max(...lengths) <= 60]).toEqual([true, true])
  })
  it('is opened once, whether or not the prompt does it', async () => {
    const [open, closed] = await askAll([
      { prompt: '<s>hi<think>\n', thinking, grammar, temperature: 0 },
      { prompt: '<s>hi', thinking, grammar, temperature: 0 },
    ])
    expect(closed?.promptTokens).toBe(open?.promptTokens)
    expect(closed?.reasoning).toBe(open?.reasoning)
  })
  it('gives way to the answer where the context is short', async () => {
    const prompt = `<s>${'a'.repeat(400)}`
    const answer = await ask({ prompt, thinking: { ...thinking, maxTokens: 400 }, grammar, maxTokens: 20 })
    expect(answer.text).toMatch(/^Verdict: (YES|NO)$/)
  })
  it('streams the answer alone', async () => {
    const pieces: string[] = []
    const request = { prompt: '<s>x', thinking, grammar, maxTokens: 20, temperature: 1, seed: 3 }
    const { text } = await session.complete(request, { onText: (piece) => pieces.push(piece) })
    expect(pieces.join('')).toBe(text)
  })
})

describe('a prompt beginning that many share', () => {
  const shared = `<s>${'the old harbour lay under the hill. '.repeat(6)}`
  const open = () => host.openSession({ modelPath, contextTokens: 512, sequences: 4, threads: 1, gpu: 'off' })
  const sum = (answers: Completion[], what: 'promptTokens' | 'evaluatedPromptTokens') =>
    answers.reduce((total, answer) => total + answer[what], 0)
  const requests = seeds(16).map((seed) => ({
    prompt: `${shared}${seed} ${String(seed * 7919).repeat(2)}`,
    temperature: 0,
    seed,
  }))

  it('is evaluated once, although many lanes need it at the same time', async () => {
    const fresh = await open()
    const answers = await askAll(requests, fresh)
    expect(sum(answers, 'evaluatedPromptTokens')).toBeLessThan(sum(answers, 'promptTokens') / 5)
    await fresh.dispose()
  })
  it('is found again after other prompts went through every lane', async () => {
    const fresh = await open()
    const other = (seed: number) => ({ prompt: `<s>${String.fromCharCode(97 + seed).repeat(150)}`, seed, maxTokens: 4 })
    await askAll(requests.slice(0, 3), fresh)
    await askAll(seeds(8).map(other), fresh)
    const later = await askAll(requests.slice(3, 5), fresh)
    expect(sum(later, 'evaluatedPromptTokens')).toBeLessThan(sum(later, 'promptTokens') / 3)
    await fresh.dispose()
  })
  it('changes no greedy answer', async () => {
    const [alone, fresh] = [await open(), await open()]
    const expected: string[] = []
    for (const request of requests) expected.push((await ask(request, alone)).text)
    const [together, again] = [await askAll(requests, fresh), await askAll([...requests].reverse(), fresh)]
    expect(together.map(({ text }) => text)).toEqual(expected)
    expect(again.map(({ text }) => text).reverse()).toEqual(expected)
    await Promise.all([alone.dispose(), fresh.dispose()])
  })
  it('serves scores too', async () => {
    const fresh = await open()
    const scores = await Promise.all(
      requests.map(({ prompt }) => fresh.score({ prompt: `${prompt} so`, continuation: ' it is' })),
    )
    const one = await session.score({ prompt: `${requests[5]?.prompt} so`, continuation: ' it is' })
    // Half-precision caches keep the rounding of the batch they were made in.
    expect(Math.abs((scores[5]?.logLikelihood ?? 0) - one.logLikelihood)).toBeLessThan(0.02)
    await fresh.dispose()
  })
})
