// Documents: by leaf on the left, the open one with its chunks on the right. Files may be dropped anywhere on it.

import { Button } from '@mantine/core'
import { type DragEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DocumentId, LeafPath } from '../../../main/contract/ids.ts'
import { LeafSelect } from '../../components/leaf-select.tsx'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { AddDocumentDialog } from './add-document-dialog.tsx'
import { DocumentList } from './document-list.tsx'
import { DocumentPane } from './document-pane.tsx'

/** `subject` is a leaf to filter by, or `add`. */
export function DocumentsView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const isAdding = subject === 'add'
  const leaf = isAdding ? '' : subject
  const documents = useRead('document.list', leaf ? { leaf: leaf as LeafPath } : {})
  const [opened, setOpened] = useState<DocumentId | null>(null)
  const [dropped, setDropped] = useState<{ files: File[]; leaf: string }>({ files: [], leaf: '' })
  const open = documents.value?.find(({ id }) => id === opened) ?? documents.value?.[0]
  const add = (files: File[]) => {
    setDropped({ files, leaf: leaf || (open?.leaf ?? '') })
    goTo('documents', 'add')
  }
  const drop = useDrop(add)
  const addButton = <Button onClick={() => add([])}>{t('documents.add')}</Button>
  return (
    <Screen name="documents" actions={addButton} isFlush>
      <div className={drop.isOver ? 'drop-zone over' : 'drop-zone'} {...drop.handlers}>
        {drop.isOver && <div className="drop-hint">{t('documents.dropHere')}</div>}
        <div className="pane" style={{ width: 340, flex: 'none' }}>
          <div className="pane-head">
            <LeafSelect
              label={t('documents.leaf')}
              value={leaf}
              onChange={(path) => goTo('documents', path)}
              isAnyAllowed
            />
          </div>
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
            {(list) => <DocumentList documents={list} opened={open} onOpen={setOpened} />}
          </Reading>
        </div>
        <div className="pane grow">{open ? <DocumentPane key={open.id} document={open} /> : null}</div>
      </div>
      <AddDocumentDialog
        key={isAdding ? 'open' : 'closed'}
        isOpen={isAdding}
        start={dropped}
        onClose={() => goTo('documents')}
      />
    </Screen>
  )
}

function useDrop(onFiles: (files: File[]) => void) {
  const [isOver, setOver] = useState(false)
  const hasFiles = (event: DragEvent) => event.dataTransfer.types.includes('Files')
  return {
    isOver,
    handlers: {
      onDragOver: (event: DragEvent) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setOver(true)
      },
      onDragLeave: (event: DragEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false)
      },
      onDrop: (event: DragEvent) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setOver(false)
        onFiles([...event.dataTransfer.files])
      },
    },
  }
}
