// Every door through which a file comes in, with whole files to damage: what fuzzing feeds and what must come of it.

import { setTimeout } from 'node:timers/promises'
import { AppError, toAppError } from '../../main/contract/errors.ts'
import type { Branch } from '../../main/contract/taxonomy.ts'
import type { DocumentReader } from '../../main/compute/document-reader.ts'
import { chunkDocument } from '../../main/domain/chunking.ts'
import { parseExamFile } from '../../main/domain/exam-file.ts'
import { readGguf, writeGguf } from '../../main/domain/gguf.ts'
import { readModelFacts } from '../../main/domain/model-facts.ts'
import { readPublicRows } from '../../main/domain/public-rows.ts'
import { readQna } from '../../main/domain/qna.ts'
import { createRandom } from '../../main/domain/random.ts'
import { mutate, mutateMembers } from './mutations.ts'
import { linesAt, writePdf } from './pdf-writer.ts'
import { knowledge, skill } from './qna-texts.ts'
import { writeDocx } from './zip-writer.ts'

export interface FuzzTarget {
  name: string
  /** How many of a hundred inputs it gets. */
  share: number
  seeds: Uint8Array[]
  /** Takes the bytes in, or throws an AppError with a remedy. */
  take(bytes: Uint8Array): unknown
}

/** Real files to start from besides the made ones, by the target's name. */
export type FuzzCorpus = Partial<Record<string, Uint8Array[]>>

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text))
const words = 'The moor is wet in every season and the wren sings there all the year'
const html = `<!doctype html><html><body><main><h1>Moor</h1><p>${words}.</p><table><tr><th>Animal<th>Legs</tr><tr><td>wren<td>2</tr></table><ul><li>one<li>two</ul><pre>code</pre></main></body></html>`
const csv = 'name,legs,home\nwren,2,"hedge, low"\nheron,2,river\n"ox ""big""",4,field\n'
const rows =
  '{"question":"What is 1+1?","answer":"1+1=<<1+1=2>>2"}\n{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"}]}\n'
const exam = `{"question":"${words}?","answer":1,"choices":["${words}","heron"]}\n{"question":"${words}!","answer":"B","choices":["a","${words} too"]}\n`

/** All targets; `reader` takes the documents. */
export function fuzzTargets(reader: DocumentReader, corpus: FuzzCorpus = {}): FuzzTarget[] {
  const document = (name: string, share: number, seeds: Uint8Array[]): FuzzTarget => ({
    name,
    share,
    seeds: [...seeds, ...(corpus[name] ?? [])],
    async take(bytes) {
      const { text, pageStarts } = await reader.read(`file.${name}`, bytes)
      if (pageStarts?.some((start, at) => start < (pageStarts[at - 1] ?? 0) || start > text.length))
        throw new TypeError(`pages of ${name} do not begin in order`)
      return chunkDocument(text, { maxTokens: 200 })
    },
  })
  const text = (name: string, share: number, parts: { seeds: string[]; take(text: string): unknown }): FuzzTarget => ({
    name,
    share,
    seeds: [...parts.seeds.map(bytesOf), ...(corpus[name] ?? [])],
    take: (bytes) => parts.take(new TextDecoder().decode(bytes)),
  })
  const branches: Branch[] = ['knowledge', 'compositional_skills', 'foundational_skills']
  return [
    text('yaml', 25, {
      seeds: [knowledge(2), skill()],
      take: (file) => branches.map((branch) => checkQna(readQna(file, branch))),
    }),
    text('jsonl', 12, { seeds: [rows], take: readPublicRows }),
    text('exam', 8, { seeds: [exam], take: (file) => parseExamFile(file, 'exam.jsonl') }),
    {
      name: 'gguf',
      share: 15,
      seeds: [ggufSeed(), ...(corpus['gguf'] ?? [])],
      take: (bytes) => readModelFacts(readGguf(bytes), 'file.gguf', bytes.length),
    },
    document(
      'docx',
      10,
      [
        writeDocx([
          '# Moor',
          words,
          [
            ['a', 'b'],
            ['1', '2'],
          ],
          '## More',
          words,
        ]),
      ].map((file) => new Uint8Array(file)),
    ),
    document('pdf', 14, pdfSeeds()),
    document('html', 8, [bytesOf(html)]),
    document('csv', 5, [bytesOf(csv)]),
    document('md', 3, [bytesOf(`# Moor\n\n${words}.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n`)]),
  ]
}

function checkQna({ outcome, problems }: ReturnType<typeof readQna>): void {
  const bare = problems.find(({ remedy, line, column }) => remedy === '' || line < 1 || column < 1)
  if (bare) throw new TypeError(`a problem of ${outcome} has no remedy or no place: ${bare.message}`)
}

function ggufSeed(): Uint8Array {
  const tokens = Array.from({ length: 64 }, (_, at) => `token${at}`)
  return writeGguf(
    [
      { key: 'general.architecture', type: 'string', value: 'llama' },
      { key: 'general.alignment', type: 'u32', value: 32 },
      { key: 'llama.context_length', type: 'u32', value: 512 },
      { key: 'tokenizer.ggml.tokens', type: 'array', of: 'string', value: tokens },
      { key: 'tokenizer.chat_template', type: 'string', value: '{{ messages }}' },
    ],
    [{ name: 'token_embd.weight', shape: [8, 4], elements: new Float32Array(32) }],
  )
}

function pdfSeeds(): Uint8Array[] {
  const pages = [1, 2, 3].map((page) => [
    { x: 72, y: 40, text: 'The Moor Quarterly', size: 9 },
    ...linesAt(
      [72, 100],
      Array.from({ length: 8 }, (_, at) => `${words} ${at}`),
    ),
    ...['wren', '2', 'hedge', 'heron', '3', 'river'].map((text, at) => ({
      x: 72 + (at % 3) * 120,
      y: 300 + Math.floor(at / 3) * 16,
      text,
    })),
    { x: 290, y: 810, text: String(page), size: 9 },
  ])
  return [true, false].map((compressed) => new Uint8Array(writePdf(pages, { compressed })))
}

/** What became of one input. */
export type FuzzOutcome =
  | { kind: 'taken' | 'refused' | 'given up'; ms: number }
  | { kind: 'failed'; ms: number; why: string; bytes: Uint8Array }

/** Feeds one damaged input; the same round gives the same input. */
export async function feed(target: FuzzTarget, { seed, round }: { seed: string; round: number }): Promise<FuzzOutcome> {
  const random = createRandom(`fuzz ${seed} ${target.name} ${round}`)
  const original = random.pick(target.seeds)
  const isInside = target.name === 'docx' && random.int(2) === 0
  const bytes = isInside ? mutateMembers(original, random) : mutate(original, target.seeds, random)
  const started = performance.now()
  const done = <Kind extends string>(kind: Kind) => ({ kind, ms: performance.now() - started })
  try {
    await target.take(bytes)
    return done('taken')
  } catch (thrown) {
    const error = toAppError(thrown)
    if (thrown instanceof AppError && error.code !== 'internal' && error.remedy !== '')
      return done(/was given up/.test(error.message) ? 'given up' : 'refused')
    return {
      ...done('failed'),
      why: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      bytes,
    }
  } finally {
    // Timers and messages of the reader must get their turn between inputs that need none.
    await setTimeout(0)
  }
}
