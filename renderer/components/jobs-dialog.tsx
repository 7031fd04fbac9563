// Every job of the project with its state, its log, and why it failed.

import { Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { JobId } from '../../main/contract/ids.ts'
import type { Job } from '../../main/contract/jobs.ts'
import { formatSeconds, formatWhen } from '../format.ts'
import { useLive, useRead } from '../state/lab.ts'
import { type Column, Grid } from './grid.tsx'
import { JobControls } from './job-controls.tsx'
import { EmptyNote, ErrorNote, Reading } from './reading.tsx'

interface JobsDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** Newest first; opening one shows its log. */
export function JobsDialog({ isOpen, onClose }: JobsDialogProps) {
  const { t } = useTranslation()
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('jobs.title')}
      size={860}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Jobs />
    </Modal>
  )
}

function Jobs() {
  const { t } = useTranslation()
  const jobs = useLive((state) => state.jobs)
  const [opened, setOpened] = useState<JobId | null>(null)
  const rows = Object.values(jobs).sort((a, b) => b.createdAtMs - a.createdAtMs)
  if (rows.length === 0) return <EmptyNote title={t('jobs.emptyTitle')} text={t('jobs.emptyText')} />
  const columns: Column<Job>[] = [
    { key: 'title', title: t('jobs.job'), render: (job) => job.title },
    { key: 'state', title: t('jobs.state'), render: (job) => <JobStateTag job={job} /> },
    {
      key: 'progress',
      title: t('jobs.progress'),
      isNumeric: true,
      render: ({ progress }) => `${progress.done}/${progress.total}`,
    },
    {
      key: 'started',
      title: t('jobs.started'),
      render: (job) => (job.startedAtMs ? formatWhen(job.startedAtMs) : '–'),
    },
    { key: 'took', title: t('jobs.took'), isNumeric: true, render: tookOf },
    { key: 'controls', title: t('jobs.controls'), render: (job) => <JobControls job={job} /> },
  ]
  const job = rows.find(({ id }) => id === opened)
  return (
    <div className="stack">
      <Grid
        label={t('jobs.title')}
        columns={columns}
        rows={rows}
        keyOf={({ id }) => id}
        selectedKey={opened ?? ''}
        onOpen={({ id }) => setOpened(id)}
      />
      {job && <JobLog job={job} />}
    </div>
  )
}

function JobLog({ job }: { job: Job }) {
  const { t } = useTranslation()
  const events = useRead('job.events', { jobId: job.id, after: 0 })
  return (
    <section aria-label={t('jobs.log')} className="stack-s">
      {job.error && <ErrorNote error={job.error} />}
      <Reading of={events} empty={<span className="dim">{t('jobs.logEmpty')}</span>}>
        {(list) => (
          <pre className="text-box mono" style={{ maxHeight: 260, overflow: 'auto' }} tabIndex={0}>
            {list.map(({ atMs, text }) => `${new Date(atMs).toLocaleTimeString()}  ${text}`).join('\n')}
          </pre>
        )}
      </Reading>
    </section>
  )
}

/** A job's state as a word with a colour of meaning. */
export function JobStateTag({ job }: { job: Job }) {
  const { t } = useTranslation()
  const tone = {
    queued: '',
    running: 'accent',
    paused: 'warn',
    interrupted: 'warn',
    done: 'good',
    failed: 'bad',
    cancelled: '',
  }
  return <span className={`tag ${tone[job.state]}`}>{t(`jobStates.${job.state}`)}</span>
}

function tookOf({ startedAtMs, endedAtMs }: Job): string {
  return startedAtMs && endedAtMs ? formatSeconds((endedAtMs - startedAtMs) / 1000) : '–'
}
