// Exam files: one JSON object a line, {question, answer | accepted, choices?, context?, leaf?, kind?}. Reads text, refuses a bad line with
// its number and what to do; an exam is taken whole or not at all.

import { z } from 'zod'
import { AppError } from '../contract/errors.ts'
import { type ExamKind, examKinds, type ExamQuestion } from '../contract/exams.ts'
import type { LeafPath } from '../contract/ids.ts'

const text = z.string().trim().min(1).max(20_000)
const line = z.object({
  question: text,
  answer: z.union([text, z.number(), z.array(text).min(1)]).optional(),
  accepted: z.union([text, z.array(text).min(1)]).optional(),
  choices: z.array(text).min(2).max(26).optional(),
  context: z.string().max(100_000).optional(),
  leaf: z.string().max(400).optional(),
  kind: z.enum(examKinds).optional(),
})
type Line = z.infer<typeof line>

const maxQuestions = 100_000

/** Reads an exam. Its kind is what the lines say, else `choice` where they have choices, else what the file's name says, else `closed-book`. */
export function parseExamFile(source: string, fileName: string): { kind: ExamKind; questions: ExamQuestion[] } {
  const lines = source
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((content, at) => ({ content, number: at + 1 }))
    .filter(({ content }) => content.trim() !== '')
  if (lines.length === 0)
    throw badExam('holds no questions', 'Write one JSON object a line, e.g. {"question": "...", "answer": "..."}.')
  if (lines.length > maxQuestions)
    throw badExam(`holds more than ${maxQuestions} questions`, 'Split it into several exams.')
  const read = lines.map(({ content, number }) => ({ number, ...readLine(content, number) }))
  const kind = read.find((one) => one.kind)?.kind ?? (read[0]?.choices ? 'choice' : kindOfName(fileName))
  return { kind, questions: read.map((one, index) => toQuestion(one, { kind, index, number: one.number })) }
}

function readLine(content: string, number: number): Line {
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (thrown) {
    throw badLine(number, 'is not JSON', thrown instanceof Error ? thrown.message : undefined)
  }
  const parsed = line.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw badLine(number, `is not valid at "${issue?.path.join('.') || 'its top'}": ${issue?.message ?? ''}`)
}

function toQuestion(
  one: Line,
  { kind, index, number }: { kind: ExamKind; index: number; number: number },
): ExamQuestion {
  const given = one.accepted ?? one.answer
  if (given === undefined) throw badLine(number, 'has neither "answer" nor "accepted"')
  const accepted = Array.isArray(given) ? given : [String(given)]
  const choices = one.choices ?? []
  const question = {
    index,
    leaf: (one.leaf ?? null) as LeafPath | null,
    question: one.question,
    context: one.context ?? '',
  }
  if (kind !== 'choice') return { ...question, accepted, choices: [] }
  const right = rightChoice(given, choices)
  if (right === undefined) throw badLine(number, 'does not have its right answer among its "choices"')
  return { ...question, accepted: [right], choices }
}

/**
 * The right option. A JSON number is its place counted from 0, as MMLU files give it, even where options are numbers themselves (and
 * the option's text where there is no such place); a string is its text, else its letter (`B`) or place (`1`).
 */
function rightChoice(given: string | number | string[], choices: readonly string[]): string | undefined {
  if (typeof given === 'number' && choices[given] !== undefined) return choices[given]
  const answer = String(Array.isArray(given) ? given[0] : given)
  if (choices.includes(answer)) return answer
  if (/^[A-Z]$/i.test(answer)) return choices[answer.toUpperCase().charCodeAt(0) - 65]
  return /^\d{1,2}$/.test(answer) ? choices[Number(answer)] : undefined
}

function kindOfName(fileName: string): ExamKind {
  const name = fileName.toLowerCase().replaceAll('_', '-')
  return (['retention', 'skill', 'closed-book'] as const).find((kind) => name.includes(kind)) ?? 'closed-book'
}

function badLine(number: number, what: string, detail?: string): AppError {
  const remedy = `Correct line ${number} of the file and import it again.`
  return new AppError({ code: 'bad-input', message: `Line ${number} of the exam ${what}.`, remedy, detail })
}

function badExam(what: string, remedy: string): AppError {
  return new AppError({ code: 'bad-input', message: `This exam ${what}.`, remedy })
}
