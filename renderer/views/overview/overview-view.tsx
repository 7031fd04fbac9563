// Overview: where the project stands, the next sensible act, and the demo that runs the whole method.

import { useTranslation } from 'react-i18next'
import type { Job } from '../../../main/contract/jobs.ts'
import type { Overview } from '../../../main/contract/workspace.ts'
import { Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { useLive, useRead } from '../../state/lab.ts'
import { Counts } from './counts.tsx'
import { DemoProgress } from './demo-progress.tsx'
import { DemoResults } from './demo-results.tsx'
import { DemoWelcome } from './demo-welcome.tsx'
import { NextStep } from './next-step.tsx'

/** The first screen of every start. */
export function OverviewView() {
  const { t } = useTranslation()
  const overview = useRead('workspace.overview', {})
  const project = overview.value?.project
  const aside = project && (
    <span className="row">
      <span>{project.name}</span>
      {project.isDemo && <span className="tag accent">{t('overview.demoTag')}</span>}
    </span>
  )
  return (
    <Screen name="overview" aside={aside}>
      <Reading of={overview}>{(value) => <OverviewBody overview={value} />}</Reading>
    </Screen>
  )
}

function OverviewBody({ overview }: { overview: Overview }) {
  const report = useRead('demo.report', overview.project.isDemo ? {} : null).value ?? null
  const demoJob = useLive(({ jobs }): Job | null => latestDemoJob(jobs, overview))
  const isFresh = overview.project.isDemo && demoJob === null && report === null
  if (isFresh) {
    return (
      <>
        <DemoWelcome />
        <Counts counts={overview.counts} />
      </>
    )
  }
  const isUnderWay = demoJob !== null && demoJob.state !== 'done' && demoJob.state !== 'cancelled'
  return (
    <>
      {isUnderWay ? (
        <DemoProgress job={demoJob} />
      ) : (
        <NextStep next={overview.next} canRunDemo={overview.project.isDemo} />
      )}
      {report && <DemoResults report={report} />}
      <Counts counts={overview.counts} />
    </>
  )
}

function latestDemoJob(jobs: Record<string, Job>, overview: Overview): Job | null {
  const known = overview.demoJobId ? jobs[overview.demoJobId] : undefined
  const demoJobs = Object.values(jobs).filter(({ kind }) => kind === 'demo')
  return demoJobs.sort((a, b) => b.createdAtMs - a.createdAtMs)[0] ?? known ?? null
}
