// Runs durable jobs, one at a time: a row, a log with numbers, and a handler that continues from whatever the store says is left.
// Invariant: a row says `running` only while its handler runs here, or after this process was killed (the next start says `interrupted`).

import { randomBytes } from 'node:crypto'
import type { EngineEvent } from '../contract/api.ts'
import { AppError } from '../contract/errors.ts'
import type { JobId } from '../contract/ids.ts'
import type { Job, JobEvent, JobKind, JobProgress } from '../contract/jobs.ts'
import {
  appendJobEvent,
  findJob,
  insertJob,
  listJobEvents,
  listJobs,
  nextQueuedJob,
  readJobParameters,
  requeueJob,
  saveJob,
  saveJobProgress,
  unfinishedJobs,
} from '../store/jobs.ts'
import { type Database, fromSqlite } from '../store/open.ts'
import { createRateMeter } from './job-rate.ts'
import type { JobHandler, JobRunner } from './lab.ts'

export interface JobRunnerOptions {
  db: Database
  handlers: Partial<Record<JobKind, JobHandler>>
  emit: (event: EngineEvent) => void
  now: () => number
  log: (line: string) => void
}

const emitGapMs = 100
const saveGapMs = 500
const notBegun: JobProgress = { done: 0, total: 0, label: '', ratePerSecond: null, etaSeconds: null }

/** Why a running job was asked to stop, which decides the state it ends in. */
type Stop = 'paused' | 'cancelled' | 'interrupted' | 'queued'

/** The one job whose handler runs. */
interface Running {
  job: Job
  abort: AbortController
  stop: Stop | null
  ended: Promise<void>
  emitTimer: NodeJS.Timeout | undefined
  savedAtMs: number
}

/** The runner of one open project. The engine closes it before it closes the database. */
export class Jobs implements JobRunner {
  readonly #options: JobRunnerOptions
  readonly #settling = new Map<JobId, ((job: Job) => void)[]>()
  /** States that could not be written (full disk): what callers see until a later write succeeds. */
  readonly #unsaved = new Map<JobId, Job>()
  #running: Running | null = null
  #isClosed = false

  /** Whatever an earlier process left `running` or `queued` is now `interrupted` and waits to be resumed. */
  constructor(options: JobRunnerOptions) {
    this.#options = options
    for (const job of unfinishedJobs(options.db)) {
      const words = job.state === 'running' ? 'The app ended while this ran.' : 'The app ended before this began.'
      this.#change({ ...job, state: 'interrupted' }, words)
    }
  }

  handler(kind: JobKind): JobHandler {
    const found = this.#options.handlers[kind]
    if (found) return found
    throw new AppError({
      code: 'internal',
      message: `This version of Labdesk cannot run jobs of kind ${kind}.`,
      remedy: 'Update Labdesk.',
    })
  }

  get(id: JobId): Job {
    const job =
      this.#running?.job.id === id ? this.#running.job : (this.#unsaved.get(id) ?? findJob(this.#options.db, id))
    if (job) return job
    throw new AppError({
      code: 'not-found',
      message: `There is no job ${id}.`,
      remedy: 'List the jobs and pick one of them.',
    })
  }

