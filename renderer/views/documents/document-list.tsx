// The documents of the project: virtual, since a taxonomy of thousands of leaves has as many.

import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import type { DocumentId } from '../../../main/contract/ids.ts'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { DocumentLine } from './document-line.tsx'

/** Three lines, each cut where it is too long, and their padding. */
const rowHeight = 68

interface DocumentListProps {
  documents: readonly DocumentSummary[]
  opened: DocumentSummary | undefined
  onOpen(id: DocumentId): void
}

/** The list; each line opens its document. */
export function DocumentList({ documents, opened, onOpen }: DocumentListProps) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: documents.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => documents[index]?.id ?? index,
    overscan: 6,
  })
  return (
    <div className="virtual" ref={scroller} data-testid="documents">
      <div className="virtual-inner" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const document = documents[index]
          return (
            document && (
              <div key={document.id} style={{ width: '100%', height: rowHeight, transform: `translateY(${start}px)` }}>
                <DocumentLine document={document} isOpen={document === opened} onOpen={onOpen} />
              </div>
            )
          )
        })}
      </div>
    </div>
  )
}
