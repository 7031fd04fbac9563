// The demo while it runs: its stages with progress, samples as they are made, the loss as it falls.

import { IconCheck, IconCircle, IconCircleDot } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Job, JobEvent } from '../../../main/contract/jobs.ts'
import { JobControls } from '../../components/job-controls.tsx'
import { JobStateTag } from '../../components/jobs-dialog.tsx'
import { Meter } from '../../components/meter.tsx'
import { ErrorNote } from '../../components/reading.tsx'
import { formatRate, formatSeconds } from '../../format.ts'
import { useRead } from '../../state/lab.ts'
import { DemoLive } from './demo-live.tsx'

/** Two columns: stages, and what is happening now. */
export function DemoProgress({ job }: { job: Job }) {
  const { t } = useTranslation()
  const { progress } = job
  return (
    <div className="stack" data-testid="demo-progress">
      <div className="row">
        <strong style={{ fontSize: 14 }}>{job.title}</strong>
        <JobStateTag job={job} />
        <JobControls job={job} />
      </div>
      {job.error && <ErrorNote error={job.error} />}
      <div className="demo-columns">
        <section className="stack" aria-label={t('overview.stages')}>
          <Stages job={job} />
          <div className="stack-s">
            <div className="row">
              <span className="grow clip">{progress.label}</span>
              <span className="dim">
                {progress.done}/{progress.total}
              </span>
            </div>
            <Meter label={progress.label} done={progress.done} total={progress.total} />
            <div className="row dim" style={{ minHeight: 20 }}>
              {progress.ratePerSecond !== null && (
                <span>{t('status.rate', { rate: formatRate(progress.ratePerSecond) })}</span>
              )}
              {progress.etaSeconds !== null && (
                <span>{t('status.eta', { time: formatSeconds(progress.etaSeconds) })}</span>
              )}
            </div>
          </div>
        </section>
        <DemoLive />
      </div>
    </div>
  )
}

function Stages({ job }: { job: Job }) {
  const { t } = useTranslation()
  const events = useRead('job.events', { jobId: job.id, after: 0 }).value ?? []
  const stage = job.progress.stage
  if (!stage) return null
  const begun = stageStarts(events)
  const names = stage.names ?? begunNames(stage, begun)
  return (
    <ol className="stages">
      {names.map((name, index) => {
        const state = index < stage.index ? 'done' : index === stage.index ? 'current' : 'waiting'
        const took =
          state === 'done'
            ? secondsBetween(startOf(begun, name, index), startOf(begun, names[index + 1], index + 1))
            : null
        return (
          <li key={`${index} ${name}`} className={state} aria-current={state === 'current' ? 'step' : undefined}>
            <StageMark state={state} />
            <span>{name || t('overview.stageWaiting', { number: index + 1 })}</span>
            <span className="dim">{took === null ? '' : formatSeconds(took)}</span>
          </li>
        )
      })}
    </ol>
  )
}

/** Names of what has begun, for a job that does not list its stages beforehand. */
function begunNames(stage: { index: number; count: number; name: string }, begun: readonly StageStart[]): string[] {
  return Array.from({ length: stage.count }, (_, index) =>
    index === stage.index ? stage.name : (begun[index]?.name ?? ''),
  )
}

function StageMark({ state }: { state: 'done' | 'current' | 'waiting' }) {
  if (state === 'done') return <IconCheck size={15} className="good" aria-hidden="true" />
  if (state === 'current') return <IconCircleDot size={15} color="var(--accent)" aria-hidden="true" />
  return <IconCircle size={15} aria-hidden="true" />
}

interface StageStart {
  name: string
  atMs: number
}

/** When each stage began, in order; a resumed stage counts once. */
function stageStarts(events: readonly JobEvent[]): StageStart[] {
  const starts = new Map<string, StageStart>()
  for (const { kind, text, atMs } of events)
    if (kind === 'stage' && !starts.has(text)) starts.set(text, { name: text, atMs })
  return [...starts.values()]
}

function startOf(begun: readonly StageStart[], name: string | undefined, index: number): StageStart | undefined {
  return begun.find((start) => start.name === name) ?? begun[index]
}

function secondsBetween(from: StageStart | undefined, to: StageStart | undefined): number | null {
  return from && to ? (to.atMs - from.atMs) / 1000 : null
}
