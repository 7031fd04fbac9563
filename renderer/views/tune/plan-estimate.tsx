// What a plan will cost: phases on a time line, memory, disk, and warnings before rather than crashes after.

import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TuningEstimate, TuningPlan } from '../../../main/contract/tuning.ts'
import { Figures } from '../../components/facts.tsx'
import { Reading } from '../../components/reading.tsx'
import { formatBytes, formatCount, formatLearningRate, formatSeconds, formatShare } from '../../format.ts'
import { type Read, useLive } from '../../state/lab.ts'

interface PlanEstimateProps {
  estimate: Read<TuningEstimate>
  plan: TuningPlan
}

/** Appears as soon as the plan is whole; the last one stays until the next is there, so that nothing below it moves. */
export function PlanEstimate({ estimate, plan }: PlanEstimateProps) {
  const [last, setLast] = useState<{ estimate: TuningEstimate; plan: TuningPlan } | null>(null)
  if (estimate.state === 'ready' && last?.estimate !== estimate.value) setLast({ estimate: estimate.value, plan })
  if (estimate.state === 'loading' && last) return <Costs {...last} />
  return <Reading of={estimate}>{(value) => <Costs estimate={value} plan={plan} />}</Reading>
}

function Costs({ estimate, plan }: { estimate: TuningEstimate; plan: TuningPlan }) {
  const { t } = useTranslation()
  const hardware = useLive((state) => state.hardware)
  const seconds = estimate.phases.reduce((sum, phase) => sum + phase.seconds, 0)
  const isTight = hardware !== null && estimate.peakMemoryBytes > hardware.memoryFreeBytes
  const isFull = hardware !== null && estimate.diskBytes > hardware.diskFreeBytes
  return (
    <div className="stack" data-testid="plan-estimate">
      <div className="phase-line" role="list" aria-label={t('tune.timeLine')}>
        {estimate.phases.map((cost) => {
          const phase = plan.phases.find(({ name }) => name === cost.name)
          return (
            <div key={cost.name} role="listitem" style={{ flexGrow: Math.max(cost.seconds, seconds / 12) }}>
              <strong>{cost.name}</strong> · {formatSeconds(cost.seconds)}
              <div className="dim">
                {t('tune.phaseCost', {
                  rows: formatCount(cost.rows),
                  tokens: formatCount(cost.tokens),
                  steps: formatCount(cost.steps),
                })}
              </div>
              {phase && (
                <div className="dim">
                  {t('tune.replayShare')} {formatShare(phase.replayShare, 0)} · lr{' '}
                  {formatLearningRate(phase.learningRate)}
                </div>
              )}
            </div>
          )
        })}
      </div>
      <Figures
        of={[
          [t('tune.time'), `≈ ${formatSeconds(seconds)}`],
          [t('tune.memory'), `≈ ${formatBytes(estimate.peakMemoryBytes)}`],
          [t('tune.disk'), `≈ ${formatBytes(estimate.diskBytes)}`],
        ]}
      />
      {isTight && (
        <div className="note warn-note">{t('tune.memoryTight', { free: formatBytes(hardware.memoryFreeBytes) })}</div>
      )}
      {isFull && (
        <div className="note warn-note">{t('tune.diskTight', { free: formatBytes(hardware.diskFreeBytes) })}</div>
      )}
      {estimate.warnings.map((warning) => (
        <div key={warning} className="note warn-note">
          {warning}
        </div>
      ))}
    </div>
  )
}
