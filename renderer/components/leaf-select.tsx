// Chooses a leaf by its path, with search.

import { Select } from '@mantine/core'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { Branch } from '../../main/contract/taxonomy.ts'
import { useRead } from '../state/lab.ts'

interface LeafSelectProps {
  label: string
  /** Empty = every leaf. */
  value: string
  onChange(path: LeafPath | ''): void
  isAnyAllowed?: boolean
  /** Only leaves of this branch. */
  branch?: Branch
  withLabel?: boolean
}

/** Paths of the leaves, of one branch or all; the same list until the taxonomy changes. */
export function useLeafPaths(branch?: Branch): LeafPath[] {
  const paths = useRead('taxonomy.paths', {}).value
  return useMemo(() => (paths ?? []).filter((path) => !branch || path.startsWith(`${branch}/`)), [paths, branch])
}

/** The field; its label is shown or only spoken. */
export function LeafSelect({
  label,
  value,
  onChange,
  isAnyAllowed = false,
  branch,
  withLabel = false,
}: LeafSelectProps) {
  const { t } = useTranslation()
  const paths = useLeafPaths(branch)
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
      data={paths}
      onChange={(path) => onChange((path ?? '') as LeafPath | '')}
    />
  )
}
