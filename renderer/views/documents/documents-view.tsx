// Documents: by leaf on the left, the open one with its text and chunks on the right.

import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DocumentId, LeafPath } from '../../../main/contract/ids.ts'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { LeafSelect } from '../../components/leaf-select.tsx'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatBytes } from '../../format.ts'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { AddDocumentDialog } from './add-document-dialog.tsx'
import { DocumentPane } from './document-pane.tsx'

/** `subject` is a leaf to filter by, or `add`. */
export function DocumentsView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const isAdding = subject === 'add'
  const leaf = isAdding ? '' : subject
  const documents = useRead('document.list', leaf ? { leaf: leaf as LeafPath } : {})
  const [opened, setOpened] = useState<DocumentId | null>(null)
  const open = documents.value?.find(({ id }) => id === opened) ?? documents.value?.[0]
  const addButton = <Button onClick={() => goTo('documents', 'add')}>{t('documents.add')}</Button>
  return (
    <Screen name="documents" actions={addButton} isFlush>
      <div className="pane" style={{ width: 340, flex: 'none' }}>
        <div className="pane-head">
          <LeafSelect
            label={t('documents.leaf')}
            value={leaf}
            onChange={(path) => goTo('documents', path)}
            isAnyAllowed
          />
        </div>
        <div style={{ overflow: 'auto' }}>
          <Reading
            of={documents}
            empty={
              <div className="pane-body">
                <EmptyNote title={t('documents.emptyTitle')} text={t('documents.emptyText')}>
                  {addButton}
                </EmptyNote>
              </div>
            }
          >
            {(list) =>
              list.map((document) => (
                <DocumentLine key={document.id} document={document} isOpen={document === open} onOpen={setOpened} />
              ))
            }
          </Reading>
        </div>
      </div>
      <div className="pane grow">{open ? <DocumentPane key={open.id} document={open} /> : null}</div>
      <AddDocumentDialog isOpen={isAdding} onClose={() => goTo('documents')} />
    </Screen>
  )
}

interface DocumentLineProps {
  document: DocumentSummary
  isOpen: boolean
  onOpen(id: DocumentId): void
}

function DocumentLine({ document, isOpen, onOpen }: DocumentLineProps) {
  const { t } = useTranslation()
  return (
    <button
      type="button"
      className="list-row plain-button"
      aria-current={isOpen ? 'true' : undefined}
      style={{ padding: '5px 10px' }}
      onClick={() => onOpen(document.id)}
    >
      <span className="grow" style={{ textAlign: 'left' }}>
        <span className="clip" style={{ display: 'block' }}>
          {document.name}
        </span>
        <span className="dim clip" style={{ display: 'block', fontSize: 12 }}>
          {document.leaf}
        </span>
      </span>
      <span className="dim" style={{ fontSize: 12, textAlign: 'right' }}>
        {formatBytes(document.sizeBytes)}
        <br />
        {t('documents.chunkCount', { count: document.chunkCount })}
      </span>
    </button>
  )
}
