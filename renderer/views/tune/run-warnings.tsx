// What the steps of a run say against it, with what to do. Advice: the run goes on.

import { useTranslation } from 'react-i18next'
import type { TuningRun } from '../../../main/contract/tuning.ts'
import { formatCount, formatMeasure } from '../../format.ts'
import { useRead } from '../../state/lab.ts'

/** Nothing while all is well. */
export function RunWarnings({ run }: { run: TuningRun }) {
  const { t } = useTranslation()
  const warnings = useRead('tuning.warnings', { tuningId: run.id }).value ?? []
  if (warnings.length === 0) return null
  return (
    <div className="note warn-note" role="status" data-testid="run-warnings">
      <strong>{t('tune.warnings.title')}</strong>
      {warnings.map(({ kind, phase, step, before, now }) => (
        <div key={kind}>
          <span className="dim">{`${phase} · ${t('tune.step')} ${formatCount(step)}: `}</span>
          {t(`tune.warnings.${kind}`, { before: formatMeasure(before), now: formatMeasure(now) })}
        </div>
      ))}
    </div>
  )
}
