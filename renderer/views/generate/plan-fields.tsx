// The fields of a generation plan beside its quotas.

import { NumberInput, Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Model } from '../../../main/contract/models.ts'
import type { PipelineSummary } from '../../../main/contract/pipelines.ts'

/** What the fields hold. */
export interface Wish {
  pipeline: string
  teacherId: string | null
  judgeId: string | null
  studentId: string | null
  minutes: number | ''
  seed: number
  parallel: number
  minPairGrade: number
  nearDuplicateRougeL: number
}

interface PartProps {
  wish: Wish
  onChange(part: Partial<Wish>): void
}

/** Pipeline, teacher, judge, student. */
export function PlanModels({
  wish,
  models,
  speaking,
  pipelines,
  onChange,
}: PartProps & { models: readonly Model[]; speaking: readonly Model[]; pipelines: readonly PipelineSummary[] }) {
  const { t } = useTranslation()
  const named = (list: readonly Model[]) => list.map(({ id, name }) => ({ value: id, label: name }))
  return (
    <div className="row-wrap">
      <Select
        w={200}
        label={t('generate.pipeline')}
        value={wish.pipeline}
        data={pipelines.map(({ name }) => name)}
        allowDeselect={false}
        onChange={(name) => name && onChange({ pipeline: name })}
      />
      <Select
        w={230}
        label={t('generate.teacher')}
        placeholder={t('generate.noTeacher')}
        value={wish.teacherId}
        data={named(speaking)}
        onChange={(teacherId) => onChange({ teacherId })}
      />
      <Select
        w={230}
        label={t('generate.judge')}
        placeholder={t('generate.teacherJudges')}
        clearable
        clearButtonProps={{ 'aria-label': t('clear') }}
        value={wish.judgeId}
        data={named(speaking.filter(({ id }) => id !== wish.teacherId))}
        onChange={(judgeId) => onChange({ judgeId })}
      />
      <Select
        w={230}
        label={t('generate.student')}
        placeholder={t('generate.noStudent')}
        clearable
        clearButtonProps={{ 'aria-label': t('clear') }}
        value={wish.studentId}
        data={named(models.filter(({ isMissing }) => !isMissing))}
        onChange={(studentId) => onChange({ studentId })}
      />
    </div>
  )
}

/** Thresholds, seed, how many at once, minutes. */
export function PlanNumbers({ wish, onChange }: PartProps) {
  const { t } = useTranslation()
  const number = (
    name: 'seed' | 'parallel' | 'minPairGrade' | 'nearDuplicateRougeL',
    limits: { min: number; max: number; step?: number },
  ) => (
    <NumberInput
      w={150}
      label={t(`generate.${name}`)}
      value={wish[name]}
      {...limits}
      onChange={(value) => onChange({ [name]: Number(value) || limits.min })}
    />
  )
  return (
    <div className="row-wrap">
      {number('minPairGrade', { min: 1, max: 3 })}
      {number('nearDuplicateRougeL', { min: 0, max: 1, step: 0.05 })}
      {number('seed', { min: 0, max: 2 ** 31 })}
      {number('parallel', { min: 1, max: 128 })}
      <NumberInput
        w={170}
        label={t('generate.minutes')}
        placeholder={t('generate.noLimit')}
        min={1}
        max={100_000}
        value={wish.minutes}
        onChange={(value) => onChange({ minutes: Number(value) > 0 ? Number(value) : '' })}
      />
    </div>
  )
}
