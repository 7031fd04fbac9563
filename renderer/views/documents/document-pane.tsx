// One document: its chunks as the pipeline will cut them, at a size one can slide, and its whole text.

import { Button, SegmentedControl, Slider } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { ask } from '../../components/ask.tsx'
import { Reading } from '../../components/reading.tsx'
import { formatCount } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'

const sizes = { smallest: 40, largest: 2000, usual: 500 }

/** Text or chunks. */
export function DocumentPane({ document }: { document: DocumentSummary }) {
  const { t } = useTranslation()
  const [shown, setShown] = useState<'chunks' | 'text'>('chunks')
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
            onChange={(value) => setShown(value === 'text' ? 'text' : 'chunks')}
            data={[
              { value: 'chunks', label: t('documents.chunks') },
              { value: 'text', label: t('documents.text') },
            ]}
          />
          <Button variant="default" onClick={askRemoval} loading={remove.isRunning}>
            {t('documents.remove')}
          </Button>
        </span>
      </div>
      {shown === 'chunks' ? <Chunks document={document} /> : <FullText document={document} />}
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

function Chunks({ document }: { document: DocumentSummary }) {
  const { t } = useTranslation()
  const [maxTokens, setMaxTokens] = useState(sizes.usual)
  const [settled] = useDebouncedValue(maxTokens, 250)
  const chunks = useRead('document.chunks', { documentId: document.id, maxTokens: settled })
  return (
    <>
      <div className="pane-head">
        <span id="chunk-size">{t('documents.chunkSize', { tokens: formatCount(maxTokens) })}</span>
        <Slider
          className="grow"
          maw={320}
          size="sm"
          label={null}
          min={sizes.smallest}
          max={sizes.largest}
          step={20}
          value={maxTokens}
          onChange={setMaxTokens}
          thumbProps={{ 'aria-labelledby': 'chunk-size' }}
        />
        {chunks.value && <span className="dim">{t('documents.chunkCount', { count: chunks.value.length })}</span>}
      </div>
      <div
        className="pane-body stack readable"
        tabIndex={0}
        role="region"
        aria-label={t('documents.chunks')}
        data-testid="chunks"
      >
        <Reading of={chunks}>
          {(list) =>
            list.map((chunk) => (
              <div key={chunk.id} className="chunk">
                <div className="dim" style={{ fontSize: 12 }}>
                  {[`#${chunk.index + 1}`, ...chunk.headings].join(' › ')} ·{' '}
                  {t('documents.tokens', { count: chunk.tokenCount })}
                </div>
                <div className="prose">{chunk.text}</div>
              </div>
            ))
          }
        </Reading>
      </div>
    </>
  )
}
