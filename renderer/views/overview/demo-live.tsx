// The newest generation's samples and the newest tuning's loss, as they come.

import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { CandidateFeed } from '../../components/candidate-feed.tsx'
import { Sparkline } from '../../components/sparkline.tsx'
import { formatCount, formatMeasure } from '../../format.ts'
import { useDesk, useLive, useRead } from '../../state/lab.ts'
import { catchUpSteps } from '../../state/live.ts'
import { newest } from '../../state/newest.ts'
import { hrefOf } from '../../state/route.ts'

/** Loss above, samples below; each appears with its first data. */
export function DemoLive() {
  const { t } = useTranslation()
  const generation = newest(useRead('generation.list', {}).value)
  const tuning = newest(useRead('tuning.list', {}).value)
  return (
    <div className="stack">
      {tuning && <LossGlance tuningId={tuning.id} name={tuning.plan.name} />}
      {generation && (
        <section className="stack-s" aria-label={t('overview.newSamples')}>
          <div className="section-head">
            <h2>{t('overview.newSamples')}</h2>
            <a href={hrefOf('curate')}>{t('overview.seeAll')}</a>
          </div>
          <CandidateFeed generationId={generation.id} limit={tuning ? 6 : 12} />
        </section>
      )}
    </div>
  )
}

function LossGlance({ tuningId, name }: { tuningId: Parameters<typeof catchUpSteps>[2]; name: string }) {
  const { t } = useTranslation()
  const { live, engine } = useDesk()
  const steps = useLive((state) => state.steps[tuningId])
  useEffect(() => void catchUpSteps(live, engine, tuningId), [live, engine, tuningId])
  const last = steps?.at(-1)
  if (!steps || !last) return null
  return (
    <section className="stack-s" aria-label={t('tune.loss')} data-testid="loss-glance">
      <div className="section-head">
        <h2>
          {t('tune.loss')} · {name}
        </h2>
        <span className="dim">
          {last.phase} · {t('tune.step')} {formatCount(last.step)} · {formatMeasure(last.loss)}
        </span>
        <a href={hrefOf('tune', tuningId)}>{t('overview.open')}</a>
      </div>
      <Sparkline label={t('tune.loss')} values={steps.map(({ loss }) => loss)} />
    </section>
  )
}
