// The list of samples: virtual, so that a hundred thousand rows scroll like twenty. Pages are fetched as they come into sight.

import { useVirtualizer } from '@tanstack/react-virtual'
import { memo, useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { useStore } from 'zustand'
import type { Sample } from '../../../main/contract/curation.ts'
import { StatusTag } from '../../components/status-tag.tsx'
import { type Curation, rowAt } from '../../state/curation.ts'

const rowHeight = 30

/** Rows around the visible part; the cursor stays in sight. */
export function SampleList({ curation }: { curation: Curation }) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const state = useStore(curation.store)
  const count = state.total ?? 0
  const { cursor, filter } = state
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 10,
  })
  const visible = virtual.getVirtualItems()
  const first = visible[0]?.index ?? 0
  const last = visible.at(-1)?.index ?? 0
  const isWhole = rowAt(state, first) !== undefined && rowAt(state, last) !== undefined
  useEffect(() => {
    if (count > 0 && !isWhole) curation.need(first, last)
  }, [curation, count, first, last, filter, isWhole])
  useEffect(() => {
    if (count > 0) virtual.scrollToIndex(cursor)
  }, [virtual, cursor, count])
  return (
    <div
      className="virtual"
      ref={scroller}
      role="listbox"
      aria-label={t('curate.list')}
      tabIndex={0}
      aria-activedescendant={rowAt(state, cursor) ? `sample-${cursor}` : undefined}
      data-testid="sample-list"
    >
      <div className="virtual-inner" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {visible.map(({ index, start }) => (
          <SampleRow
            key={index}
            index={index}
            count={count}
            sample={rowAt(state, index)}
            start={start}
            isAtCursor={index === cursor}
            curation={curation}
          />
        ))}
      </div>
    </div>
  )
}

interface SampleRowProps {
  index: number
  count: number
  sample: Sample | undefined
  start: number
  isAtCursor: boolean
  curation: Curation
}

/** Drawn again only when its sample or the cursor on it changes. */
const SampleRow = memo(function SampleRow({ index, count, sample, start, isAtCursor, curation }: SampleRowProps) {
  return (
    <div
      id={`sample-${index}`}
      className="list-row"
      role="option"
      tabIndex={-1}
      aria-selected={isAtCursor}
      aria-posinset={index + 1}
      aria-setsize={count}
      style={{ transform: `translateY(${start}px)`, height: rowHeight }}
      onClick={() => curation.moveTo(index)}
    >
      {sample ? (
        <>
          <span style={{ width: 82, flex: 'none' }}>
            <StatusTag status={sample.status} />
          </span>
          <span className="clip grow" style={{ flex: 3 }}>
            {sample.question || '–'}
          </span>
          <span className="clip dim" style={{ flex: 1, minWidth: 0 }}>
            {sample.leaf.split('/').at(-1)}
          </span>
          <span className="dim num" style={{ width: 34, flex: 'none' }}>
            {sample.score === null ? '' : Number(sample.score.toFixed(2))}
          </span>
        </>
      ) : (
        <span className="dim">…</span>
      )}
    </div>
  )
})
