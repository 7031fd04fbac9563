// Pause, resume and cancel of a job, as its state allows.

import { ActionIcon } from '@mantine/core'
import { IconPlayerPause, IconPlayerPlay, IconX } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { Job } from '../../main/contract/jobs.ts'
import { useAct } from '../state/lab.ts'
import { ask } from './ask.tsx'

/** Small buttons; cancelling asks first. */
export function JobControls({ job }: { job: Job }) {
  const { t } = useTranslation()
  const pause = useAct('job.pause')
  const resume = useAct('job.resume')
  const cancel = useAct('job.cancel')
  const canPause = job.state === 'running' || job.state === 'queued'
  const canResume = job.state === 'paused' || job.state === 'interrupted' || job.state === 'failed'
  const isOver = job.state === 'done' || job.state === 'cancelled'
  if (isOver) return null
  return (
    <span className="row" style={{ gap: 2 }}>
      {canPause && (
        <ActionIcon
          size="sm"
          aria-label={t('jobs.pause')}
          title={t('jobs.pause')}
          loading={pause.isRunning}
          onClick={() => void pause.run({ jobId: job.id })}
        >
          <IconPlayerPause size={14} />
        </ActionIcon>
      )}
      {canResume && (
        <ActionIcon
          size="sm"
          aria-label={t('jobs.resume')}
          title={t('jobs.resume')}
          loading={resume.isRunning}
          onClick={() => void resume.run({ jobId: job.id })}
        >
          <IconPlayerPlay size={14} />
        </ActionIcon>
      )}
      <ActionIcon
        size="sm"
        aria-label={t('jobs.cancel')}
        title={t('jobs.cancel')}
        loading={cancel.isRunning}
        onClick={() =>
          ask({
            title: t('jobs.cancelTitle'),
            text: t('jobs.cancelText', { title: job.title }),
            yes: t('jobs.cancel'),
            onYes: () => void cancel.run({ jobId: job.id }),
          })
        }
      >
        <IconX size={14} />
      </ActionIcon>
    </span>
  )
}
