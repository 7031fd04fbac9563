// Tune: plan phases, see what they cost, start, and follow the loss live.

import { Button, Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { TuningRun } from '../../../main/contract/tuning.ts'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatWhen } from '../../format.ts'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { NewTuning } from './new-tuning.tsx'
import { TuningPane } from './tuning-pane.tsx'

/** `subject` is a run, or `new`. Without one the newest run is shown. */
export function TuneView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const runs = useRead('tuning.list', {})
  const newButton = <Button onClick={() => goTo('tune', 'new')}>{t('tune.new')}</Button>
  const sorted = runs.value?.toSorted((a, b) => b.createdAtMs - a.createdAtMs) ?? []
  const shown = sorted.find(({ id }) => id === subject) ?? sorted[0]
  if (subject === 'new') {
    return (
      <Screen name="tune" aside={<span className="dim">{t('tune.new')}</span>}>
        <NewTuning />
      </Screen>
    )
  }
  return (
    <Screen name="tune" aside={shown && <RunSelect runs={sorted} shown={shown} />} actions={newButton}>
      <Reading
        of={runs}
        empty={
          <EmptyNote title={t('tune.emptyTitle')} text={t('tune.emptyText')}>
            {newButton}
          </EmptyNote>
        }
      >
        {() => shown && <TuningPane key={shown.id} run={shown} />}
      </Reading>
    </Screen>
  )
}

function RunSelect({ runs, shown }: { runs: readonly TuningRun[]; shown: TuningRun }) {
  const { t } = useTranslation()
  return (
    <Select
      aria-label={t('tune.run')}
      w={340}
      value={shown.id}
      data={runs.map(({ id, plan, createdAtMs }) => ({
        value: id,
        label: `${plan.name} · ${formatWhen(createdAtMs)}`,
      }))}
      onChange={(id) => id && goTo('tune', id)}
    />
  )
}
