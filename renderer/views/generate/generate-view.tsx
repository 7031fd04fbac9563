// Generate: start a run, follow it live, and see per leaf and stage what was kept and what was dropped.

import { Button, Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { GenerationRun } from '../../../main/contract/generation.ts'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatWhen } from '../../format.ts'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { GenerationPane } from './generation-pane.tsx'
import { NewGeneration } from './new-generation.tsx'
import { PipelinesPane } from './pipelines-pane.tsx'

/** `subject` is a run, `new`, or `pipelines`. Without one the newest run is shown. */
export function GenerateView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const runs = useRead('generation.list', {})
  const newButton = <Button onClick={() => goTo('generate', 'new')}>{t('generate.new')}</Button>
  const sorted = runs.value?.toSorted((a, b) => b.createdAtMs - a.createdAtMs) ?? []
  const shown = sorted.find(({ id }) => id === subject) ?? sorted[0]
  if (subject === 'pipelines') {
    return (
      <Screen
        name="generate"
        aside={<span className="dim">{t('pipelines.title')}</span>}
        actions={
          <Button variant="default" onClick={() => goTo('generate')}>
            {t('pipelines.back')}
          </Button>
        }
      >
        <PipelinesPane />
      </Screen>
    )
  }
  if (subject === 'new') {
    return (
      <Screen name="generate" aside={<span className="dim">{t('generate.new')}</span>}>
        <NewGeneration />
      </Screen>
    )
  }
  return (
    <Screen
      name="generate"
      aside={shown && <RunSelect runs={sorted} shown={shown} />}
      actions={
        <>
          <Button variant="default" onClick={() => goTo('generate', 'pipelines')}>
            {t('pipelines.title')}
          </Button>
          {newButton}
        </>
      }
    >
      <Reading
        of={runs}
        empty={
          <EmptyNote title={t('generate.emptyTitle')} text={t('generate.emptyText')}>
            {newButton}
          </EmptyNote>
        }
      >
        {() => shown && <GenerationPane key={shown.id} run={shown} />}
      </Reading>
    </Screen>
  )
}

function RunSelect({ runs, shown }: { runs: readonly GenerationRun[]; shown: GenerationRun }) {
  const { t } = useTranslation()
  return (
    <Select
      aria-label={t('generate.run')}
      w={310}
      value={shown.id}
      data={runs.map(({ id, createdAtMs, plan }) => ({
        value: id,
        label: `${formatWhen(createdAtMs)} · ${t('generate.leafCount', { count: plan.leaves.length })}`,
      }))}
      onChange={(id) => id && goTo('generate', id)}
    />
  )
}
