// What no sample may repeat: questions and contexts of every exam of the project, and the texts of held-out files. On by default wherever
// samples are made or frozen; what was checked against what is kept with the run and the dataset.

import { createHash, randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import type { HeldOutFile, HeldOutSource } from '../contract/twins.ts'
import { type Contamination, createContaminationCheck } from '../domain/contamination.ts'
import { heldOutTexts } from '../domain/held-out-texts.ts'
import { listExams, readQuestions } from '../store/exams.ts'
import { deleteHeldOut, insertHeldOut, listHeldOut, readHeldOutTexts } from '../store/held-out.ts'
import type { Handlers, Lab, OpenProject } from './lab.ts'

/** Words in a row that count as repetition, as is usual for training data. */
export const runWords = 13
const largestFileBytes = 64 * 1024 * 1024

export interface HeldOutCheck {
  sources: HeldOutSource[]
  /** Questions of all exams, for a check by meaning. */
  examQuestions: string[]
  /** What a text repeats, or null. */
  find(text: string): (Contamination & { source: string }) | null
}

/** A check against everything the project holds out now. */
export function createHeldOutCheck({ db }: OpenProject): HeldOutCheck {
  const sourceOf = new Map<string, string>()
  const sources: HeldOutSource[] = []
  const examQuestions: string[] = []
  const add = (kind: HeldOutSource['kind'], name: string, texts: readonly string[]) => {
    sources.push({ kind, name, textCount: texts.length })
    for (const text of texts) if (!sourceOf.has(text)) sourceOf.set(text, name)
  }
  for (const { id, name } of listExams(db)) {
    const questions = readQuestions(db, id)
    examQuestions.push(...questions.map(({ question }) => question))
    add(
      'exam',
      name,
      questions.flatMap(({ question, context }) => (context === '' ? [question] : [question, context])),
    )
  }
  for (const { id, name } of listHeldOut(db)) add('file', name, readHeldOutTexts(db, id))
  const check = createContaminationCheck([...sourceOf.keys()], runWords)
  return {
    sources,
    examQuestions: [...new Set(examQuestions)],
    find(text) {
      const found = check(text)
      return found && { ...found, source: sourceOf.get(found.examText) ?? '' }
    },
  }
}

/** The rule's words for what was found. */
export function repeats({ source, words }: { source: string; words: string }): string {
  return `It repeats the held-out ${source}: "${words.slice(0, 200)}".`
}

type HeldOutMethods = 'heldout.list' | 'heldout.add' | 'heldout.remove'

export function heldOutMethods(lab: Lab): Handlers<HeldOutMethods> {
  return {
    'heldout.list': () => listHeldOut(lab.project().db),
    'heldout.add': ({ path }) => addHeldOut(lab, resolve(path)),
    'heldout.remove': ({ id }) => {
      if (!deleteHeldOut(lab.project().db, id)) throw noFile(id)
      lab.emit({ kind: 'changed', what: 'exams' })
      return null
    },
  }
}

async function addHeldOut(lab: Lab, path: string): Promise<HeldOutFile> {
  const name = basename(path)
  const bytes = await readLimited(path)
  const texts = heldOutTexts(name, decode(bytes, name))
  if (texts.length === 0) throw nothingIn(name)
  const file = {
    id: `heldout-${randomBytes(6).toString('hex')}`,
    name,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    createdAtMs: lab.now(),
  }
  const added = insertHeldOut(lab.project().db, file, texts)
  lab.emit({ kind: 'changed', what: 'exams' })
  return added
}

async function readLimited(path: string): Promise<Buffer> {
  const found = await stat(path).catch((thrown: unknown) => {
    throw toAppError(thrown)
  })
  if (!found.isFile())
    throw new AppError({
      code: 'bad-input',
      message: `${path} is not a file.`,
      remedy: 'Choose a text, Markdown, JSON or JSONL file.',
    })
  if (found.size > largestFileBytes)
    throw new AppError({
      code: 'bad-input',
      message: `${basename(path)} is larger than 64 MB.`,
      remedy: 'Split it into several files.',
    })
  return readFile(path).catch((thrown: unknown) => {
    throw toAppError(thrown)
  })
}

function decode(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new AppError({
      code: 'bad-input',
      message: `${name} is not text in UTF-8.`,
      remedy: 'Save it as plain text, Markdown, JSON or JSONL in UTF-8 and add it again.',
    })
  }
}

function nothingIn(name: string): AppError {
  return new AppError({
    code: 'bad-input',
    message: `${name} holds no text that could be repeated.`,
    remedy: 'Choose a file with questions or passages of a few words at least.',
  })
}
function noFile(id: string): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no held-out file ${id}.`,
    remedy: 'Refresh the list and pick one of its files.',
  })
}
