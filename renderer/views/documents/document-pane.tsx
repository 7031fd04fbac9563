// One document: its chunks, its whole text, the teacher's drafts, the student's closed-book answers, and what its import has to say.

import { Button, SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { ask } from '../../components/ask.tsx'
import { Reading } from '../../components/reading.tsx'
import { useAct, useRead } from '../../state/lab.ts'
import { ChunkPanel } from './chunk-panel.tsx'
import { DraftPanel } from './draft-panel.tsx'
import { SeedPanel } from './seed-panel.tsx'

const parts = ['chunks', 'text', 'drafts', 'seeds'] as const
type Part = (typeof parts)[number]

export function DocumentPane({ document }: { document: DocumentSummary }) {
  const { t } = useTranslation()
  const [shown, setShown] = useState<Part>('chunks')
  const remove = useAct('document.remove')
  const askRemoval = () =>
    ask({
      title: t('documents.removeTitle', { name: document.name }),
      text: t('documents.removeText'),
      yes: t('documents.remove'),
      onYes: () => void remove.run({ documentId: document.id }),
    })
  return (
    <>
      <div className="pane-head">
        <strong className="clip">{document.name}</strong>
        <span className="row" style={{ marginLeft: 'auto' }}>
          <SegmentedControl
            aria-label={t('documents.show')}
            value={shown}
            onChange={(value) => setShown(value as Part)}
            data={parts.map((part) => ({ value: part, label: t(`documents.${part}`) }))}
          />
          <Button variant="default" onClick={askRemoval} loading={remove.isRunning}>
            {t('documents.remove')}
          </Button>
        </span>
      </div>
      {document.notes.length > 0 && (
        <div className="note warn-note pane-note" data-testid="document-notes">
          {document.notes.map((note) => (
            <div key={note}>{note}</div>
          ))}
        </div>
      )}
      {shown === 'chunks' && <ChunkPanel document={document} />}
      {shown === 'text' && <FullText document={document} />}
      {shown === 'drafts' && <DraftPanel document={document} />}
      {shown === 'seeds' && <SeedPanel document={document} />}
    </>
  )
}

function FullText({ document }: { document: DocumentSummary }) {
  const text = useRead('document.text', { documentId: document.id })
  return (
    <div className="pane-body" tabIndex={0} role="region" aria-label={document.name}>
      <Reading of={text}>{(value) => <div className="prose readable">{value.text}</div>}</Reading>
    </div>
  )
}
