// exam.* and evaluation.*: import exams, let models take them, read the results.

import { createHash, randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import type { Exam, ExamQuestion } from '../contract/exams.ts'
import type { ExamId, ModelId } from '../contract/ids.ts'
import { parseExamFile } from '../domain/exam-file.ts'
import { findEvaluation, findExam, insertExam, listEvaluations, listExams } from '../store/exams.ts'
import { findTuningOfModel } from '../store/tuning.ts'
import { noExam, takeExams } from './exams.ts'
import type { Handlers, JobContext, JobHandler, Lab } from './lab.ts'
import { requireModel } from './models.ts'

type ExamMethods = 'exam.list' | 'exam.import' | 'exam.start' | 'evaluation.list' | 'evaluation.get'

const largestExamBytes = 256 * 1024 * 1024

export function examMethods(lab: Lab): Handlers<ExamMethods> {
  return {
    'exam.list': () => listExams(lab.project().db),
    'exam.import': ({ path }) => importExam(lab, resolve(path)),
    'exam.start': (wish) => {
      const titles = {
        exams: wish.examIds.map((id) => requireExam(lab, id).name),
        models: wish.modelIds.map((id) => requireModel(lab, id).name),
      }
      const title = `Exams (${titles.exams.length}): ${titles.models.join(', ')}`.slice(0, 200)
      return {
        jobId: lab.jobs.start({ kind: 'evaluate', title, subject: wish.examIds.join(' '), parameters: wish }).id,
      }
    },
    'evaluation.list': () => listEvaluations(lab.project().db),
    'evaluation.get': ({ evaluationId }) => {
      const found = findEvaluation(lab.project().db, evaluationId)
      if (found) return found
      throw new AppError({
        code: 'not-found',
        message: `There is no evaluation ${evaluationId}.`,
        remedy: 'Pick one from the list.',
      })
    },
  }
}

/** What exam.start stores for its job. */
export interface ExamWish {
  examIds: ExamId[]
  modelIds: ModelId[]
}

/** Lets each model take all exams; what was answered before a pause stays. */
export function examHandler(lab: Lab): JobHandler {
  return async (context) => {
    const { examIds, modelIds } = context.parameters as ExamWish
    const questions = examIds.reduce((sum, id) => sum + requireExam(lab, id).questionCount, 0)
    let done = 0
    for (const modelId of modelIds) {
      const model = requireModel(lab, modelId)
      const tuning = findTuningOfModel(lab.project().db, modelId)
      const report = (count: number) => {
        done += count
        reportQuestions(context, { done, total: questions * modelIds.length, label: model.name })
      }
      const taker = {
        modelPath: model.path,
        modelId,
        modelName: model.name,
        tuningId: tuning?.id ?? null,
        phase: tuning?.plan.phases.at(-1)?.name ?? 'base',
        checkpointId: null,
        jobId: context.job.id,
      }
      const { threads } = lab.settings()
      const taken = await takeExams(lab, { taker, examIds, threads, signal: context.signal, onAnswered: report })
      if (!taken) return
    }
  }
}

function reportQuestions(context: JobContext, at: { done: number; total: number; label: string }): void {
  context.progress({
    ...at,
    label: `${at.label}: question ${at.done} of ${at.total}`,
    ratePerSecond: null,
    etaSeconds: null,
  })
}

/** Writes an exam of the project; the same questions of the same kind are kept once. */
export function addExam(
  lab: Lab,
  exam: { name: string; kind: Exam['kind']; source: string; questions: ExamQuestion[] },
): Exam {
  const { questions, ...rest } = exam
  const content = questions.map(({ leaf, question, accepted, choices, context }) => [
    leaf,
    question,
    accepted,
    choices,
    context,
  ])
  const sha256 = createHash('sha256')
    .update(JSON.stringify([exam.kind, content]))
    .digest('hex')
  const id = `exam-${randomBytes(6).toString('hex')}` as ExamId
  const added = insertExam(lab.project().db, { ...rest, id, sha256, createdAtMs: lab.now() }, questions)
  lab.emit({ kind: 'changed', what: 'exams' })
  return added
}

async function importExam(lab: Lab, path: string): Promise<Exam> {
  const fileName = basename(path)
  const source = await readExam(path)
  return addExam(lab, { name: fileName.replace(/\.[^.]+$/, ''), source: fileName, ...parseExamFile(source, fileName) })
}

async function readExam(path: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size <= largestExamBytes) return await readFile(path, 'utf8')
  } catch (thrown) {
    throw toAppError(thrown)
  }
  throw new AppError({
    code: 'bad-input',
    message: 'This exam is larger than 256 MB.',
    remedy: 'Split it into several exams.',
  })
}

function requireExam(lab: Lab, id: ExamId): Exam {
  const exam = findExam(lab.project().db, id)
  if (exam) return exam
  throw noExam(id)
}
