// Job rows and their event log. An event's number rises by one within its job; only the oldest events of a very talkative job are dropped.

import type { ErrorFrame } from '../contract/errors.ts'
import type { JobId } from '../contract/ids.ts'
import type { Job, JobEvent, JobKind, JobProgress, JobState } from '../contract/jobs.ts'
import type { Database } from './open.ts'

/** Events kept for one job, and jobs shown in one list. */
const keptEvents = 5000
const listedJobs = 500

interface JobRow {
  id: JobId
  kind: JobKind
  title: string
  subject: string
  parameters_json: string
  state: JobState
  progress_json: string
  error_json: string | null
  created_at_ms: number
  started_at_ms: number | null
  ended_at_ms: number | null
}

function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    state: row.state,
    progress: JSON.parse(row.progress_json) as JobProgress,
    error: row.error_json === null ? null : (JSON.parse(row.error_json) as ErrorFrame),
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    subject: row.subject,
  }
}

/** Writes a new job at the end of the queue. */
export function insertJob(db: Database, job: Job, parameters: unknown): void {
  db.prepare(
    `insert into jobs (id, kind, title, subject, parameters_json, state, progress_json, queue_number, created_at_ms)
     values (?, ?, ?, ?, ?, ?, ?, (select coalesce(max(queue_number), 0) + 1 from jobs), ?)`,
  ).run(
    job.id,
    job.kind,
    job.title,
    job.subject,
    JSON.stringify(parameters ?? null),
    job.state,
    JSON.stringify(job.progress),
    job.createdAtMs,
  )
}

/** The job, or undefined when there is none of that id. */
export function findJob(db: Database, id: JobId): Job | undefined {
  const row = db.prepare<[string], JobRow>('select * from jobs where id = ?').get(id)
  return row && toJob(row)
}

/** What the job was started with. */
export function readJobParameters(db: Database, id: JobId): unknown {
  const text = db.prepare<[string], string>('select parameters_json from jobs where id = ?').pluck().get(id)
  return text === undefined ? null : JSON.parse(text as unknown as string)
}

/** Newest first. */
export function listJobs(db: Database): Job[] {
  return db
    .prepare<[number], JobRow>('select * from jobs order by created_at_ms desc, queue_number desc limit ?')
    .all(listedJobs)
    .map(toJob)
}

/** The queued job that has waited longest, apart from those named. */
export function nextQueuedJob(db: Database, except: readonly JobId[]): Job | undefined {
  const row = db
    .prepare<[string], JobRow>(
      `select * from jobs where state = 'queued' and id not in (select value from json_each(?))
       order by queue_number limit 1`,
    )
    .get(JSON.stringify(except))
  return row && toJob(row)
}

/** Moves a job to the end of the queue. */
export function requeueJob(db: Database, id: JobId): void {
  db.prepare(
    `update jobs set state = 'queued', error_json = null, ended_at_ms = null,
       queue_number = (select max(queue_number) + 1 from jobs) where id = ?`,
  ).run(id)
}

/** Writes state, progress, error and times of a job as they are in `job`. */
export function saveJob(db: Database, job: Job): void {
  db.prepare(
    'update jobs set state = ?, progress_json = ?, error_json = ?, started_at_ms = ?, ended_at_ms = ? where id = ?',
  ).run(
    job.state,
    JSON.stringify(job.progress),
    job.error === null ? null : JSON.stringify(job.error),
    job.startedAtMs,
    job.endedAtMs,
    job.id,
  )
}

export function saveJobProgress(db: Database, id: JobId, progress: JobProgress): void {
  db.prepare('update jobs set progress_json = ? where id = ?').run(JSON.stringify(progress), id)
}

/** Jobs that say they run or wait although nobody runs them: the last process that had this project ended without a word. */
export function unfinishedJobs(db: Database): Job[] {
  return db
    .prepare<[], JobRow>("select * from jobs where state in ('running', 'queued') order by queue_number")
    .all()
    .map(toJob)
}

/** Appends to a job's log and returns the event with its number. */
export function appendJobEvent(db: Database, event: Omit<JobEvent, 'number'>): JobEvent {
  const number = db
    .prepare<[string, string, number, string, string], number>(
      `insert into job_events (job_id, number, at_ms, kind, text)
       values (?, (select coalesce(max(number), 0) + 1 from job_events where job_id = ?), ?, ?, ?) returning number`,
    )
    .pluck()
    .get(event.jobId, event.jobId, event.atMs, event.kind, event.text) as unknown as number
  if (number % 500 === 0)
    db.prepare('delete from job_events where job_id = ? and number <= ?').run(event.jobId, number - keptEvents)
  return { ...event, number }
}

/** Events of a job after number `after`, oldest first; at most `limit`. */
export function listJobEvents(db: Database, id: JobId, after: number): JobEvent[] {
  return db
    .prepare<[string, number, number], JobEvent>(
      `select job_id as jobId, number, at_ms as atMs, kind, text from job_events
       where job_id = ? and number > ? order by number limit ?`,
    )
    .all(id, after, keptEvents)
}
