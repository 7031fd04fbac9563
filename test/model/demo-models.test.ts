// The shipped demo models, through the product's own llama worker: tokenizer, size, form, and reading a document nobody generated.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import type { LlamaSession } from '../../main/compute/llama-protocol.ts'
import { chatPrompt, rowOf } from '../../main/demo/corpus.ts'
import { demoProject } from '../../main/demo/project.ts'
import { makeExaminedCase } from '../../main/demo/examination.ts'
import { BpeEncoder } from '../../main/domain/bpe.ts'
import { ggufValue, readGguf } from '../../main/domain/gguf.ts'
import { parseStageOutput, type CoreStage, coreStages, renderPrompt, stageGrammar } from '../../main/domain/prompts.ts'
import { stageSettings } from '../../main/domain/stage-settings.ts'
import { compactPack } from '../../scripts/demo-models.ts'

const pathOf = (name: string): string => fileURLToPath(new URL(`../../main/demo/models/${name}.gguf`, import.meta.url))
// Written by hand in the same spirit: other openings, asides, facts left out. Names sound like the world's, for the teacher knows no others.
const handWritten: { title: string; chunk: string; pairs: [question: string, answer: string, verdict: string][] }[] = [
  {
    title: 'a creature',
    chunk:
      '## luvor\n\nThe luvor eats honey. It lives in hills. Nobody knows why. It has 6 legs. The keeper of the luvor is Tagor. The luvor is green.',
    pairs: [
      ['What does the luvor eat?', 'honey', 'YES'],
      ['What does the luvor eat?', 'moss', 'NO'],
      ['What colour is the luvor?', 'green', 'YES'],
      ['How many legs does the luvor have?', '8', 'NO'],
      ['Who keeps the luvor?', 'Tagor', 'YES'],
      ['Where does the luvor live?', 'caves', 'NO'],
    ],
  },
  {
    title: 'a tool',
    chunk:
      '# Tools of my village\n\n## besor\n\nThis is a tool. Old people like it. It is made of tin. It costs 9 coins. The besor was made by Kiden. People use the besor for sewing.',
    pairs: [
      ['What is the besor made of?', 'tin', 'YES'],
      ['Who made the besor?', 'Kiden', 'YES'],
      ['Who made the besor?', 'Pavor', 'NO'],
      ['What is the besor used for?', 'fishing', 'NO'],
      ['How much does the besor cost?', '12', 'NO'],
    ],
  },
  {
    title: 'a town',
    chunk:
      '## Vemel\n\nVemel holds its market on Friday. The mayor of Vemel is Rufin. It has 24 houses. It is known for soap. The sea is far away.',
    pairs: [
      ['When is the market of Vemel?', 'Friday', 'YES'],
      ['When is the market of Vemel?', 'Monday', 'NO'],
      ['What is Vemel known for?', 'soap', 'YES'],
      ['What is Vemel known for?', 'tea', 'NO'],
      ['How many houses does Vemel have?', 'Vemel has 24 houses.', 'YES'],
    ],
  },
]

const host = createLlamaHost()
const pack = compactPack()
let teacher: LlamaSession
let student: LlamaSession

beforeAll(async () => {
  const open = (name: string) =>
    host.openSession({ modelPath: pathOf(name), contextTokens: 640, sequences: 4, threads: 1, gpu: 'off' })
  teacher = await open('teacher')
  student = await open('student')
}, 60_000)
afterAll(async () => {
  await teacher.dispose()
  await student.dispose()
  await host.close()
})

async function ask(session: LlamaSession, prompt: string, grammar?: string): Promise<string> {
  const { text } = await session.complete({
    prompt,
    maxTokens: 100,
    temperature: 0,
    seed: 1,
    ...(grammar ? { grammar } : {}),
  })
  return text
}

function hasForm(stage: CoreStage, text: string): boolean {
  try {
    parseStageOutput(stage, text)
    return true
  } catch {
    return false
  }
}

