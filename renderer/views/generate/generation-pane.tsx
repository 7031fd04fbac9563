// One generation run: totals, the funnel of every leaf, and the samples as they come.

import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { GenerationRun, LeafFunnel } from '../../../main/contract/generation.ts'
import type { CandidateId } from '../../../main/contract/ids.ts'
import { CandidateFeed } from '../../components/candidate-feed.tsx'
import { Decontamination } from '../../components/decontamination.tsx'
import { Figures } from '../../components/facts.tsx'
import { JobLine } from '../../components/job-line.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount, formatRatio } from '../../format.ts'
import { useLive, useRead } from '../../state/lab.ts'
import { hrefOf } from '../../state/route.ts'
import { AgreementTable } from './agreement-table.tsx'
import { CandidateDialog } from './candidate-dialog.tsx'
import { FunnelTable } from './funnel-table.tsx'
import { ThresholdPanel } from './threshold-panel.tsx'

function RunDecontamination({ run }: { run: GenerationRun }) {
  const report = useRead('generation.decontamination', { generationId: run.id })
  return <Reading of={report}>{(value) => <Decontamination report={value} />}</Reading>
}

/** Follows the run while it works. */
export function GenerationPane({ run }: { run: GenerationRun }) {
  const { t } = useTranslation()
  const [opened, setOpened] = useState<CandidateId | null>(null)
  const job = useLive(({ jobs }) => jobs[run.jobId])
  const sum = (count: (funnel: LeafFunnel) => number) => run.funnel.reduce((total, funnel) => total + count(funnel), 0)
  // The demo goes on with other work under the same job.
  const isMade = run.funnel.every(({ accepted: made, quota, shortfall }) => made >= quota || shortfall !== null)
  const isOver = isMade && job?.kind === 'demo'
  const attempted = sum((funnel) => funnel.attempted)
  const accepted = sum((funnel) => funnel.accepted)
  return (
    <div data-testid="generation-pane">
      <div className="stack">
        {job && !isOver && <JobLine job={job} />}
        <Figures
          of={[
            [t('generate.accepted'), `${formatCount(accepted)} / ${formatCount(sum((funnel) => funnel.quota))}`],
            [t('generate.attempted'), formatCount(attempted)],
            [t('generate.yield'), formatRatio(accepted, attempted)],
            [t('generate.pipeline'), run.plan.pipeline?.name ?? 'lab'],
            [t('generate.calls'), formatCount(run.callCount)],
            [
              t('generate.parseFailures'),
              `${formatCount(run.parseFailureCount)} (${formatRatio(run.parseFailureCount, run.callCount, 2)})`,
            ],
          ]}
        />
      </div>
      <Section title={t('generate.funnel')}>
        <FunnelTable funnel={run.funnel} />
      </Section>
      {attempted > 0 && <ThresholdPanel run={run} />}
      <Section title={t('generate.samples')} actions={<a href={hrefOf('curate')}>{t('generate.toCurate')}</a>}>
        <CandidateFeed generationId={run.id} limit={40} onOpen={setOpened} />
      </Section>
      {/* Counted over all candidates, so not again with each that comes. */}
      {(isMade || job?.state !== 'running') && <RunDecontamination run={run} />}
      <AgreementTable />
      <CandidateDialog candidateId={opened} onClose={() => setOpened(null)} />
    </div>
  )
}
