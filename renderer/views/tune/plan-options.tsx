// What a tuning may add to or leave out of plain training; folded away, since the presets need none of it.

import { NumberInput, SegmentedControl, Switch } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { LoraPlan, TuningOptions, TuningPlan } from '../../../main/contract/tuning.ts'

interface PlanOptionsProps {
  plan: TuningPlan
  onChange(plan: TuningPlan): void
}

export function PlanOptions({ plan, onChange }: PlanOptionsProps) {
  const { t } = useTranslation()
  const options = plan.options ?? {}
  const set = (fields: TuningOptions) => onChange({ ...plan, options: { ...options, ...fields } })
  return (
    <details data-testid="plan-options">
      <summary>{t('tune.extra.title')}</summary>
      <div className="stack" style={{ marginTop: 10 }}>
        <div className="row-wrap">
          <Amount name="neftune" value={options.neftuneAlpha} onChange={(neftuneAlpha) => set({ neftuneAlpha })} />
          <Amount name="frozenLayers" value={options.frozenLayers} onChange={(frozenLayers) => set({ frozenLayers })} />
          <Choice
            name="eightBit"
            value={options.eightBitMoments}
            onChange={(eightBitMoments) => set({ eightBitMoments })}
          />
          {plan.mode === 'full' && (
            <Choice
              name="freeze"
              value={options.freezesEmbedding}
              onChange={(freezesEmbedding) => set({ freezesEmbedding })}
            />
          )}
        </div>
        {plan.lora && (
          <LoraOptions
            lora={plan.lora}
            klWeight={options.klWeight}
            onLora={(lora) => onChange({ ...plan, lora })}
            onKl={(klWeight) => set({ klWeight })}
          />
        )}
        <div>
          <div id="tune-device" className="field-name">
            {t('tune.extra.device')}
          </div>
          <SegmentedControl
            aria-labelledby="tune-device"
            value={options.device ?? 'processor'}
            data={(['processor', 'gpu'] as const).map((value) => ({
              value,
              label: t(`tune.extra.devices.${value}`),
            }))}
            onChange={(value) => set({ device: value === 'gpu' ? 'gpu' : 'processor' })}
          />
          <div className="dim">{t('tune.extra.deviceHelp')}</div>
        </div>
      </div>
    </details>
  )
}

interface LoraOptionsProps {
  lora: LoraPlan
  klWeight: number | undefined
  onLora(lora: LoraPlan): void
  onKl(weight: number): void
}

function LoraOptions({ lora, klWeight, onLora, onKl }: LoraOptionsProps) {
  return (
    <div className="row-wrap">
      <Amount
        name="dropout"
        step={0.05}
        max={0.9}
        value={lora.dropout}
        onChange={(dropout) => onLora({ ...lora, dropout })}
      />
      <Amount name="kl" step={0.1} value={klWeight} onChange={onKl} />
      <Choice name="leastUsed" value={lora.leastUsed} onChange={(leastUsed) => onLora({ ...lora, leastUsed })} />
      <Choice
        name="rankStabilised"
        value={lora.rankStabilised}
        onChange={(rankStabilised) => onLora({ ...lora, rankStabilised })}
      />
    </div>
  )
}

type AmountName = 'neftune' | 'frozenLayers' | 'dropout' | 'kl'
type ChoiceName = 'eightBit' | 'freeze' | 'leastUsed' | 'rankStabilised'

function Amount(field: {
  name: AmountName
  value: number | undefined
  step?: number
  max?: number
  onChange(value: number): void
}) {
  const { t } = useTranslation()
  return (
    <NumberInput
      w={230}
      label={t(`tune.extra.${field.name}`)}
      description={t(`tune.extra.${field.name}Help`)}
      min={0}
      max={field.max}
      step={field.step ?? 1}
      value={field.value ?? 0}
      onChange={(value) => field.onChange(Number(value) || 0)}
    />
  )
}

function Choice(field: { name: ChoiceName; value: boolean | undefined; onChange(value: boolean): void }) {
  const { t } = useTranslation()
  return (
    <Switch
      w={230}
      label={t(`tune.extra.${field.name}`)}
      description={t(`tune.extra.${field.name}Help`)}
      checked={field.value ?? false}
      onChange={(event) => field.onChange(event.currentTarget.checked)}
    />
  )
}
