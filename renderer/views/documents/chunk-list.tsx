// The chunks of a document: virtual, since a book has thousands. The cursor stays in sight; where a split is being chosen, its place is
// shown in the text.

import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { PlacedChunk } from '../../../main/contract/taxonomy.ts'
import { usePages } from '../../components/page-range.ts'
import { type ChunkDesk, pieceOf } from '../../state/chunk-desk.ts'

interface ChunkListProps {
  chunks: readonly PlacedChunk[]
  desk: ChunkDesk
  /** Chunks above this size are marked. */
  tokens: number
}

/** A list one can walk with the arrow keys of the screen. */
export function ChunkList({ chunks, desk, tokens }: ChunkListProps) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const { cursor } = desk
  const virtual = useVirtualizer({
    count: chunks.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 160,
    getItemKey: (index) => chunks[index]?.id ?? index,
    overscan: 4,
  })
  useEffect(() => virtual.scrollToIndex(cursor), [virtual, cursor])
  return (
    <div
      className="virtual"
      ref={scroller}
      role="listbox"
      aria-label={t('documents.chunks')}
      tabIndex={0}
      aria-activedescendant={chunks.length > 0 ? `chunk-${cursor}` : undefined}
      data-testid="chunks"
    >
      <div className="virtual-inner" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const chunk = chunks[index]
          return (
            chunk && (
              <div
                key={chunk.id}
                ref={virtual.measureElement}
                data-index={index}
                id={`chunk-${index}`}
                className={chunk.isExcluded ? 'chunk excluded' : 'chunk'}
                role="option"
                aria-selected={index === cursor}
                aria-posinset={index + 1}
                aria-setsize={chunks.length}
                style={{ transform: `translateY(${start}px)` }}
                onClick={() => index !== cursor && desk.moveTo(index)}
              >
                <ChunkHead chunk={chunk} tokens={tokens} />
                <ChunkBody chunk={chunk} cutAt={index === cursor ? desk.cutAt : null} />
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}

function ChunkHead({ chunk, tokens }: { chunk: PlacedChunk; tokens: number }) {
  const { t } = useTranslation()
  const pages = usePages()(chunk.pages)
  const facts = [pages, t('documents.tokens', { count: chunk.tokenCount })].filter(Boolean).join(' · ')
  return (
    <div className="chunk-head">
      <span className="clip">{[`#${chunk.index + 1}`, ...chunk.headings].join(' › ')}</span>
      <span className="num">{facts}</span>
      {chunk.isExcluded && <span className="tag warn">{t('documents.excluded')}</span>}
      {chunk.tokenCount > tokens && <span className="tag warn">{t('documents.tooLong')}</span>}
    </div>
  )
}

/** `data-piece` holds the chunk's own text and nothing else, so that offsets of a selection in it are offsets in the document. */
function ChunkBody({ chunk, cutAt }: { chunk: PlacedChunk; cutAt: number | null }) {
  const { t } = useTranslation()
  const piece = pieceOf(chunk)
  const header = chunk.text.slice(0, chunk.text.length - piece.length)
  return (
    <>
      {header !== '' && (
        <div className="prose dim" title={t('documents.headerRepeated')}>
          {header.trimEnd()}
        </div>
      )}
      {cutAt === null ? (
        <div className="prose" data-piece="">
          {piece}
        </div>
      ) : (
        <>
          <div className="prose">{piece.slice(0, cutAt).trimEnd()}</div>
          <div className="cut-mark">{t('documents.cutHere')}</div>
          <div className="prose">{piece.slice(cutAt)}</div>
        </>
      )}
    </>
  )
}
