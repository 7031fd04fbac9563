// The rows of one frozen dataset, a page at a time, and its balance over leaves.

import { Pagination } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Dataset, DatasetRow } from '../../../main/contract/curation.ts'
import { Decontamination } from '../../components/decontamination.tsx'
import { Facts } from '../../components/facts.tsx'
import { type Column, Grid } from '../../components/grid.tsx'
import { Meter } from '../../components/meter.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { useRead } from '../../state/lab.ts'

const pageRows = 50
const mostLeaves = 100

/** Hash, leaves, rows. */
export function DatasetRows({ dataset }: { dataset: Dataset }) {
  const { t } = useTranslation()
  const [page, setPage] = useState(1)
  const report = useRead('dataset.decontamination', { datasetId: dataset.id })
  const rows = useRead('dataset.rows', { datasetId: dataset.id, offset: (page - 1) * pageRows, limit: pageRows })
  return (
    <>
      <Section title={dataset.name}>
        <Facts
          of={[
            [
              t('datasets.hash'),
              <span key="hash" className="mono">
                {dataset.sha256}
              </span>,
            ],
            [t('generate.seed'), dataset.seed],
          ]}
        />
      </Section>
      <Reading of={report}>{(value) => <Decontamination report={value} />}</Reading>
      <Section title={t('datasets.balance')}>
        <Balance dataset={dataset} />
      </Section>
      <Section title={t('datasets.rows')}>
        <Reading of={rows}>
          {(value) => (
            <div className="stack">
              <RowTable rows={value.rows} />
              {value.total > pageRows && (
                <Pagination
                  size="sm"
                  total={Math.ceil(value.total / pageRows)}
                  value={page}
                  onChange={setPage}
                  getControlProps={(control) => ({ 'aria-label': t(`pages.${control}`) })}
                />
              )}
            </div>
          )}
        </Reading>
      </Section>
    </>
  )
}

function Balance({ dataset }: { dataset: Dataset }) {
  const { t } = useTranslation()
  const hidden = dataset.leaves.length - mostLeaves
  const most = Math.max(1, ...dataset.leaves.map(({ count }) => count))
  return (
    <div className="funnel">
      {dataset.leaves.slice(0, mostLeaves).map(({ leaf, count }) => [
        <span key={leaf} className="clip" title={leaf}>
          {leaf}
        </span>,
        <Meter key={`${leaf} bar`} label={leaf} done={count} total={most} />,
        <span key={`${leaf} count`} className="num">
          {formatCount(count)}
        </span>,
      ])}
      {hidden > 0 && <span className="dim">{t('more', { count: hidden })}</span>}
    </div>
  )
}

function RowTable({ rows }: { rows: readonly DatasetRow[] }) {
  const { t } = useTranslation()
  const columns: Column<DatasetRow>[] = [
    { key: 'index', title: '#', isNumeric: true, render: ({ index }) => index },
    {
      key: 'split',
      title: t('datasets.split'),
      render: ({ split }) => <span className={split === 'train' ? 'tag' : 'tag accent'}>{t(`datasets.${split}`)}</span>,
    },
    {
      key: 'leaf',
      title: t('curate.leaf'),
      render: ({ leaf }) => <span className="dim">{leaf.split('/').at(-1)}</span>,
    },
    { key: 'user', title: t('datasets.user'), render: ({ user }) => <span className="prose">{user}</span> },
    {
      key: 'assistant',
      title: t('datasets.assistant'),
      render: ({ assistant }) => <span className="prose">{assistant}</span>,
    },
  ]
  return <Grid label={t('datasets.rows')} columns={columns} rows={rows} keyOf={({ index }) => String(index)} />
}
