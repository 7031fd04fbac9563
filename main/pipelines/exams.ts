// Letting a model take exams: choices by log-likelihood of each option, free answers greedily in the model's own chat form. Every
// answer is stored as it comes; a resumed evaluation asks only what has no answer yet.

import { randomBytes } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { Exam, ExamAnswer, ExamQuestion } from '../contract/exams.ts'
import type { EvaluationId, ExamId } from '../contract/ids.ts'
import type { LlamaSession, Score } from '../compute/llama-protocol.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import { createChatTemplate, type ChatTemplate } from '../domain/chat-template.ts'
import { isAccepted, likeliest, meanLogLikelihoods } from '../domain/exam-scoring.ts'
import { userTurn } from '../domain/user-turn.ts'
import {
  answeredIndexes,
  type Candidature,
  findCandidature,
  findExam,
  finishEvaluation,
  insertEvaluation,
  readQuestions,
  saveAnswers,
} from '../store/exams.ts'
import type { Lab } from './lab.ts'

/** A model, or a checkpoint exported for the purpose, that takes exams. */
export interface ExamTaker extends Omit<Candidature, 'examId'> {
  modelPath: string
  adapterPath?: string
}

export interface ExamSitting {
  taker: ExamTaker
  examIds: readonly ExamId[]
  threads: number
  signal: AbortSignal
  /** Called with each question answered now or found answered. */
  onAnswered?: (count: number) => void
}

/** Questions answered at the same time; bounded by the tokens their contexts take. */
const maxSequences = 16
const maxSessionTokens = 8192
const answersPerWrite = 32

interface Paper {
  exam: Exam
  evaluationId: EvaluationId
  open: ExamQuestion[]
}

/** Takes all the exams, or what is left of them. Ids in the order of `examIds`; null when the signal stopped it before the end. */
export async function takeExams(lab: Lab, sitting: ExamSitting): Promise<EvaluationId[] | null> {
  const papers = sitting.examIds.map((examId) => openPaper(lab, sitting, examId))
  const left = papers.filter((paper) => paper.open.length > 0)
  if (left.length > 0 && !sitting.signal.aborted) await answerPapers(lab, sitting, left)
  const { db } = lab.project()
  for (const paper of papers) {
    if (answeredIndexes(db, paper.evaluationId).size < paper.exam.questionCount) return null
    finishEvaluation(db, paper.evaluationId)
  }
  lab.emit({ kind: 'changed', what: 'exams' })
  return papers.map((paper) => paper.evaluationId)
}

function openPaper(lab: Lab, { taker, onAnswered }: ExamSitting, examId: ExamId): Paper {
  const { db } = lab.project()
  const exam = findExam(db, examId)
  if (!exam) throw noExam(examId)
  const { modelPath: _path, adapterPath: _adapter, ...who } = taker
  const candidature = { ...who, examId }
  const known = findCandidature(db, candidature)
  const evaluationId = known?.id ?? (`eval-${randomBytes(6).toString('hex')}` as EvaluationId)
  if (!known) insertEvaluation(db, { ...candidature, id: evaluationId, createdAtMs: lab.now() })
  const answered = answeredIndexes(db, evaluationId)
  onAnswered?.(answered.size)
  return { exam, evaluationId, open: readQuestions(db, examId).filter((question) => !answered.has(question.index)) }
}

async function answerPapers(lab: Lab, sitting: ExamSitting, papers: Paper[]): Promise<void> {
  const questions = papers.flatMap((paper) => paper.open)
  const { session, template, sequences } = await openFor(lab, sitting, questions)
  try {
    for (const paper of papers) {
      await answerPaper(lab, {
        sitting,
        paper,
        ask: { session, template, signal: sitting.signal },
        parallel: sequences,
      })
    }
  } finally {
    await session.dispose()
  }
}

/** Opens the model with room for these questions in its own chat form, which may add a long system prompt. */
async function openFor(
  lab: Lab,
  { taker: { modelPath, adapterPath }, threads }: ExamSitting,
  questions: ExamQuestion[],
): Promise<{ session: LlamaSession; template: ChatTemplate; sequences: number }> {
  const base = { modelPath, adapterPath, threads, gpu: lab.settings().gpu }
  // The first session only tells the chat form; the model it loads is shared with the second.
  const form = await openLastingSession(lab.llama, { ...base, contextTokens: 64, sequences: 1 })
  try {
    const template = createChatTemplate(form.reply.chat)
    const size = sessionSize(questions, template)
    return { session: await openLastingSession(lab.llama, { ...base, ...size }), template, sequences: size.sequences }
  } finally {
    await form.dispose()
  }
}

