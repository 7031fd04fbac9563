// Datasets: frozen, hashed selections; the open one shows its rows and which split each fell into.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Dataset } from '../../../main/contract/curation.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatCount, formatWhen } from '../../format.ts'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { DatasetRows } from './dataset-rows.tsx'
import { FreezeDialog } from './freeze-dialog.tsx'

/** `subject` is a dataset, or `freeze`. */
export function DatasetsView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const datasets = useRead('dataset.list', {})
  const freezeButton = <Button onClick={() => goTo('datasets', 'freeze')}>{t('datasets.freeze')}</Button>
  const opened = datasets.value?.find(({ id }) => id === subject)
  return (
    <Screen name="datasets" actions={freezeButton}>
      <Reading
        of={datasets}
        empty={
          <EmptyNote title={t('datasets.emptyTitle')} text={t('datasets.emptyText')}>
            {freezeButton}
          </EmptyNote>
        }
      >
        {(list) => <DatasetTable datasets={list} opened={subject} />}
      </Reading>
      {opened && <DatasetRows key={opened.id} dataset={opened} />}
      <FreezeDialog isOpen={subject === 'freeze'} onClose={() => goTo('datasets')} />
    </Screen>
  )
}

function DatasetTable({ datasets, opened }: { datasets: readonly Dataset[]; opened: string }) {
  const { t } = useTranslation()
  const columns: Column<Dataset>[] = [
    { key: 'name', title: t('datasets.name'), render: ({ name }) => <strong>{name}</strong> },
    {
      key: 'train',
      title: t('datasets.trainRows'),
      isNumeric: true,
      render: ({ split }) => formatCount(split.trainCount),
    },
    {
      key: 'validation',
      title: t('datasets.validationRows'),
      isNumeric: true,
      render: ({ split }) => formatCount(split.validationCount),
    },
    { key: 'leaves', title: t('datasets.leaves'), isNumeric: true, render: ({ leaves }) => formatCount(leaves.length) },
    {
      key: 'hash',
      title: t('datasets.hash'),
      render: ({ sha256 }) => (
        <span className="mono" title={sha256}>
          {sha256.slice(0, 12)}
        </span>
      ),
    },
    { key: 'created', title: t('datasets.created'), render: ({ createdAtMs }) => formatWhen(createdAtMs) },
  ]
  const sorted = datasets.toSorted((a, b) => b.createdAtMs - a.createdAtMs)
  return (
    <Grid
      label={t('screens.datasets')}
      columns={columns}
      rows={sorted}
      keyOf={({ id }) => id}
      selectedKey={opened}
      onOpen={({ id }) => goTo('datasets', id)}
    />
  )
}
