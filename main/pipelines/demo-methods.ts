// demo.*: start (or continue) the demo run, read its latest report.

import { AppError } from '../contract/errors.ts'
import type { DemoReport } from '../contract/workspace.ts'
import { latestDemoValue } from '../store/demo.ts'
import { listJobs } from '../store/jobs.ts'
import type { DemoWish } from './demo.ts'
import type { Handlers, Lab } from './lab.ts'

export function demoMethods(lab: Lab): Handlers<'demo.run' | 'demo.report'> {
  return {
    'demo.run': (wish) => ({ jobId: startDemo(lab, wish).id }),
    'demo.report': () => latestDemoValue<DemoReport>(lab.project().db, 'report') ?? null,
  }
}

/** A demo run that was cut short goes on; otherwise a new one begins. */
function startDemo(lab: Lab, wish: DemoWish) {
  const { db, isDemo } = lab.project()
  if (!isDemo) {
    throw new AppError({
      code: 'bad-input',
      message: 'The demo runs in the demo project only.',
      remedy: 'Open the project "Demo" and run it there.',
    })
  }
  const open = listJobs(db).find((job) => job.kind === 'demo' && !['done', 'cancelled', 'failed'].includes(job.state))
  if (open) return lab.jobs.resume(open.id)
  return lab.jobs.start({ kind: 'demo', title: 'The whole method on the demo', subject: 'demo', parameters: wish })
}
