// The bar under every screen: the job at work with its controls, and the machine.

import { UnstyledButton } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { IconLock } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { Job } from '../../main/contract/jobs.ts'
import { formatBytes, formatRate, formatSeconds } from '../format.ts'
import { useActiveJob, useLive, useRead } from '../state/lab.ts'
import { hrefOf, useRoute } from '../state/route.ts'
import { JobControls } from './job-controls.tsx'
import { JobsDialog } from './jobs-dialog.tsx'
import { Meter } from './meter.tsx'

/** Job on the left, hardware on the right. */
export function StatusBar() {
  const { t } = useTranslation()
  const job = useActiveJob()
  const waiting = useLive(({ jobs }) => Object.values(jobs).filter(({ state }) => state === 'queued').length)
  const [isOpen, { open, close }] = useDisclosure(false)
  const { screen, subject } = useRoute()
  useEffect(close, [close, screen, subject])
  return (
    <footer className="status" aria-label={t('status.label')}>
      <div className="status-job">
        {job ? <RunningJob job={job} onOpen={open} /> : <JobsButton text={t('status.idle')} onOpen={open} />}
        {waiting > 0 && job?.state !== 'queued' && (
          <span className="dim">{t('status.waiting', { count: waiting })}</span>
        )}
      </div>
      <Hardware />
      <JobsDialog isOpen={isOpen} onClose={close} />
    </footer>
  )
}

function JobsButton({ text, onOpen }: { text: string; onOpen: () => void }) {
  const { t } = useTranslation()
  return (
    <UnstyledButton fz={12} className="clip" onClick={onOpen} title={t('jobs.open')} data-testid="status-job-title">
      {text}
    </UnstyledButton>
  )
}

function RunningJob({ job, onOpen }: { job: Job; onOpen: () => void }) {
  const { t } = useTranslation()
  const { done, total, label, ratePerSecond, etaSeconds, stage } = job.progress
  const stageText = stage ? `${stage.index + 1}/${stage.count} ${stage.name}` : ''
  return (
    <>
      <JobsButton text={job.title} onOpen={onOpen} />
      <span className="dim clip" data-testid="status-job-label">
        {job.state === 'running' ? [stageText, label].filter(Boolean).join(' · ') : t(`jobStates.${job.state}`)}
      </span>
      <div className="status-bar">
        <Meter label={job.title} done={done} total={total} />
      </div>
      <span className="dim">
        {done}/{total}
      </span>
      {job.state === 'running' && ratePerSecond !== null && (
        <span className="dim">{t('status.rate', { rate: formatRate(ratePerSecond) })}</span>
      )}
      {job.state === 'running' && etaSeconds !== null && (
        <span className="dim">{t('status.eta', { time: formatSeconds(etaSeconds) })}</span>
      )}
      <JobControls job={job} />
    </>
  )
}

function Hardware() {
  const { t } = useTranslation()
  const hardware = useLive((state) => state.hardware)
  const offline = useRead('workspace.offline', {}).value
  return (
    <div className="status-hardware">
      {hardware && (
        <>
          <span title={hardware.cpuModel}>{t('status.cores', { count: hardware.coreCount })}</span>
          <span title={t('status.memoryHint')}>
            {t('status.memory', {
              free: formatBytes(hardware.memoryFreeBytes),
              total: formatBytes(hardware.memoryTotalBytes),
            })}
          </span>
          <span title={hardware.gpuNames.join(', ')}>
            {hardware.gpu === 'none' ? t('status.noGpu') : hardware.gpu.toUpperCase()}
          </span>
        </>
      )}
      <a href={hrefOf('settings', 'offline')} className="row" style={{ gap: 4 }} data-testid="offline-mark">
        <IconLock size={13} aria-hidden="true" />
        {offline?.allowedHost ? t('status.oneHost', { host: offline.allowedHost.host }) : t('status.offline')}
      </a>
    </div>
  )
}
