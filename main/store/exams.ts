// Exams with their questions, and evaluations with every single answer. An exam is named by the hash of its questions, so importing
// one twice gives one. Totals are always counted from the answers.

import type { Evaluation, EvaluationDetail, Exam, ExamAnswer, ExamQuestion } from '../contract/exams.ts'
import type { CheckpointId, EvaluationId, ExamId, JobId, LeafPath, ModelId, TuningId } from '../contract/ids.ts'
import { wilsonInterval } from '../domain/statistics.ts'
import type { Database } from './open.ts'

/** Writes an exam and its questions; one with the same questions and kind is kept as it is and returned instead. */
export function insertExam(
  db: Database,
  exam: Omit<Exam, 'questionCount'> & { createdAtMs: number },
  questions: readonly ExamQuestion[],
): Exam {
  return db.transaction(() => {
    const same = db.prepare<[string], { id: ExamId }>('select id from exams where sha256 = ?').get(exam.sha256)
    if (same) return findExam(db, same.id) as Exam
    db.prepare(
      `insert into exams (id, name, kind, sha256, source, created_at_ms)
       values (@id, @name, @kind, @sha256, @source, @createdAtMs)`,
    ).run(exam)
    const insert = db.prepare(
      `insert into exam_questions (exam_id, question_index, leaf, question, accepted_json, choices_json, context)
       values (?, ?, ?, ?, ?, ?, ?)`,
    )
    questions.forEach((question, at) => {
      const { leaf, context, accepted, choices } = question
      insert.run(exam.id, at, leaf, question.question, JSON.stringify(accepted), JSON.stringify(choices), context)
    })
    return findExam(db, exam.id) as Exam
  })()
}

const selectExam = `select id, name, kind, sha256, source,
  (select count(*) from exam_questions where exam_id = exams.id) as questionCount from exams`

/** In the order they came. */
export function listExams(db: Database): Exam[] {
  return db.prepare<[], Exam>(`${selectExam} order by created_at_ms, rowid`).all()
}

/** The exam, or undefined. */
export function findExam(db: Database, id: ExamId): Exam | undefined {
  return db.prepare<[string], Exam>(`${selectExam} where id = ?`).get(id)
}

interface QuestionRecord {
  index: number
  leaf: LeafPath | null
  question: string
  acceptedJson: string
  choicesJson: string
  context: string
}

/** Questions of an exam in order. */
export function readQuestions(db: Database, id: ExamId): ExamQuestion[] {
  return db
    .prepare<[string], QuestionRecord>(
      `select question_index as "index", leaf, question, accepted_json as acceptedJson, choices_json as choicesJson, context
       from exam_questions where exam_id = ? order by question_index`,
    )
    .all(id)
    .map(({ acceptedJson, choicesJson, ...question }) => ({
      ...question,
      accepted: JSON.parse(acceptedJson) as string[],
      choices: JSON.parse(choicesJson) as string[],
    }))
}

/** Who takes an exam: a model as it is, or a checkpoint of a tuning. */
export interface Candidature {
  examId: ExamId
  modelId: ModelId
  modelName: string
  tuningId: TuningId | null
  phase: string
  checkpointId: CheckpointId | null
  jobId: JobId | null
}

/** Begins an evaluation. It is listed once it is finished. */
export function insertEvaluation(
  db: Database,
  evaluation: Candidature & { id: EvaluationId; createdAtMs: number },
): void {
  db.prepare(
    `insert into evaluations (id, exam_id, model_id, model_name, tuning_id, phase, checkpoint_id, job_id, created_at_ms)
     values (@id, @examId, @modelId, @modelName, @tuningId, @phase, @checkpointId, @jobId, @createdAtMs)`,
  ).run(evaluation)
}

/** An evaluation of the same exam by the same checkpoint, or by the same model in the same job, finished or not. */
export function findCandidature(
  db: Database,
  sought: Candidature,
): { id: EvaluationId; isFinished: boolean } | undefined {
  const found = db
    .prepare<[string, string | null, string, string | null], { id: EvaluationId; isFinished: number }>(
      `select id, is_finished as isFinished from evaluations where exam_id = ? and checkpoint_id is ?
         and model_id = ? and (checkpoint_id is not null or job_id is ?) order by created_at_ms desc limit 1`,
    )
    .get(sought.examId, sought.checkpointId, sought.modelId, sought.jobId)
  return found && { id: found.id, isFinished: found.isFinished === 1 }
}