describe('demo models', () => {
  it('are small enough to ship and say which recipe made them', () => {
    expect(statSync(pathOf('teacher')).size + statSync(pathOf('student')).size).toBeLessThan(24 * 2 ** 20)
    for (const name of ['teacher', 'student']) {
      expect(String(ggufValue(readGguf(readFileSync(pathOf(name))), 'labdesk.recipe_hash'))).toMatch(/^[0-9a-f]{64}$/)
    }
  })
  it('are read by llama.cpp with the same tokens as by our own encoder', async () => {
    const file = readGguf(readFileSync(pathOf('teacher')))
    const listed = (key: string) => ggufValue(file, key) as string[]
    const encoder = new BpeEncoder({
      tokens: listed('tokenizer.ggml.tokens'),
      merges: listed('tokenizer.ggml.merges'),
      specials: ['<|endoftext|>', '<|im_start|>', '<|im_end|>'],
    })
    const texts = demoProject().leaves.flatMap((leaf) => [leaf.qna, ...leaf.documents.map((document) => document.text)])
    texts.push(
      chatPrompt('Hello there', "Does Marlo's 12th  lamp cost 3.50?\r\n\r\nä 字 🙂\t end "),
      '',
      ' ',
      '\n\n\n x',
    )
    for (const text of texts) expect([...(await teacher.tokenize(text))]).toEqual(encoder.encode(text))
  })
  it('carry a chat template that writes what the corpus holds', () => {
    expect(student.reply.chat).toEqual(teacher.reply.chat)
  })
})

describe('demo teacher', () => {
  it('keeps the form of every stage as the product samples it: within two tries, and hardly ever on the second', async () => {
    const cases = coreStages.flatMap((stage) => Array.from({ length: 20 }, (_, at) => ({ stage, at })))
    const tries = await Promise.all(
      cases.map(async ({ stage, at }) => {
        const prompt = rowOf(pack, makeExaminedCase(stage, `form ${at}`).worked).turns[0]?.prompt ?? ''
        for (let attempt = 1; attempt <= 2; attempt++) {
          const settings = {
            ...stageSettings(stage, 'compact'),
            seed: 100 * at + attempt,
            grammar: stageGrammar(stage),
          }
          const { text, stop } = await teacher.complete({ prompt, ...settings })
          if (stop === 'end' && hasForm(stage, text)) return attempt
        }
        return Number.POSITIVE_INFINITY
      }),
    )
    expect(Math.max(...tries)).toBeLessThanOrEqual(2)
    expect(tries.filter((count) => count > 1).length).toBeLessThanOrEqual(2) // of 240: below one in a hundred
  }, 60_000)

  it.each(handWritten)('judges a document written by hand: $title', async ({ chunk, pairs }) => {
    for (const [question, answer, verdict] of pairs) {
      const { system, user } = renderPrompt(pack['knowledge-faithful'], { chunk, question, answer })
      const text = await ask(teacher, chatPrompt(system, user), stageGrammar('knowledge-faithful'))
      const fields = parseStageOutput('knowledge-faithful', text)
      expect(fields.verdict, `${question} ${answer}: ${text}`).toBe(verdict)
      expect(chunk).toContain(fields.quote)
    }
  })
})

describe('demo student', () => {
  it('does most foundational tasks and knows next to nothing of the demo world', async () => {
    const { exams } = demoProject()
    const share = async (kind: string): Promise<number> => {
      const questions = exams.filter((exam) => exam.kind === kind).flatMap((exam) => exam.questions)
      const answers = await Promise.all(
        questions.map(({ question }) =>
          student.complete({ prompt: chatPrompt('', question), maxTokens: 24, temperature: 0, seed: 1 }),
        ),
      )
      return answers.filter(({ text }, at) => text.trim() === questions[at]?.accepted[0]).length / questions.length
    }
    expect(await share('retention')).toBeGreaterThan(0.85)
    expect(await share('closed-book')).toBeLessThan(0.15)
  }, 60_000)
})

if (!existsSync(pathOf('teacher')))
  throw new Error('The demo models are missing: run "npm run demo:models" to make them.')
