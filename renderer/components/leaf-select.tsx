// Chooses a leaf by its path, with search.

import { Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { Leaf } from '../../main/contract/taxonomy.ts'
import { useRead } from '../state/lab.ts'

interface LeafSelectProps {
  label: string
  /** Empty = every leaf. */
  value: string
  onChange(path: LeafPath | ''): void
  isAnyAllowed?: boolean
  /** Only leaves that pass. */
  accepts?: (leaf: Leaf) => boolean
  withLabel?: boolean
}

/** The field; its label is shown or only spoken. */
export function LeafSelect({
  label,
  value,
  onChange,
  isAnyAllowed = false,
  accepts,
  withLabel = false,
}: LeafSelectProps) {
  const { t } = useTranslation()
  const leaves = useRead('taxonomy.list', {}).value ?? []
  const shown = accepts ? leaves.filter(accepts) : leaves
  return (
    <Select
      className="grow"
      data-autofocus={withLabel || undefined}
      label={withLabel ? label : undefined}
      aria-label={label}
      placeholder={isAnyAllowed ? t('anyLeaf') : t('chooseLeaf')}
      searchable
      clearable={isAnyAllowed}
      clearButtonProps={{ 'aria-label': t('clear') }}
      limit={200}
      value={value || null}
      data={shown.map(({ path }) => path)}
      onChange={(path) => onChange((path ?? '') as LeafPath | '')}
    />
  )
}
