// How near is too near, and the button that looks.

import { Button, NumberInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TwinSearch } from '../../../main/contract/twins.ts'
import { useAct, useRead } from '../../state/lab.ts'

interface TwinSearchFormProps {
  /** The latest search; its thresholds are where the next begins. */
  search: TwinSearch | null
  isRunning: boolean
}

export function TwinSearchForm({ search, isRunning }: TwinSearchFormProps) {
  const { t } = useTranslation()
  const models = useRead('model.list', {})
  const hasEmbedder = models.value?.some(({ roles }) => roles.includes('embedder')) ?? false
  const find = useAct('twin.find')
  const [words, setWords] = useState<number | null>(null)
  const [meaning, setMeaning] = useState<number | null>(null)
  const wish = {
    words: words ?? search?.wordsThreshold ?? 0.7,
    meaning: meaning ?? search?.meaningThreshold ?? 0.92,
  }
  const limits = { min: 0.5, max: 1, step: 0.05, decimalScale: 2, w: 150 }
  return (
    <div className="pane-head" role="group" aria-label={t('curate.twins.find')}>
      <NumberInput
        {...limits}
        label={t('curate.twins.words')}
        title={t('curate.twins.wordsHint')}
        value={wish.words}
        onChange={(value) => setWords(between(value, wish.words))}
      />
      {hasEmbedder ? (
        <NumberInput
          {...limits}
          step={0.01}
          label={t('curate.twins.meaning')}
          title={t('curate.twins.meaningHint')}
          value={wish.meaning}
          onChange={(value) => setMeaning(between(value, wish.meaning))}
        />
      ) : (
        models.value && <span className="dim grow field-note">{t('curate.twins.noEmbedder')}</span>
      )}
      <Button
        variant={search ? 'default' : 'filled'}
        style={{ alignSelf: 'end' }}
        loading={find.isRunning || isRunning}
        onClick={() => void find.run(wish)}
      >
        {search ? t('curate.twins.again') : t('curate.twins.find')}
      </Button>
    </div>
  )
}

/** A number while it is being typed may be none. */
function between(value: string | number, otherwise: number): number {
  const number = Number(value)
  return value === '' || Number.isNaN(number) ? otherwise : Math.max(0.5, Math.min(1, number))
}