/** A token has at least one byte, so bytes bound tokens. */
function sessionSize(questions: ExamQuestion[], template: ChatTemplate): { contextTokens: number; sequences: number } {
  const frame = Buffer.byteLength(template.renderPrompt([{ role: 'user', content: '' }]))
  const longest = frame + Math.max(...questions.map((question) => questionBytes(question) + answerTokens(question)))
  const contextTokens = Math.ceil((longest + 64) / 64) * 64
  return { contextTokens, sequences: Math.max(1, Math.min(maxSequences, Math.floor(maxSessionTokens / contextTokens))) }
}

function questionBytes(question: ExamQuestion): number {
  const longestChoice = Math.max(0, ...question.choices.map((choice) => Buffer.byteLength(choice)))
  return Buffer.byteLength(userTurn(question.context, question.question)) + longestChoice
}

/** Room for an answer: a sentence around the longest accepted one. */
function answerTokens(question: ExamQuestion): number {
  const longest = Math.max(0, ...question.accepted.map((form) => Buffer.byteLength(form)))
  return Math.min(512, longest + 64)
}

interface Asking {
  session: LlamaSession
  template: ChatTemplate
  signal: AbortSignal
}
type Answer = Pick<ExamAnswer, 'index' | 'answer' | 'isCorrect' | 'logLikelihoods'>

async function answerPaper(
  lab: Lab,
  { sitting, paper, ask, parallel }: { sitting: ExamSitting; paper: Paper; ask: Asking; parallel: number },
): Promise<void> {
  const queue = [...paper.open]
  let unsaved: Answer[] = []
  const save = () => {
    saveAnswers(lab.project().db, paper.evaluationId, unsaved)
    sitting.onAnswered?.(unsaved.length)
    unsaved = []
  }
  const work = async () => {
    for (let question = queue.shift(); question && !ask.signal.aborted; question = queue.shift()) {
      const answer = await answerQuestion(ask, paper.exam, question)
      if (answer) unsaved.push(answer)
      if (unsaved.length >= answersPerWrite) save()
    }
  }
  try {
    await Promise.all(Array.from({ length: parallel }, work))
  } finally {
    save()
  }
}

/** Null when the signal cut the answer short. A question that does not fit the model counts as answered wrongly. */
async function answerQuestion(ask: Asking, exam: Exam, question: ExamQuestion): Promise<Answer | null> {
  try {
    const answer = await (exam.kind === 'choice' ? answerByChoice(ask, question) : answerFreely(ask, question))
    return ask.signal.aborted ? null : answer
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'bad-input') throw thrown
    return { index: question.index, answer: `(${thrown.message})`, isCorrect: false, logLikelihoods: [] }
  }
}

async function answerByChoice({ session, template }: Asking, question: ExamQuestion): Promise<Answer> {
  const prompt = template.renderPrompt(turnsOf(question))
  const scores: Score[] = []
  // One after the other: the next option finds the prompt evaluated already and costs only its own tokens.
  for (const continuation of question.choices) scores.push(await session.score({ prompt, continuation }))
  const means = meanLogLikelihoods(scores)
  const answer = question.choices[likeliest(means)] ?? ''
  return { index: question.index, answer, isCorrect: answer === question.accepted[0], logLikelihoods: means }
}

async function answerFreely({ session, template, signal }: Asking, question: ExamQuestion): Promise<Answer> {
  const completion = await session.complete(
    {
      prompt: template.renderPrompt(turnsOf(question)),
      maxTokens: answerTokens(question),
      temperature: 0,
      seed: 1,
      stops: template.stops,
    },
    { signal },
  )
  const answer = completion.text.trim()
  return { index: question.index, answer, isCorrect: isAccepted(answer, question.accepted), logLikelihoods: [] }
}

function turnsOf(question: ExamQuestion): { role: 'user'; content: string }[] {
  return [{ role: 'user', content: userTurn(question.context, question.question) }]
}

/** There is no exam of that id. */
export function noExam(id: ExamId): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no exam ${id}.`,
    remedy: 'Import the exam, or pick another one.',
  })
}
