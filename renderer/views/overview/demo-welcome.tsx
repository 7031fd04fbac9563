// What a fresh start shows: what this is, honestly, and one button.

import { Button } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { useAct } from '../../state/lab.ts'
import { hrefOf } from '../../state/route.ts'

/** The explanation and the primary button. */
export function DemoWelcome() {
  const { t } = useTranslation()
  const runDemo = useAct('demo.run')
  const steps = [
    t('overview.steps.read'),
    t('overview.steps.generate'),
    t('overview.steps.judge'),
    t('overview.steps.tune'),
    t('overview.steps.examine'),
    t('overview.steps.export'),
  ]
  return (
    <div className="stack" style={{ gap: 14, paddingBottom: 20, maxWidth: 760 }}>
      <h2 style={{ fontSize: 20, margin: '6px 0 0' }}>{t('overview.welcomeTitle')}</h2>
      <p className="hush" style={{ fontSize: 14 }}>
        {t('overview.welcomeText')}
      </p>
      <ol style={{ margin: 0, paddingLeft: 20 }}>
        {steps.map((step) => (
          <li key={step} style={{ padding: '2px 0' }}>
            {step}
          </li>
        ))}
      </ol>
      <div className="note warn-note">{t('overview.honesty')}</div>
      <div className="row" style={{ gap: 16 }}>
        <Button
          size="md"
          leftSection={<IconPlayerPlay size={18} />}
          loading={runDemo.isRunning}
          onClick={() => void runDemo.run({})}
        >
          {t('overview.runDemo')}
        </Button>
        <span className="dim">{t('overview.runDemoHint')}</span>
      </div>
      <p className="hush dim">
        {t('overview.byHand')} <a href={hrefOf('taxonomy')}>{t('screens.taxonomy')}</a>,{' '}
        <a href={hrefOf('generate')}>{t('screens.generate')}</a>, <a href={hrefOf('curate')}>{t('screens.curate')}</a>,{' '}
        <a href={hrefOf('tune')}>{t('screens.tune')}</a>.
      </p>
    </div>
  )
}