  /** Newest first. */
  list(): Job[] {
    return listJobs(this.#options.db).map((job) => this.get(job.id))
  }

  /** The job's log after event `after`, oldest first. */
  events(id: JobId, after: number): JobEvent[] {
    return listJobEvents(this.#options.db, this.get(id).id, after)
  }

  /** The job whose handler runs right now. */
  active(): Job | null {
    return this.#running?.job ?? null
  }

  start({ kind, title, subject, parameters }: Parameters<JobRunner['start']>[0]): Job {
    this.handler(kind)
    const id = `job-${randomBytes(6).toString('hex')}` as JobId
    const job: Job = {
      id,
      kind,
      title,
      subject,
      state: 'queued',
      progress: notBegun,
      error: null,
      createdAtMs: this.#options.now(),
      startedAtMs: null,
      endedAtMs: null,
    }
    insertJob(this.#options.db, job, parameters)
    this.#change(job, '')
    this.#pump()
    return this.get(id)
  }

  pause(id: JobId): Job {
    const job = this.get(id)
    if (this.#running?.job.id === id) return this.#stop(this.#running, 'paused')
    if (job.state === 'queued') return this.#change({ ...job, state: 'paused' }, '')
    if (job.state === 'paused' || job.state === 'interrupted') return job
    throw alreadyEnded(job, 'paused')
  }

  resume(id: JobId): Job {
    const job = this.get(id)
    if (this.#running?.job.id === id) {
      if (this.#running.stop === 'paused') this.#running.stop = 'queued'
      return this.#running.job
    }
    if (job.state === 'queued') return job
    if (job.state === 'done' || job.state === 'cancelled') throw alreadyEnded(job, 'resumed')
    requeueJob(this.#options.db, id)
    this.#change({ ...job, state: 'queued', error: null, endedAtMs: null }, '')
    this.#pump()
    return this.get(id)
  }

  cancel(id: JobId): Job {
    const job = this.get(id)
    if (this.#running?.job.id === id) return this.#stop(this.#running, 'cancelled')
    if (job.state === 'done' || job.state === 'cancelled') throw alreadyEnded(job, 'cancelled')
    return this.#change({ ...job, state: 'cancelled', endedAtMs: this.#options.now() }, '')
  }

  settled(id: JobId): Promise<Job> {
    const job = this.get(id)
    if (job.state !== 'queued' && job.state !== 'running') return Promise.resolve(job)
    return new Promise((resolve) => this.#settling.set(id, [...(this.#settling.get(id) ?? []), resolve]))
  }

  /** Stops the running handler at its next safe point and waits for it, at most `boundMs`. Its job becomes `interrupted`. */
  async close(boundMs: number): Promise<void> {
    this.#isClosed = true
    const mine = this.#running
    if (!mine) return
    mine.stop ??= 'interrupted'
    mine.abort.abort()
    let timer: NodeJS.Timeout | undefined
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, boundMs)
    })
    await Promise.race([mine.ended, bound])
    clearTimeout(timer)
    clearTimeout(mine.emitTimer)
  }

  /** Writes a job's new state and tells everyone. A full disk must not hide the news, so telling comes even when writing fails. */
  #change(job: Job, words: string): Job {
    const { db, now, log, emit } = this.#options
    try {
      db.transaction(() => {
        saveJob(db, job)
        const text = words ? `${job.state}: ${words}` : job.state
        appendJobEvent(db, { jobId: job.id, atMs: now(), kind: 'state', text })
      })()
      this.#unsaved.delete(job.id)
    } catch (thrown) {
      this.#unsaved.set(job.id, job)
      log(`job ${job.id}: state ${job.state} could not be stored: ${fromSqlite(thrown).message}`)
    }
    emit({ kind: 'job', job })
    if (job.state === 'queued' || job.state === 'running') return job
    const resolvers = this.#settling.get(job.id) ?? []
    this.#settling.delete(job.id)
    for (const resolve of resolvers) resolve(job)
    return job
  }

  #pump(): void {
    if (this.#running || this.#isClosed) return
    // A job whose end could not be written still stands in the queue of the database; it has had its turn.
    const ended = [...this.#unsaved.values()].filter(({ state }) => state !== 'queued').map(({ id }) => id)
    const next = nextQueuedJob(this.#options.db, ended)
    if (next) this.#run(next)
  }

  #run(queued: Job): void {
    const { now, log } = this.#options
    const job: Job = {
      ...queued,
      state: 'running',
      error: null,
      startedAtMs: queued.startedAtMs ?? now(),
      endedAtMs: null,
    }
    const mine: Running = {
      job,
      abort: new AbortController(),
      stop: null,
      ended: Promise.resolve(),
      emitTimer: undefined,
      savedAtMs: 0,
    }
    this.#running = mine
    this.#change(job, '')
    mine.ended = this.#carryOut(mine)
      .then((ended) => {
        clearTimeout(mine.emitTimer)
        this.#running = null
        this.#change(ended, ended.error?.message ?? '')
        if (ended.state === 'queued') requeueJob(this.#options.db, ended.id)
        this.#pump()
      })
      .catch((thrown: unknown) => log(`job ${job.id}: the queue stopped: ${fromSqlite(thrown).message}`))
  }

  /** Runs the handler to its end, whatever that is, and answers with the job as it ended. Never rejects. */
  async #carryOut(mine: Running): Promise<Job> {
    const { db, now, log } = this.#options
    const { job } = mine
    const meter = createRateMeter()
    try {
      // A turn later, so that whoever started the job has it in hand before the handler speaks; it may have been stopped by then.
      await Promise.resolve()
      if (mine.stop === null)
        await this.handler(job.kind)({
          job,
          parameters: readJobParameters(db, job.id),
          signal: mine.abort.signal,
          progress: (progress) => this.#report(mine, meter.measure(progress, now())),
          log: (text) => this.#note(job.id, 'log', text),
        })
    } catch (thrown) {
      const error = fromSqlite(thrown)
      if (mine.stop === null) return { ...mine.job, state: 'failed', error: error.toFrame(), endedAtMs: now() }
      log(`job ${job.id}: stopped (${mine.stop}) with: ${error.detail ?? error.message}`)
    }
    const state = mine.stop ?? 'done'
    const endedAtMs = state === 'done' || state === 'cancelled' ? now() : null
    return { ...mine.job, state, endedAtMs, progress: { ...mine.job.progress, etaSeconds: null } }
  }

  #report(mine: Running, progress: JobProgress): void {
    if (this.#running !== mine) return
    const { db, now, emit } = this.#options
    const before = mine.job.progress.stage?.name
    mine.job = { ...mine.job, progress }
    if (progress.stage && progress.stage.name !== before) this.#note(mine.job.id, 'stage', progress.stage.name)
    if (now() - mine.savedAtMs >= saveGapMs) {
      mine.savedAtMs = now()
      saveJobProgress(db, mine.job.id, progress)
    }
    mine.emitTimer ??= setTimeout(() => {
      mine.emitTimer = undefined
      if (this.#running === mine) emit({ kind: 'job', job: mine.job })
    }, emitGapMs)
  }

  /** A line for the log; losing one to a full disk is no reason to stop the work. */
  #note(jobId: JobId, kind: 'log' | 'stage', text: string): void {
    const { db, now, log } = this.#options
    try {
      appendJobEvent(db, { jobId, atMs: now(), kind, text: text.slice(0, 4000) })
    } catch (thrown) {
      log(`job ${jobId}: "${text}" could not be logged: ${fromSqlite(thrown).message}`)
    }
  }

  /** Asks the running job to stop; the last wish decides the state it ends in. */
  #stop(mine: Running, stop: Stop): Job {
    mine.stop = stop
    if (!mine.abort.signal.aborted) this.#note(mine.job.id, 'log', 'Stopping at the next safe point.')
    mine.abort.abort()
    return mine.job
  }
}

function alreadyEnded(job: Job, verb: string): AppError {
  return new AppError({
    code: 'conflict',
    message: `"${job.title}" is ${job.state} and cannot be ${verb}.`,
    remedy: 'Start it anew if you want it to run again.',
  })
}
