// The plan before it starts: mode, phases in a table, what it will cost, warnings, and the button.

import { Button } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TuningPlan } from '../../../main/contract/tuning.ts'
import { ErrorNote } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { useAct, useRead } from '../../state/lab.ts'
import { brokenFields } from '../../state/plan.ts'
import { goTo } from '../../state/route.ts'
import { PhaseTable } from './phase-table.tsx'
import { PlanEstimate } from './plan-estimate.tsx'
import { PlanFields, ReplayAndExams } from './plan-fields.tsx'
import { PlanOptions } from './plan-options.tsx'

/** Starts from a preset's plan; nothing is kept until Start. */
export function PlanEditor({ preset }: { preset: TuningPlan }) {
  const { t } = useTranslation()
  const [plan, setPlan] = useState(preset)
  const [settled] = useDebouncedValue(plan, 300)
  const broken = brokenFields(plan)
  const estimate = useRead('tuning.estimate', brokenFields(settled).length === 0 ? settled : null)
  const start = useAct('tuning.start', { isQuiet: true })
  async function submit(): Promise<void> {
    const started = await start.run(plan)
    if (started) goTo('tune', started.tuningId)
  }
  return (
    <div className="stack" data-testid="plan-editor">
      <PlanFields plan={plan} onChange={setPlan} />
      <ReplayAndExams plan={plan} preset={preset} onChange={setPlan} />
      <PhaseTable plan={plan} broken={broken} onChange={setPlan} />
      <PlanOptions plan={plan} onChange={setPlan} />
      <Section title={t('tune.estimate')}>
        <PlanEstimate estimate={estimate} plan={settled} />
      </Section>
      {start.error && <ErrorNote error={start.error} />}
      <div className="row">
        <Button onClick={() => void submit()} loading={start.isRunning} disabled={broken.length > 0}>
          {t('tune.start')}
        </Button>
        {broken.length > 0 && (
          <span className="bad" role="status">
            {t('tune.brokenFields', { fields: broken.join(', ') })}
          </span>
        )}
      </div>
    </div>
  )
}
