// Rows of a public dataset that stands in for generation in a foundational leaf: one JSON object a line, in any of the usual forms.
// A line that cannot be read becomes a problem; the others are kept.

import { z } from 'zod'
import type { QnaProblem } from '../contract/taxonomy.ts'

/** One row, whatever form it came in. */
export interface PublicRow {
  system: string
  context: string
  question: string
  answer: string
}

/** A foundational dataset is a file of at most this many rows. */
export const maxPublicRows = 200_000
const maxProblems = 10

const words = z.string().refine((text) => text.trim() !== '', 'is empty')
const turn = z.object({ role: z.string(), content: words })
/** GSM8K and plain pairs; InstructLab's train form; OpenAI messages; Alpaca. */
const forms = z.union([
  z
    .object({ question: words, answer: words, context: z.string().default(''), system: z.string().default('') })
    .transform((row): PublicRow => row),
  z
    .object({ user: words, assistant: words, system: z.string().default('') })
    .transform(
      ({ user, assistant, system }): PublicRow => ({ system, context: '', question: user, answer: assistant }),
    ),
  z.object({ messages: z.array(turn).min(2) }).transform(({ messages }, context): PublicRow => {
    const [first, ...rest] = messages
    const [user, assistant, ...more] = first?.role === 'system' ? rest : messages
    if (user?.role !== 'user' || assistant?.role !== 'assistant' || more.length > 0) {
      context.addIssue({ code: 'custom', message: 'is not one question and one answer' })
      return z.NEVER
    }
    return {
      system: first?.role === 'system' ? first.content : '',
      context: '',
      question: user.content,
      answer: assistant.content,
    }
  }),
  z.object({ instruction: words, output: words, input: z.string().default('') }).transform(
    ({ instruction, output, input }): PublicRow => ({
      system: '',
      context: input,
      question: instruction,
      answer: output,
    }),
  ),
])

/** Reads JSON lines. GSM8K's calculator notes (`<<48/2=24>>`) are left out: they are instructions to a tool, not words. */
export function readPublicRows(text: string): { rows: PublicRow[]; problems: QnaProblem[] } {
  const rows: PublicRow[] = []
  const problems: QnaProblem[] = []
  const refuse = (line: number, message: string, remedy: string) => {
    if (problems.length < maxProblems)
      problems.push({ severity: 'warning', line, column: 1, field: 'dataset.jsonl', message, remedy })
  }
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^\ufeff/, '').trim()
    if (line === '') continue
    if (rows.length === maxPublicRows) {
      refuse(
        at + 1,
        `Only the first ${maxPublicRows} rows were taken.`,
        'Make a smaller file of the rows that matter most.',
      )
      break
    }
    const row = readRow(line)
    if (row) rows.push(row)
    else {
      const remedy = 'Write one {"question": "...", "answer": "..."} a line.'
      refuse(at + 1, 'This line is not a row with a question and an answer.', remedy)
    }
  }
  return { rows, problems }
}

function readRow(line: string): PublicRow | null {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null
    throw thrown
  }
  const parsed = forms.safeParse(json)
  if (!parsed.success) return null
  const { system, context, question, answer } = parsed.data
  return { system, context, question, answer: answer.replace(/<<[^<>\n]*>>/g, '') }
}
