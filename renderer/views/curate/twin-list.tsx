// The pairs of a search, closest first.

import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { TwinPair } from '../../../main/contract/twins.ts'

interface TwinListProps {
  rows: readonly TwinPair[]
  place: number
  onPlace(place: number): void
}

/** One row a pair; the chosen one stays in sight. */
export function TwinList({ rows, place, onPlace }: TwinListProps) {
  const { t } = useTranslation()
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current?.children[place]?.scrollIntoView({ block: 'nearest' })
  }, [place])
  return (
    <div
      className="twin-list"
      ref={list}
      role="listbox"
      tabIndex={0}
      aria-label={t('curate.twins.list')}
      aria-activedescendant={`twin-${place}`}
      data-testid="twin-list"
    >
      {rows.map(({ number, kind, score, other }, at) => (
        <div
          key={number}
          id={`twin-${at}`}
          className="list-row"
          role="option"
          aria-selected={at === place}
          onClick={() => onPlace(at)}
        >
          <span className="num">{score.toFixed(2)}</span>
          <span className={kind === 'meaning' ? 'tag accent' : 'tag'}>{t(`curate.twins.kind.${kind}`)}</span>
          <span className="clip">{other.question}</span>
        </div>
      ))}
    </div>
  )
}
