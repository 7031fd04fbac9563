// The next sensible act of the project, as one sentence and one button.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Overview } from '../../../main/contract/workspace.ts'
import { useAct } from '../../state/lab.ts'
import { goTo, type Screen } from '../../state/route.ts'

const places: Record<Exclude<Overview['next'], 'run-demo'>, readonly [Screen, string]> = {
  'add-models': ['models', 'add'],
  'add-leaves': ['taxonomy', 'new'],
  generate: ['generate', 'new'],
  curate: ['curate', ''],
  freeze: ['datasets', 'freeze'],
  tune: ['tune', 'new'],
  evaluate: ['evaluate', 'run'],
  export: ['export', ''],
}

interface NextStepProps {
  next: Overview['next']
  canRunDemo: boolean
}

/** The hint; the demo project also offers to run the demo again. */
export function NextStep({ next, canRunDemo }: NextStepProps) {
  const { t } = useTranslation()
  const runDemo = useAct('demo.run')
  const run = () => {
    if (next === 'run-demo') void runDemo.run({})
    else goTo(...places[next])
  }
  return (
    <div className="note accent-note" data-testid="next-step" style={{ marginBottom: 14 }}>
      <strong>{t('overview.nextTitle')}</strong>
      <div>{t(`overview.next.${next}.text`)}</div>
      <div className="row" style={{ marginTop: 8 }}>
        <Button onClick={run} loading={runDemo.isRunning}>
          {t(`overview.next.${next}.button`)}
        </Button>
        {canRunDemo && next !== 'run-demo' && (
          <Button variant="default" onClick={() => void runDemo.run({})} loading={runDemo.isRunning}>
            {t('overview.runAgain')}
          </Button>
        )}
      </div>
    </div>
  )
}
