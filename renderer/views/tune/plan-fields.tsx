// The fields of a plan that hold for all its phases.

import { MultiSelect, NumberInput, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { ExamId } from '../../../main/contract/ids.ts'
import type { TuningPlan } from '../../../main/contract/tuning.ts'
import { useRead } from '../../state/lab.ts'
import { withMode, withReplay } from '../../state/plan.ts'

interface PlanFieldsProps {
  plan: TuningPlan
  onChange(plan: TuningPlan): void
}

/** Name, mode, LoRA size, seed, threads, checkpoints. */
export function PlanFields({ plan, onChange }: PlanFieldsProps) {
  const { t } = useTranslation()
  const set = (fields: Partial<TuningPlan>) => onChange({ ...plan, ...fields })
  const { lora } = plan
  const whole = (field: {
    label: string
    value: number
    min?: number
    onChange(value: number): void
    width?: number
  }) => (
    <NumberInput
      w={field.width ?? 90}
      label={field.label}
      min={field.min}
      value={field.value}
      onChange={(value) => field.onChange(Math.round(Number(value) || 0))}
    />
  )
  return (
    <div className="row-wrap">
      <TextInput
        w={230}
        label={t('tune.name')}
        value={plan.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <div>
        <div id="tune-mode" className="field-name">
          {t('tune.mode')}
        </div>
        <SegmentedControl
          aria-labelledby="tune-mode"
          value={plan.mode}
          data={(['full', 'lora'] as const).map((value) => ({ value, label: t(`tune.modes.${value}`) }))}
          onChange={(value) => onChange(withMode(plan, value === 'lora' ? 'lora' : 'full'))}
        />
      </div>
      {lora &&
        whole({
          label: t('tune.rank'),
          min: 1,
          value: lora.rank,
          onChange: (rank) => set({ lora: { ...lora, rank } }),
        })}
      {lora &&
        whole({
          label: t('tune.alpha'),
          min: 1,
          value: lora.alpha,
          onChange: (alpha) => set({ lora: { ...lora, alpha } }),
        })}
      {whole({ label: t('generate.seed'), value: plan.seed, onChange: (seed) => set({ seed }) })}
      {whole({ label: t('tune.threads'), min: 1, value: plan.threads, onChange: (threads) => set({ threads }) })}
      {whole({
        label: t('tune.checkpointEvery'),
        min: 1,
        width: 190,
        value: plan.checkpointEverySteps,
        onChange: (checkpointEverySteps) => set({ checkpointEverySteps }),
      })}
    </div>
  )
}

/** The exams that choose checkpoints, and the one switch for replay in every phase. */
export function ReplayAndExams({ plan, preset, onChange }: PlanFieldsProps & { preset: TuningPlan }) {
  const { t } = useTranslation()
  const exams = useRead('exam.list', {}).value ?? []
  const hasReplay = plan.phases.some(({ replayShare }) => replayShare > 0)
  return (
    <div className="row-wrap">
      <MultiSelect
        size="xs"
        miw={260}
        maw={560}
        label={t('tune.exams')}
        placeholder={plan.examIds.length === 0 ? t('tune.noExams') : undefined}
        data={exams.map(({ id, name }) => ({ value: id, label: name }))}
        value={plan.examIds}
        onChange={(ids) => onChange({ ...plan, examIds: ids as ExamId[] })}
      />
      <Switch
        mb={6}
        label={t('tune.replay')}
        checked={hasReplay}
        onChange={(event) => onChange(withReplay(plan, event.currentTarget.checked, preset))}
      />
    </div>
  )
}
