// Thresholds of a run after the fact: sliders show what stored scores would lead to before anything is changed.

import { Button, NumberInput, Slider } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { GenerationRun, ThresholdEffect } from '../../../main/contract/generation.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

/** Changes nothing until it is applied; what people decided stays as it is. */
export function ThresholdPanel({ run }: { run: GenerationRun }) {
  const { t } = useTranslation()
  const [wanted, setWanted] = useState(run.plan.thresholds)
  const [resting] = useDebouncedValue(wanted, 150)
  const effects = useRead('generation.thresholds', { generationId: run.id, thresholds: resting }).value
  const apply = useAct('generation.applyThresholds')
  const sum = (count: (effect: ThresholdEffect) => number) =>
    (effects ?? []).reduce((total, effect) => total + count(effect), 0)
  const comes = sum((effect) => effect.comes)
  const goes = sum((effect) => effect.goes)
  async function submit(): Promise<void> {
    if (await apply.run({ generationId: run.id, thresholds: wanted }))
      showDone(t('thresholds.applied', { comes, goes }))
  }
  return (
    <Section title={t('thresholds.title')}>
      <div className="row-wrap" data-testid="threshold-panel">
        <NumberInput
          w={150}
          label={t('generate.minPairGrade')}
          min={1}
          max={3}
          value={wanted.minPairGrade}
          onChange={(value) => setWanted({ ...wanted, minPairGrade: Math.min(3, Math.max(1, Number(value) || 1)) })}
        />
        <div style={{ width: 240, alignSelf: 'stretch' }}>
          <span id="near-threshold" className="dim">
            {t('thresholds.near', { value: wanted.nearDuplicateRougeL.toFixed(2) })}
          </span>
          <Slider
            mt={11}
            aria-labelledby="near-threshold"
            thumbProps={{ 'aria-labelledby': 'near-threshold' }}
            min={0.3}
            max={1}
            step={0.01}
            value={wanted.nearDuplicateRougeL}
            onChange={(value) => setWanted({ ...wanted, nearDuplicateRougeL: value })}
            label={null}
          />
        </div>
        <Button variant="default" loading={apply.isRunning} disabled={comes + goes === 0} onClick={() => void submit()}>
          {t('thresholds.apply')}
        </Button>
        <span role="status">
          {t('thresholds.effect', {
            accepted: formatCount(sum((effect) => effect.accepted)),
            later: formatCount(sum((effect) => effect.accepted) + comes - goes),
            comes: formatCount(comes),
            goes: formatCount(goes),
          })}
        </span>
      </div>
      <Effects effects={(effects ?? []).filter(({ comes: in_, goes: out, unjudged }) => in_ + out + unjudged > 0)} />
    </Section>
  )
}

function Effects({ effects }: { effects: readonly ThresholdEffect[] }) {
  const { t } = useTranslation()
  if (effects.length === 0) return null
  const count = (key: 'accepted' | 'comes' | 'goes' | 'unjudged'): Column<ThresholdEffect> => ({
    key,
    title: t(`thresholds.${key}`),
    isNumeric: true,
    render: (effect) => formatCount(effect[key]),
  })
  return (
    <Grid
      label={t('thresholds.title')}
      columns={[
        { key: 'leaf', title: t('generate.leaf'), render: ({ leaf }) => <span className="clip">{leaf}</span> },
        count('accepted'),
        count('comes'),
        count('goes'),
        count('unjudged'),
      ]}
      rows={effects}
      keyOf={({ leaf }) => leaf}
    />
  )
}