/** True when a model as it is has a finished evaluation on an exam. */
export function hasModelEvaluation(db: Database, examId: ExamId, modelId: ModelId): boolean {
  const count = db
    .prepare<[string, string]>(
      'select count(*) from evaluations where exam_id = ? and model_id = ? and checkpoint_id is null and is_finished = 1',
    )
    .pluck()
    .get(examId, modelId)
  return Number(count) > 0
}

/** Indexes of the questions that have an answer. */
export function answeredIndexes(db: Database, id: EvaluationId): Set<number> {
  const found = db
    .prepare<[string]>('select question_index from evaluation_answers where evaluation_id = ?')
    .pluck()
    .all(id)
  return new Set(found as number[])
}

/** Writes answers in one transaction; a question answered already keeps its answer. */
export function saveAnswers(
  db: Database,
  id: EvaluationId,
  answers: readonly Pick<ExamAnswer, 'index' | 'answer' | 'isCorrect' | 'logLikelihoods'>[],
): void {
  const insert = db.prepare(
    `insert into evaluation_answers (evaluation_id, question_index, answer, is_correct, log_likelihoods_json)
     values (?, ?, ?, ?, ?) on conflict do nothing`,
  )
  db.transaction(() => {
    for (const answer of answers)
      insert.run(id, answer.index, answer.answer, answer.isCorrect ? 1 : 0, JSON.stringify(answer.logLikelihoods))
  })()
}

/** Marks an evaluation complete: every question has its answer. */
export function finishEvaluation(db: Database, id: EvaluationId): void {
  db.prepare('update evaluations set is_finished = 1 where id = ?').run(id)
}

type EvaluationRecord = Omit<Evaluation, 'interval' | 'perLeaf' | 'score'>
const selectEvaluation = `select evaluations.id, exam_id as examId, exams.name as examName, exams.kind as examKind,
    model_id as modelId, model_name as modelName, tuning_id as tuningId, phase, checkpoint_id as checkpointId, job_id as jobId,
    evaluations.created_at_ms as createdAtMs,
    (select count(*) from evaluation_answers where evaluation_id = evaluations.id) as total,
    (select coalesce(sum(is_correct), 0) from evaluation_answers where evaluation_id = evaluations.id) as correct
  from evaluations join exams on exams.id = exam_id`

/** Finished evaluations, oldest first. */
export function listEvaluations(db: Database): Evaluation[] {
  return db
    .prepare<[], EvaluationRecord>(
      `${selectEvaluation} where is_finished = 1 order by evaluations.created_at_ms, evaluations.rowid`,
    )
    .all()
    .map((found) => toEvaluation(db, found))
}

/** The evaluation with every answer, finished or not; undefined when there is none. */
export function findEvaluation(db: Database, id: EvaluationId): EvaluationDetail | undefined {
  const found = db.prepare<[string], EvaluationRecord>(`${selectEvaluation} where evaluations.id = ?`).get(id)
  return found && { ...toEvaluation(db, found), answers: readAnswers(db, id) }
}

function toEvaluation(db: Database, found: EvaluationRecord): Evaluation {
  const { correct, total } = found
  const perLeaf = db
    .prepare<[string], Evaluation['perLeaf'][number]>(
      `select leaf, sum(is_correct) as correct, count(*) as total from ${joinedAnswers}
       where evaluation_id = ? and leaf is not null group by leaf order by leaf`,
    )
    .all(found.id)
  return { ...found, score: total === 0 ? 0 : correct / total, interval: wilsonInterval(correct, total), perLeaf }
}

const joinedAnswers = `evaluation_answers join evaluations on evaluations.id = evaluation_id
  join exam_questions on exam_questions.exam_id = evaluations.exam_id and exam_questions.question_index = evaluation_answers.question_index`

interface AnswerRecord {
  index: number
  question: string
  acceptedJson: string
  answer: string
  isCorrect: number
  logLikelihoodsJson: string
}

function readAnswers(db: Database, id: EvaluationId): ExamAnswer[] {
  return db
    .prepare<[string], AnswerRecord>(
      `select evaluation_answers.question_index as "index", question, accepted_json as acceptedJson, answer,
         is_correct as isCorrect, log_likelihoods_json as logLikelihoodsJson
       from ${joinedAnswers} where evaluation_id = ? order by evaluation_answers.question_index`,
    )
    .all(id)
    .map(({ acceptedJson, logLikelihoodsJson, isCorrect, ...answer }) => ({
      ...answer,
      accepted: JSON.parse(acceptedJson) as string[],
      isCorrect: isCorrect === 1,
      logLikelihoods: JSON.parse(logLikelihoodsJson) as number[],
    }))
}
