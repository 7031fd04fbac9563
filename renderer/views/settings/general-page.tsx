// Appearance, and the one budget of threads shared by generation and training.

import { NumberInput, SegmentedControl } from '@mantine/core'
import { type ReactNode, useId } from 'react'
import { useTranslation } from 'react-i18next'
import type { Settings } from '../../../main/contract/workspace.ts'
import { Facts } from '../../components/facts.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatBytes } from '../../format.ts'
import { useAct, useLive, useRead } from '../../state/lab.ts'

/** Every change is kept at once. */
export function GeneralPage() {
  const { t } = useTranslation()
  const settings = useRead('settings.get', {})
  return (
    <>
      <Reading of={settings}>{(value) => <Fields settings={value} />}</Reading>
      <Section title={t('settings.machine')}>
        <Machine />
      </Section>
    </>
  )
}

function Fields({ settings }: { settings: Settings }) {
  const { t } = useTranslation()
  const set = useAct('settings.set')
  const cores = useLive(({ hardware }) => hardware?.coreCount)
  return (
    <div className="stack">
      <Choice
        title={t('settings.theme')}
        value={settings.theme}
        options={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: t(`settings.${value}`) }))}
        onChange={(theme) => void set.run({ theme: theme as Settings['theme'] })}
      />
      <Choice
        title={t('settings.language')}
        value={settings.language}
        options={[
          { value: 'en', label: 'English' },
          { value: 'ja', label: '日本語' },
        ]}
        onChange={(language) => void set.run({ language: language as Settings['language'] })}
      />
      <Choice
        title={t('settings.gpu')}
        value={settings.gpu}
        options={(['auto', 'off'] as const).map((value) => ({ value, label: t(`settings.gpus.${value}`) }))}
        onChange={(gpu) => void set.run({ gpu: gpu as Settings['gpu'] })}
      />
      <NumberInput
        w={300}
        label={t('settings.threads')}
        description={cores ? t('settings.threadsHint', { count: cores }) : undefined}
        min={1}
        max={256}
        value={settings.threads}
        onChange={(value) =>
          Number(value) >= 1 &&
          Number(value) !== settings.threads &&
          void set.run({ threads: Math.round(Number(value)) })
        }
      />
    </div>
  )
}

interface ChoiceProps {
  title: string
  value: string
  options: { value: string; label: string }[]
  onChange(value: string): void
}

function Choice({ title, value, options, onChange }: ChoiceProps): ReactNode {
  const id = useId()
  return (
    <div>
      <div id={id} className="field-name">
        {title}
      </div>
      <SegmentedControl aria-labelledby={id} value={value} data={options} onChange={onChange} />
    </div>
  )
}

function Machine() {
  const { t } = useTranslation()
  const hardware = useLive((state) => state.hardware)
  if (!hardware) return <span className="dim">{t('loading')}</span>
  const { trainer } = hardware
  return (
    <Facts
      of={[
        [
          t('settings.cpu'),
          `${hardware.cpuModel} · ${t('status.cores', { count: hardware.coreCount })} · ${hardware.isa}`,
        ],
        [
          t('settings.memory'),
          t('status.memory', {
            free: formatBytes(hardware.memoryFreeBytes),
            total: formatBytes(hardware.memoryTotalBytes),
          }),
        ],
        [t('settings.disk'), t('settings.free', { size: formatBytes(hardware.diskFreeBytes) })],
        [
          t('settings.gpu'),
          hardware.gpu === 'none' ? t('status.noGpu') : `${hardware.gpu} ${hardware.gpuNames.join(', ')}`,
        ],
        [
          t('settings.trainer'),
          <span key="trainer" className={trainer.isReady ? 'good' : 'bad'}>
            {trainer.isReady ? t('settings.trainerReady') : `${trainer.message} ${trainer.remedy}`}
          </span>,
        ],
      ]}
    />
  )
}
