// One job inside a screen: state, what it does now, progress, rate, remaining time, controls, and its failure with the remedy.

import { useTranslation } from 'react-i18next'
import type { Job } from '../../main/contract/jobs.ts'
import { formatRate, formatSeconds } from '../format.ts'
import { JobControls } from './job-controls.tsx'
import { JobStateTag } from './jobs-dialog.tsx'
import { Meter } from './meter.tsx'
import { ErrorNote } from './reading.tsx'

/** The line; a finished job shows only its state. */
export function JobLine({ job }: { job: Job }) {
  const { t } = useTranslation()
  const { done, total, label, ratePerSecond, etaSeconds } = job.progress
  const isOver = job.state === 'done' || job.state === 'cancelled'
  return (
    <div className="stack-s" data-testid="job-line">
      <div className="row">
        <JobStateTag job={job} />
        {!isOver && (
          <>
            <span className="clip">{label}</span>
            <span className="dim">
              {done}/{total}
              {ratePerSecond !== null && ` · ${t('status.rate', { rate: formatRate(ratePerSecond) })}`}
              {etaSeconds !== null && ` · ${t('status.eta', { time: formatSeconds(etaSeconds) })}`}
            </span>
            <JobControls job={job} />
          </>
        )}
      </div>
      {!isOver && <Meter label={label || job.title} done={done} total={total} />}
      {job.error && <ErrorNote error={job.error} />}
    </div>
  )
}
