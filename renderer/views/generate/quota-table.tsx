// The quota of every leaf: how many accepted samples to make. Leaves that cannot be generated for say why.

import { Checkbox, NumberInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafSummary } from '../../../main/contract/taxonomy.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { formatCount } from '../../format.ts'

/** Accepted samples wanted, by leaf path; 0 leaves a leaf out. */
export type Quotas = Record<string, number>

interface QuotaTableProps {
  leaves: readonly LeafSummary[]
  canGenerate(leaf: LeafSummary): boolean
  quotas: Quotas
  onChange(quotas: Quotas): void
}

const usualQuota = 50

/** A checkbox and a number a leaf; the first checkbox takes all. */
export function QuotaTable({ leaves, canGenerate, quotas, onChange }: QuotaTableProps) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const [isChangedOnly, setChangedOnly] = useState(false)
  const wanted = leaves.filter(({ change }) => !isChangedOnly || change !== 'same')
  const shown = wanted.filter(({ path }) => path.includes(search.trim()))
  const able = wanted.filter(canGenerate)
  const showChanged = (isOn: boolean) => {
    setChangedOnly(isOn)
    if (isOn)
      onChange(
        Object.fromEntries(leaves.map(({ path, change }) => [path, change === 'same' ? 0 : (quotas[path] ?? 0)])),
      )
  }
  const chosen = able.filter(({ path }) => (quotas[path] ?? 0) > 0)
  const columns = useColumns({ canGenerate, quotas, onChange })
  return (
    <div className="stack-s">
      <div className="row" style={{ gap: 20 }}>
        <Checkbox
          label={t('generate.all')}
          checked={chosen.length === able.length && able.length > 0}
          indeterminate={chosen.length > 0 && chosen.length < able.length}
          onChange={(event) =>
            onChange(Object.fromEntries(able.map(({ path }) => [path, event.currentTarget.checked ? usualQuota : 0])))
          }
        />
        <Checkbox
          label={t('generate.onlyChanged')}
          checked={isChangedOnly}
          onChange={(event) => showChanged(event.currentTarget.checked)}
        />
        {leaves.length > 20 && (
          <TextInput
            w={260}
            aria-label={t('taxonomy.search')}
            placeholder={t('taxonomy.search')}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
        )}
      </div>
      <Grid label={t('generate.leaves')} columns={columns} rows={shown} keyOf={({ path }) => path} />
    </div>
  )
}

function useColumns({ canGenerate, quotas, onChange }: Omit<QuotaTableProps, 'leaves'>): Column<LeafSummary>[] {
  const { t } = useTranslation()
  const set = (path: string, quota: number) => onChange({ ...quotas, [path]: quota })
  return [
    {
      key: 'leaf',
      title: t('generate.leaf'),
      render: (leaf) => (
        <Checkbox
          label={leaf.path}
          disabled={!canGenerate(leaf)}
          checked={(quotas[leaf.path] ?? 0) > 0}
          onChange={(event) => set(leaf.path, event.currentTarget.checked ? usualQuota : 0)}
        />
      ),
    },
    { key: 'seeds', title: t('generate.seeds'), isNumeric: true, render: ({ seedCount }) => formatCount(seedCount) },
    {
      key: 'documents',
      title: t('screens.documents'),
      isNumeric: true,
      render: ({ documentCount }) => formatCount(documentCount),
    },
    {
      key: 'accepted',
      title: t('generate.acceptedSoFar'),
      isNumeric: true,
      render: ({ acceptedCount }) => formatCount(acceptedCount),
    },
    {
      key: 'quota',
      title: t('generate.quota'),
      isNumeric: true,
      render: (leaf) =>
        canGenerate(leaf) ? (
          <NumberInput
            aria-label={`${t('generate.quota')} ${leaf.path}`}
            w={100}
            ml="auto"
            min={0}
            max={100_000}
            step={10}
            value={quotas[leaf.path] ?? 0}
            onChange={(value) => set(leaf.path, Math.max(0, Math.round(Number(value) || 0)))}
          />
        ) : (
          <span className="dim">{t(`generate.unable.${whyUnable(leaf)}`)}</span>
        ),
    },
  ]
}

function whyUnable(leaf: LeafSummary): 'dataset' | 'seeds' | 'documents' {
  if (leaf.datasetRowCount > 0) return 'dataset'
  return leaf.seedCount === 0 ? 'seeds' : 'documents'
}
