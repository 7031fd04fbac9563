// "Does the student know this already?": the seeds of the document's leaf, and what the student answers with the book closed.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { SeedCheck, SeedMark } from '../../../main/contract/drafts.ts'
import type { DocumentSummary, Seed } from '../../../main/contract/taxonomy.ts'
import { Grid } from '../../components/grid.tsx'
import { EmptyNote, ErrorNote, Reading } from '../../components/reading.tsx'
import { useAct, useRead } from '../../state/lab.ts'

const tones: Record<SeedMark, string> = { known: 'good', partly: 'warn', unknown: 'accent' }

export function SeedPanel({ document: { leaf } }: { document: DocumentSummary }) {
  const { t } = useTranslation()
  const detail = useRead('taxonomy.leaf', { leaf })
  const checks = useRead('seed.checks', { leaf })
  const ask = useAct('seed.check', { isQuiet: true })
  const found = new Map(checks.value?.map((check) => [check.seedId, check]))
  const known = [...found.values()].filter(({ mark }) => mark === 'known').length
  return (
    <>
      <div className="pane-head">
        <span className="dim grow" role="status">
          {found.size > 0 ? t('documents.knownCount', { known, count: found.size }) : t('documents.seedsText')}
        </span>
        <Button variant="default" loading={ask.isRunning} onClick={() => void ask.run({ leaf })}>
          {t('documents.askStudent')}
        </Button>
      </div>
      <div className="pane-body" tabIndex={0} role="region" aria-label={t('documents.seeds')} data-testid="seed-checks">
        {ask.error && <ErrorNote error={ask.error} />}
        <Reading
          of={detail}
          isEmpty={({ seeds }) => seeds.length === 0}
          empty={<EmptyNote title={t('documents.noSeedsTitle')} text={t('documents.noSeedsText')} />}
        >
          {({ seeds }) => <SeedTable seeds={seeds} found={found} />}
        </Reading>
      </div>
    </>
  )
}

function SeedTable({ seeds, found }: { seeds: readonly Seed[]; found: ReadonlyMap<string, SeedCheck> }) {
  const { t } = useTranslation()
  const of = ({ id }: Seed) => found.get(id)
  return (
    <Grid
      label={t('documents.seeds')}
      rows={seeds}
      keyOf={({ id }) => id}
      columns={[
        { key: 'question', title: t('taxonomy.seed.question'), render: ({ question }) => question },
        { key: 'answer', title: t('taxonomy.seed.answer'), render: ({ answer }) => answer },
        { key: 'student', title: t('documents.studentAnswer'), render: (seed) => of(seed)?.answer ?? '–' },
        {
          key: 'similarity',
          title: t('documents.similarity'),
          isNumeric: true,
          render: (seed) => of(seed)?.similarity.toFixed(2) ?? '–',
        },
        {
          key: 'likelihood',
          title: t('documents.likelihood'),
          isNumeric: true,
          render: (seed) => of(seed)?.logLikelihood.toFixed(2) ?? '–',
        },
        { key: 'mark', title: t('documents.markTitle'), render: (seed) => <Mark check={of(seed)} /> },
      ]}
    />
  )
}

function Mark({ check }: { check: SeedCheck | undefined }) {
  const { t } = useTranslation()
  return check ? <span className={`tag ${tones[check.mark]}`}>{t(`documents.marks.${check.mark}`)}</span> : '–'
}
