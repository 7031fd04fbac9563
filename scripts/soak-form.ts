// npm run soak:form: thousands of answers of every stage, each held to its form by the grammar, counted by whether they could be read. The
// demo's teacher answers its own prompts; a model of random weights, which says anything, answers the same ones. Ends with 1 when one
// answer in a hundred of a model could not be read. --calls N (a model), --short (limits cut to a quarter, so that most answers are
// too long), --sequences N, --threads N.

import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createLlamaHost } from '../main/compute/llama.ts'
import { createChatTemplate } from '../main/domain/chat-template.ts'
import {
  parseStageOutput,
  type PromptStage,
  coreStages,
  type PromptTemplate,
  renderPrompt,
  stageGrammar,
} from '../main/domain/prompts.ts'
import { stageSettings } from '../main/domain/stage-settings.ts'
import { readPromptPack, templateOf } from '../main/pipelines/prompt-packs.ts'
import { m15 } from './bench-cases.ts'
import { writeBenchModel } from './bench-model.ts'
import { root } from './steps.ts'

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '2000' },
    short: { type: 'boolean', default: false },
    sequences: { type: 'string', default: '16' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})

/** What the prompts are filled with; what it says does not matter to the form. */
const filling = {
  domain: 'harbours',
  outline: 'Facts about a harbour',
  chunk: 'The harbour of Merrow was built in 1612. Its light is tended by Ada Finch.',
  task: 'Write a short rhyme about a boat.',
  context: '',
  question: 'Who tends the light of Merrow?',
  answer: 'Ada Finch tends the light.',
  a: 'Ada Finch',
  b: 'Tom Reed',
  c: 'Nobody',
  d: 'The mayor',
}

interface Tally {
  calls: number
  unread: { stage: PromptStage; text: string; stop: string }[]
  closed: number
  outputTokens: number
  seconds: number
}

async function soak(modelPath: string): Promise<Tally> {
  const host = createLlamaHost()
  const pack = readPromptPack(join(root, 'main/prompts'), 'compact', 'en')
  try {
    const wish = { sequences: Number(options.sequences), threads: Number(options.threads), gpu: 'off' as const }
    const session = await host.openSession({ modelPath, contextTokens: 512, ...wish })
    const tally: Tally = { calls: 0, unread: [], closed: 0, outputTokens: 0, seconds: 0 }
    const { renderPrompt: render, stops } = createChatTemplate(session.reply.chat)
    const startedAt = performance.now()
    const ask = async (seed: number): Promise<void> => {
      const stage = coreStages[seed % coreStages.length]!
      const { maxTokens, ...sampling } = stageSettings(stage, 'compact')
      const limit = options.short ? Math.ceil(maxTokens / 4) : maxTokens
      const prompt = render(turnsOf(templateOf(pack, stage)))
      const request = { prompt, grammar: stageGrammar(stage), stops, seed, maxTokens: limit, ...sampling }
      const { text, stop, outputTokens } = await session.complete(request)
      tally.calls += 1
      tally.outputTokens += outputTokens
      if (stop === 'length') tally.closed += 1
      if (!isRead(stage, text)) tally.unread.push({ stage, text, stop })
    }
    await Promise.all(Array.from({ length: Number(options.calls) }, (_, seed) => ask(seed)))
    tally.seconds = (performance.now() - startedAt) / 1000
    return tally
  } finally {
    await host.close()
  }
}

function turnsOf(template: PromptTemplate): { role: 'system' | 'user'; content: string }[] {
  const { system, user } = renderPrompt(template, filling, [filling])
  return [
    { role: 'system', content: system },
    { role: 'user', content: user },
  ]
}

function isRead(stage: PromptStage, text: string): boolean {
  try {
    parseStageOutput(stage, text)
    return true
  } catch {
    return false
  }
}

const folder = mkdtempSync(join(tmpdir(), 'labdesk-soak-'))
try {
  const random = join(folder, 'random.gguf')
  writeBenchModel(random, m15)
  for (const model of [join(root, 'main/demo/models/teacher.gguf'), random]) {
    const { calls, unread, closed, outputTokens, seconds } = await soak(model)
    const rate = (outputTokens / seconds).toFixed(0)
    console.log(`${model}: ${calls} calls, ${unread.length} unread, ${closed} closed at their limit, ${rate} tokens/s`)
    for (const { stage, text, stop } of unread.slice(0, 5)) console.log(`  ${stage} (${stop}): ${JSON.stringify(text)}`)
    if (unread.length >= calls / 100) process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
