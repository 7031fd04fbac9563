// What a run or a dataset was checked against, how much was checked, and what repeated something.

import { useTranslation } from 'react-i18next'
import type { DecontaminationHit, DecontaminationReport } from '../../main/contract/twins.ts'
import { formatCount } from '../format.ts'
import { Facts } from './facts.tsx'
import { type Column, Grid } from './grid.tsx'
import { Section } from './screen.tsx'

const shownHits = 50

/** Null: it was made without the check. */
export function Decontamination({ report }: { report: DecontaminationReport | null }) {
  const { t } = useTranslation()
  return (
    <Section title={t('decontamination.title')}>
      <div data-testid="decontamination">
        {report ? <Report report={report} /> : <span className="dim">{t('decontamination.none')}</span>}
      </div>
    </Section>
  )
}

function Report({ report }: { report: DecontaminationReport }) {
  const { t } = useTranslation()
  const { sources, runWords, checkedCount, hitCount, hits } = report
  const columns: Column<DecontaminationHit>[] = [
    {
      key: 'leaf',
      title: t('curate.leaf'),
      render: ({ leaf }) => <span className="dim">{leaf.split('/').at(-1)}</span>,
    },
    {
      key: 'question',
      title: t('decontamination.question'),
      render: ({ question }) => <span className="prose">{question}</span>,
    },
    { key: 'why', title: t('decontamination.why'), render: ({ words }) => <span className="prose">{words}</span> },
  ]
  return (
    <div className="stack">
      <Facts
        of={[
          [
            t('decontamination.sources'),
            sources.map(({ name, textCount }) => t('decontamination.source', { name, count: textCount })).join(', ') ||
              t('decontamination.nothing'),
          ],
          [t('decontamination.rule'), t('decontamination.words', { count: runWords })],
          [t('decontamination.checked'), formatCount(checkedCount)],
          [t('decontamination.hits'), formatCount(hitCount)],
        ]}
      />
      {hits.length > 0 && (
        <Grid
          label={t('decontamination.hits')}
          columns={columns}
          rows={hits.slice(0, shownHits)}
          keyOf={({ origin }) => origin}
        />
      )}
      {hitCount > shownHits && <span className="dim">{t('decontamination.shownHits', { count: shownHits })}</span>}
    </div>
  )
}
