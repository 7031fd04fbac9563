// Durable jobs on a real database: states, queue, pause, resume, failure, the log, and a process killed in the middle.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EngineEvent } from '../../main/contract/api.ts'
import { AppError } from '../../main/contract/errors.ts'
import type { Job, JobProgress } from '../../main/contract/jobs.ts'
import { Jobs } from '../../main/pipelines/jobs.ts'
import type { JobContext, JobHandler } from '../../main/pipelines/lab.ts'
import { allMigrations } from '../../main/store/migrations/all.ts'
import { type Database, openDatabase } from '../../main/store/open.ts'

let folder = ''
let db: Database
let events: EngineEvent[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-jobs-'))
  db = openDatabase(join(folder, 'project.sqlite'), allMigrations)
  events = []
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

function runner(handler: JobHandler, now: () => number = Date.now): Jobs {
  return new Jobs({
    db,
    emit: (event) => events.push(event),
    now,
    log: () => undefined,
    handlers: { generate: handler },
  })
}
function begin(jobs: Jobs, title = 'Work'): Job {
  return jobs.start({ kind: 'generate', title, subject: 'g1', parameters: { quota: 3 } })
}
const at = (done: number, total = 10): JobProgress => ({
  done,
  total,
  label: '',
  ratePerSecond: null,
  etaSeconds: null,
})
const untilStopped = ({ signal }: JobContext) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
const statesOf = (id: string) =>
  events.flatMap((event) => (event.kind === 'job' && event.job.id === id ? [event.job.state] : []))

describe('a job that goes well', () => {
  test('passes through queued, running and done, and its log says so in numbered lines', async () => {
    const jobs = runner(async (context) => {
      expect(context.parameters).toEqual({ quota: 3 })
      context.progress({ ...at(1), stage: { index: 0, count: 1, name: 'first stage' } })
      context.log('a word')
    })
    const job = begin(jobs)
    const ended = await jobs.settled(job.id)
    expect(ended.state).toBe('done')
    expect(ended.endedAtMs).not.toBeNull()
    expect(statesOf(job.id)).toEqual(['queued', 'running', 'done'])
    const log = jobs.events(job.id, 0)
    expect(log.map((event) => event.number)).toEqual([1, 2, 3, 4, 5])
    expect(log.map((event) => event.text)).toEqual(['queued', 'running', 'first stage', 'a word', 'done'])
    expect(jobs.events(job.id, 3).map((event) => event.text)).toEqual(['a word', 'done'])
  })

  test('runs alone: the next one waits until it has ended', async () => {
    let atOnce = 0
    let most = 0
    const jobs = runner(async () => {
      atOnce += 1
      most = Math.max(most, atOnce)
      await new Promise((resolve) => setTimeout(resolve, 5))
      atOnce -= 1
    })
    const all = [begin(jobs, 'a'), begin(jobs, 'b'), begin(jobs, 'c')]
    expect(jobs.get(all[1]!.id).state).toBe('queued')
    const ended = await Promise.all(all.map((job) => jobs.settled(job.id)))
    expect(ended.map((job) => job.state)).toEqual(['done', 'done', 'done'])
    expect(most).toBe(1)
  })
})

/** Long enough for the handler to have begun. */
const begun = () => new Promise((resolve) => setTimeout(resolve, 1))

describe('stopping', () => {
  test('a job stopped before its handler began never calls it', async () => {
    let calls = 0
    const jobs = runner(async () => {
      calls += 1
    })
    const job = begin(jobs)
    jobs.pause(job.id)
    expect((await jobs.settled(job.id)).state).toBe('paused')
    expect(calls).toBe(0)
  })

  test('pause aborts the signal; resume calls the handler again', async () => {
    let calls = 0
    const jobs = runner(async (context) => {
      calls += 1
      if (calls === 1) await untilStopped(context)
    })
    const job = begin(jobs)
    await begun()
    jobs.pause(job.id)
    expect((await jobs.settled(job.id)).state).toBe('paused')
    jobs.resume(job.id)
    expect((await jobs.settled(job.id)).state).toBe('done')
    expect(calls).toBe(2)
  })

  test('resume while it is still stopping lets it run on', async () => {
    let calls = 0
    const jobs = runner(async (context) => {
      calls += 1
      if (calls > 1) return
      await untilStopped(context)
      await new Promise((resolve) => setTimeout(resolve, 10))
    })
    const job = begin(jobs)
    await begun()
    jobs.pause(job.id)
    jobs.resume(job.id)
    await expect.poll(() => jobs.get(job.id).state).toBe('done')
    expect(calls).toBe(2)
  })

  test('a handler that throws because it was stopped counts as paused, not failed', async () => {
    const jobs = runner(async (context) => {
      await untilStopped(context)
      throw new AppError({ code: 'cancelled', message: 'stopped', remedy: 'Go on.' })
    })
    const job = begin(jobs)
    await begun()
    jobs.pause(job.id)
    const ended = await jobs.settled(job.id)
    expect(ended.state).toBe('paused')
    expect(ended.error).toBeNull()
  })

  test('cancel ends a running, a queued and a paused job for good', async () => {
    const jobs = runner(untilStopped)
    const [first, second] = [begin(jobs, 'a'), begin(jobs, 'b')]
    await begun()
    jobs.pause(second.id)
    jobs.cancel(second.id)
    jobs.cancel(first.id)
    expect((await jobs.settled(first.id)).state).toBe('cancelled')
    expect(jobs.get(second.id).state).toBe('cancelled')
    expect(() => jobs.resume(first.id)).toThrow(/cancelled and cannot be resumed/)
    expect(() => jobs.pause(first.id)).toThrow(AppError)
  })

  test('closing leaves the running job interrupted, and does not wait for ever', async () => {
    const stubborn = runner(() => new Promise(() => undefined))
    const job = begin(stubborn)
    const before = Date.now()
    await stubborn.close(50)
    expect(Date.now() - before).toBeLessThan(2000)
    expect(runner(async () => undefined).get(job.id).state).toBe('interrupted')
  })
})

describe('failing', () => {
  test('keeps the error with its remedy, lets the next job run, and can be resumed', async () => {
    let calls = 0
    const jobs = runner(async () => {
      calls += 1
      if (calls === 1)
        throw new AppError({ code: 'model-missing', message: 'The teacher is gone.', remedy: 'Put it back.' })
    })
    const [first, second] = [begin(jobs, 'a'), begin(jobs, 'b')]
    expect((await jobs.settled(first.id)).error).toEqual({
      code: 'model-missing',
      message: 'The teacher is gone.',
      remedy: 'Put it back.',
    })
    expect((await jobs.settled(second.id)).state).toBe('done')
    jobs.resume(first.id)
    const again = await jobs.settled(first.id)
    expect([again.state, again.error]).toEqual(['done', null])
  })

  test('a full disk fails the job by name, and the failure is seen although it cannot be written', async () => {
    const jobs = runner(async () => {
      db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true }))}`)
      db.exec('create table hoard (x text) strict; insert into hoard values (hex(zeroblob(100000)))')
    })
    const job = begin(jobs)
    const ended = await jobs.settled(job.id)
    expect(ended.state).toBe('failed')
    expect(ended.error?.code).toBe('disk-full')
    expect(jobs.get(job.id).state).toBe('failed')
  })

  test('a queue whose states cannot be written gives every job one turn, and the rest of the program goes on', async () => {
    const turns: string[] = []
    const jobs = runner(async ({ job }) => {
      turns.push(job.title)
      db.exec(`create trigger if not exists no_room before update on jobs begin select raise(abort, 'no room'); end`)
    })
    const begun = ['a', 'b', 'c'].map((title) => begin(jobs, title))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(turns).toEqual(['a', 'b', 'c'])
    for (const { id } of begun) expect(jobs.get(id).state).toBe('done')
  })

  test('an unknown kind of job is refused before anything is written', () => {
    const jobs = runner(async () => undefined)
    expect(() => jobs.start({ kind: 'tune', title: '', subject: '' })).toThrow(/cannot run jobs of kind tune/)
    expect(jobs.list()).toEqual([])
  })
})

describe('progress', () => {
  test('carries a smoothed rate and the time left', async () => {
    let clock = 0
    const jobs = runner(
      async (context) => {
        for (let done = 0; done <= 50; done += 5) {
          context.progress(at(done, 100))
          clock += 1000
        }
      },
      () => clock,
    )
    const ended = await jobs.settled(begin(jobs).id)
    expect(ended.progress.ratePerSecond).toBeCloseTo(5, 5)
    const stored = JSON.parse(String(db.prepare('select progress_json from jobs').pluck().get())) as JobProgress
    expect(stored.done).toBe(50)
  })

  test('a thousand reports make few events and few writes', async () => {
    const writes = db.prepare('select total_changes()').pluck()
    const before = Number(writes.get())
    const jobs = runner(async (context) => {
      const until = Date.now() + 400
      for (let n = 0; Date.now() < until; n++) {
        context.progress(at(n, 1e9))
        if (n % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
    })
    await jobs.settled(begin(jobs).id)
    expect(events.length).toBeLessThan(12)
    expect(Number(writes.get()) - before).toBeLessThan(12)
  })
})

describe('a process killed in the middle', () => {
  /** Runs the slow job until it says `step <killAt>`, then kills it; without killAt, to its end. Answers with what it said. */
  async function slowJob(file: string, killAt?: number): Promise<string[]> {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../support/slow-job.ts'), file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said: string[] = []
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line)
      if (line === `step ${killAt}`) child.kill('SIGKILL')
    })
    await once(child, 'close')
    return said
  }

  test('is found interrupted by the next one, which loses no step and does none twice', async () => {
    const file = join(folder, 'killed.sqlite')
    await slowJob(file, 7)
    await slowJob(file, 23)
    expect((await slowJob(file)).at(-1)).toBe('ended done')
    const after = openDatabase(file, allMigrations)
    expect(after.prepare('select count(*) from steps').pluck().get()).toBe(60)
    const states = after.prepare("select text from job_events where kind = 'state' order by number").pluck().all()
    expect(states.filter((text) => String(text).startsWith('interrupted'))).toHaveLength(2)
    expect(after.prepare('select count(*) from jobs').pluck().get()).toBe(1)
    after.close()
  })
})
