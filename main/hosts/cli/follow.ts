// Follows a job to its end: progress while it runs, its log as it is written, Ctrl-C to pause it and a second one to end at once.

import type { EngineApi } from '../../contract/api.ts'
import type { JobId } from '../../contract/ids.ts'
import type { Job } from '../../contract/jobs.ts'
import type { ProgressView } from './progress.ts'

export interface Followed {
  engine: EngineApi
  view: ProgressView
  /** Calls back on Ctrl-C; returns how to stop listening. */
  onInterrupt: (act: () => void) => () => void
}

const pollMs = 1000

/** Resolves with the job once it neither runs nor waits. */
export async function followJob(jobId: JobId, { engine, view, onInterrupt }: Followed): Promise<Job> {
  let seenEvents = 0
  const stopListening = onInterrupt(() => {
    view.say('Pausing at the next safe point; Ctrl-C again ends at once (the job can be resumed either way).')
    // The job may have ended in the meantime, which the loop below sees.
    engine.call('job.pause', { jobId }).catch((thrown: unknown) => view.say(String(thrown)))
  })
  const stopEvents = engine.onEvent((event) => {
    if (event.kind === 'job' && event.job.id === jobId && event.job.state === 'running') view.show(event.job)
  })
  try {
    for (;;) {
      const changed = nextChange(engine, jobId)
      const job = await engine.call('job.get', { jobId })
      seenEvents = await tellNews(jobId, seenEvents, { engine, view })
      if (job.state !== 'running' && job.state !== 'queued') return job
      await changed
    }
  } finally {
    stopListening()
    stopEvents()
    view.end()
  }
}

/** Says what the job's log has after `after`; returns the number of the last event. */
async function tellNews(
  jobId: JobId,
  after: number,
  { engine, view }: Pick<Followed, 'engine' | 'view'>,
): Promise<number> {
  const events = await engine.call('job.events', { jobId, after })
  for (const event of events) if (event.kind !== 'stage') view.say(event.text)
  return events.at(-1)?.number ?? after
}

/** Resolves when the job leaves its state, or after a while. */
function nextChange(engine: EngineApi, jobId: JobId): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const timer = setTimeout(finish, pollMs)
    const stop = engine.onEvent((event) => {
      if (event.kind === 'job' && event.job.id === jobId && event.job.state !== 'running') finish()
    })
  })
}
