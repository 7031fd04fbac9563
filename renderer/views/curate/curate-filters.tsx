// What the list shows: by leaf, status, stage that dropped it, score, text, reviewed or not.

import { NumberInput, Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { memo, type RefObject, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SampleFilter, SampleStatus } from '../../../main/contract/curation.ts'
import { stageNames } from '../../../main/contract/generation.ts'
import { LeafSelect } from '../../components/leaf-select.tsx'

interface CurateFiltersProps {
  filter: SampleFilter
  onChange(filter: SampleFilter): void
  searchRef: RefObject<HTMLInputElement | null>
}

const statuses: readonly SampleStatus[] = ['accepted', 'rejected', 'dropped', 'edited']

/** One row of fields that apply as they change; typing waits for a pause. */
export const CurateFilters = memo(function CurateFilters({ filter, onChange, searchRef }: CurateFiltersProps) {
  const { t } = useTranslation()
  const set = (fields: Partial<SampleFilter>) => onChange({ ...filter, ...fields })
  const clear = { clearable: true, clearButtonProps: { 'aria-label': t('clear') } }
  return (
    <div className="pane-head" role="search" aria-label={t('curate.filters')}>
      <div style={{ flex: '1 1 130px' }}>
        <LeafSelect
          label={t('curate.leaf')}
          value={filter.leaf ?? ''}
          isAnyAllowed
          onChange={(leaf) => set({ leaf: leaf || undefined })}
        />
      </div>
      <Select
        w={110}
        {...clear}
        aria-label={t('curate.status')}
        placeholder={t('curate.status')}
        value={filter.status ?? null}
        data={statuses.map((value) => ({ value, label: t(`sampleStatus.${value}`) }))}
        onChange={(value) => set({ status: statuses.find((status) => status === value) })}
      />
      <Select
        w={140}
        {...clear}
        aria-label={t('curate.stage')}
        placeholder={t('curate.stage')}
        value={filter.droppedBy ?? null}
        data={stageNames.map((value) => ({ value, label: t(`drops.${value}`) }))}
        onChange={(value) => set({ droppedBy: value ?? undefined })}
      />
      <Select
        w={115}
        {...clear}
        aria-label={t('curate.reviewed')}
        placeholder={t('curate.reviewed')}
        value={filter.reviewed === undefined ? null : String(filter.reviewed)}
        data={[
          { value: 'true', label: t('curate.isReviewed') },
          { value: 'false', label: t('curate.notReviewed') },
        ]}
        onChange={(value) => set({ reviewed: value === null ? undefined : value === 'true' })}
      />
      <NumberInput
        w={118}
        aria-label={t('curate.minScore')}
        placeholder={t('curate.minScore')}
        min={0}
        max={3}
        step={0.5}
        value={filter.minScore ?? ''}
        onChange={(value) => set({ minScore: value === '' ? undefined : Number(value) })}
      />
      <TextFilter
        text={filter.text ?? ''}
        onChange={(text) => set({ text: text || undefined })}
        searchRef={searchRef}
      />
    </div>
  )
})

interface TextFilterProps {
  text: string
  onChange(text: string): void
  searchRef: RefObject<HTMLInputElement | null>
}

function TextFilter({ text, onChange, searchRef }: TextFilterProps) {
  const { t } = useTranslation()
  const [typed, setTyped] = useState(text)
  const [sent, setSent] = useState(text)
  const send = useDebouncedCallback((wanted: string) => {
    setSent(wanted)
    onChange(wanted)
  }, 200)
  if (text !== sent) {
    setSent(text)
    setTyped(text)
  }
  return (
    <TextInput
      className="grow"
      miw={120}
      ref={searchRef}
      aria-label={t('curate.text')}
      placeholder={t('curate.text')}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value)
        send(event.currentTarget.value)
      }}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
    />
  )
}
