// One tuning run: its phases, the live curves, its checkpoints, its plan.

import { Button } from '@mantine/core'
import { lazy, Suspense, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import type { PhaseProgress, TuningRun } from '../../../main/contract/tuning.ts'
import { Facts, Figures } from '../../components/facts.tsx'
import { JobLine } from '../../components/job-line.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount, formatLearningRate, formatMeasure } from '../../format.ts'
import { useDesk, useLive } from '../../state/lab.ts'
import { catchUpSteps } from '../../state/live.ts'
import { goTo } from '../../state/route.ts'
import { CheckpointTable } from './checkpoint-table.tsx'
import { RunWarnings } from './run-warnings.tsx'

const LossChart = lazy(async () => ({ default: (await import('./loss-chart.tsx')).LossChart }))

/** Follows the run while it works. */
export function TuningPane({ run }: { run: TuningRun }) {
  const { t } = useTranslation()
  const { live, engine } = useDesk()
  const job = useLive(({ jobs }) => jobs[run.jobId])
  const steps = useLive((state) => state.steps[run.id])
  useEffect(() => void catchUpSteps(live, engine, run.id), [live, engine, run.id])
  const last = steps?.at(-1)
  // The demo goes on with other work under the same job.
  const isOver = run.resultModelId !== null && job?.kind === 'demo'
  return (
    <div className="stack" data-testid="tuning-pane">
      {job && !isOver && <JobLine job={job} />}
      <PhaseLine phases={run.phases} />
      <RunWarnings run={run} />
      {run.resultModelId && (
        <div className="row">
          <span className="good">{t('tune.finished')}</span>
          <Button variant="default" onClick={() => goTo('evaluate')}>
            {t('screens.evaluate')}
          </Button>
          <Button variant="default" onClick={() => goTo('chat', run.resultModelId ?? '')}>
            {t('screens.chat')}
          </Button>
          <Button variant="default" onClick={() => goTo('export', run.id)}>
            {t('screens.export')}
          </Button>
        </div>
      )}
      <Section title={t('tune.loss')}>
        {steps && last ? (
          <>
            <Figures
              of={[
                [t('tune.step'), `${last.phase} · ${formatCount(last.step)}`],
                [t('tune.loss'), formatMeasure(last.loss)],
                [t('tune.lossNew'), formatMeasure(last.lossNew)],
                [t('tune.lossReplay'), formatMeasure(last.lossReplay)],
                [t('tune.learningRate'), formatLearningRate(last.learningRate)],
                [t('tune.gradNorm'), formatMeasure(last.gradNorm)],
                [t('tune.tokensPerSecond'), formatCount(Math.round((last.tokens / Math.max(1, last.ms)) * 1000))],
              ]}
            />
            <Suspense>
              <LossChart steps={steps} />
            </Suspense>
          </>
        ) : (
          <span className="dim">{t('tune.noSteps')}</span>
        )}
      </Section>
      <CheckpointTable run={run} />
      <Plan run={run} />
    </div>
  )
}

function PhaseLine({ phases }: { phases: readonly PhaseProgress[] }) {
  const { t } = useTranslation()
  return (
    <div className="phase-line" role="list" aria-label={t('tune.phases')} data-testid="phase-line">
      {phases.map((phase) => (
        <div
          key={phase.name}
          role="listitem"
          className={phase.state}
          style={{ flexGrow: Math.max(1, phase.totalSteps) }}
        >
          <strong>{phase.name}</strong> · {t(`phaseStates.${phase.state}`)}
          <div className="dim">
            {phase.step}/{phase.totalSteps} · {t('tune.epoch', { epoch: phase.epoch })}
          </div>
          <div className="dim">
            {t('tune.rowsAndReplay', { rows: formatCount(phase.rowCount), replay: formatCount(phase.replayRowCount) })}
          </div>
        </div>
      ))}
    </div>
  )
}

function Plan({ run }: { run: TuningRun }) {
  const { t } = useTranslation()
  const { plan } = run
  return (
    <Section title={t('tune.plan')}>
      <Facts
        of={[
          [t('tune.preset'), t(`tune.presets.${plan.preset}`)],
          [
            t('tune.mode'),
            plan.lora ? `${t('tune.modes.lora')} (${plan.lora.rank}, ${plan.lora.alpha})` : t('tune.modes.full'),
          ],
          [t('generate.seed'), plan.seed],
          [t('tune.threads'), plan.threads],
          ...plan.phases.map(
            (phase) =>
              [
                phase.name,
                t('tune.phaseLine', {
                  epochs: phase.epochs,
                  rate: formatLearningRate(phase.learningRate),
                  batch: phase.batchRows,
                  replay: Math.round(phase.replayShare * 100),
                }),
              ] as const,
          ),
        ]}
      />
    </Section>
  )
}
