// One document in the list: its name and leaf, what it was imported from, how large it is and into how many chunks it is cut.

import { useTranslation } from 'react-i18next'
import type { DocumentId } from '../../../main/contract/ids.ts'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { formatBytes } from '../../format.ts'

interface DocumentLineProps {
  document: DocumentSummary
  isOpen: boolean
  onOpen(id: DocumentId): void
}

export function DocumentLine({ document, isOpen, onOpen }: DocumentLineProps) {
  const { t } = useTranslation()
  const { type, pageCount, sizeBytes, chunkCount, notes } = document
  const facts = [
    t(`documents.types.${type}`),
    pageCount !== null && t('documents.pageCount', { count: pageCount }),
    formatBytes(sizeBytes),
    t('documents.chunkCount', { count: chunkCount }),
  ]
  return (
    <button
      type="button"
      className="list-row plain-button document-line"
      aria-current={isOpen ? 'true' : undefined}
      onClick={() => onOpen(document.id)}
    >
      <span className="grow" style={{ textAlign: 'left' }}>
        <span className="row">
          <span className="clip grow">{document.name}</span>
          {notes.length > 0 && <span className="tag warn">{t('documents.noted')}</span>}
        </span>
        <span className="dim clip">{document.leaf}</span>
        <span className="dim clip">{facts.filter(Boolean).join(' · ')}</span>
      </span>
    </button>
  )
}
