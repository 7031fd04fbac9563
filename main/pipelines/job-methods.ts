// The job.* methods: a thin view of the open project's runner.

import type { Handlers } from './lab.ts'
import type { Workspace } from './workspace.ts'

export function jobMethods(
  workspace: Workspace,
): Handlers<'job.list' | 'job.get' | 'job.events' | 'job.pause' | 'job.resume' | 'job.cancel'> {
  return {
    'job.list': () => workspace.jobs.list(),
    'job.get': ({ jobId }) => workspace.jobs.get(jobId),
    'job.events': ({ jobId, after }) => workspace.jobs.events(jobId, after),
    'job.pause': ({ jobId }) => workspace.jobs.pause(jobId),
    'job.resume': ({ jobId }) => workspace.jobs.resume(jobId),
    'job.cancel': ({ jobId }) => workspace.jobs.cancel(jobId),
  }
}
