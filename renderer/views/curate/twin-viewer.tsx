// Two near duplicates side by side: what differs is marked, and what speaks for either stands above it.

import { Button, Kbd } from '@mantine/core'
import { diffWordsWithSpace } from 'diff'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { TwinPair, TwinSide } from '../../../main/contract/twins.ts'
import { hrefOf } from '../../state/route.ts'

type Keep = 'one' | 'other' | 'both'

interface TwinViewerProps {
  pair: TwinPair
  isSettling: boolean
  onKeep(which: Keep): void
}

export function TwinViewer({ pair, isSettling, onKeep }: TwinViewerProps) {
  const { t } = useTranslation()
  const { one, other } = pair
  return (
    <section className="twin-viewer" aria-label={t('curate.twins.pair')} data-testid="twin-viewer">
      <div className="twin-sides">
        <Side side={one} rival={other} label={t('curate.twins.left')} />
        <Side side={other} rival={one} label={t('curate.twins.right')} />
      </div>
      <div className="pane-foot">
        <Button
          variant="default"
          disabled={other.isSeed || isSettling}
          onClick={() => onKeep('one')}
          rightSection={<Kbd>1</Kbd>}
        >
          {t('curate.twins.keepLeft')}
        </Button>
        <Button
          variant="default"
          disabled={one.isSeed || isSettling}
          onClick={() => onKeep('other')}
          rightSection={<Kbd>2</Kbd>}
        >
          {t('curate.twins.keepRight')}
        </Button>
        <Button variant="default" disabled={isSettling} onClick={() => onKeep('both')} rightSection={<Kbd>b</Kbd>}>
          {t('curate.twins.keepBoth')}
        </Button>
      </div>
    </section>
  )
}

function Side({ side, rival, label }: { side: TwinSide; rival: TwinSide; label: string }) {
  const { t } = useTranslation()
  return (
    <article aria-label={label}>
      <div className="row">
        {side.isSeed && <span className="tag accent">{t('curate.twins.seed')}</span>}
        <a className="clip" href={hrefOf('taxonomy', side.leaf)} title={side.leaf}>
          {side.leaf}
        </a>
      </div>
      <div className="dim">
        {[
          side.score !== null && t('curate.twins.graded', { score: String(side.score) }),
          !side.isSeed && side.isReviewed && t('curate.twins.decided'),
        ]
          .filter(Boolean)
          .join(' · ') || '\u00a0'}
      </div>
      {(side.context !== '' || rival.context !== '') && (
        <Part title={t('taxonomy.seed.context')} text={side.context} rival={rival.context} />
      )}
      <Part title={t('taxonomy.seed.question')} text={side.question} rival={rival.question} />
      <Part title={t('taxonomy.seed.answer')} text={side.answer} rival={rival.answer} />
    </article>
  )
}

const timeLimitMs = 200

/** A text with what its rival does not say marked. */
function Part({ title, text, rival }: { title: string; text: string; rival: string }) {
  const parts = useMemo(
    () => diffWordsWithSpace(rival, text, { timeout: timeLimitMs }) ?? [{ value: text, added: true, removed: false }],
    [text, rival],
  )
  return (
    <>
      <div className="field-name">{title}</div>
      <div className="prose">
        {parts.map(({ value, added, removed }, at) => {
          if (removed) return null
          return added ? <mark key={at}>{value}</mark> : <span key={at}>{value}</span>
        })}
      </div>
    </>
  )
}
