// Adds files of this machine to a leaf, and says of each what became of it.

import { Button, FileButton, Loader } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { type FileOutcome, importFiles } from '../../state/document-import.ts'
import { useDesk } from '../../state/lab.ts'

const accepted = '.md,.markdown,.txt,.text,.html,.htm,.xhtml,.csv,.tsv,.docx,.pdf'

interface AddFilesProps {
  leaf: LeafPath | ''
  /** Files that were dropped on the screen; they start by themselves once there is a leaf. */
  dropped: readonly File[]
  onClose(): void
}

export function AddFiles({ leaf, dropped, onClose }: AddFilesProps) {
  const { t } = useTranslation()
  const { engine } = useDesk()
  const [outcomes, setOutcomes] = useState<FileOutcome[]>([])
  const [isRunning, setRunning] = useState(false)
  const hasStarted = useRef(false)
  const start = (files: readonly File[], into: LeafPath) => {
    setRunning(true)
    void importFiles(engine, { leaf: into, files }, setOutcomes).finally(() => setRunning(false))
  }
  useEffect(() => {
    if (leaf === '' || dropped.length === 0 || hasStarted.current) return
    hasStarted.current = true
    start(dropped, leaf)
  })
  return (
    <div className="stack">
      <span className="dim">{t('documents.formats')}</span>
      {dropped.length > 0 && leaf === '' && <span>{t('documents.droppedCount', { count: dropped.length })}</span>}
      {outcomes.length > 0 && <FileOutcomes outcomes={outcomes} />}
      <div className="row">
        <FileButton
          multiple
          accept={accepted}
          onChange={(files) => leaf !== '' && files.length > 0 && start(files, leaf)}
        >
          {(props) => (
            <Button {...props} loading={isRunning} disabled={leaf === ''}>
              {t('documents.chooseFiles')}
            </Button>
          )}
        </FileButton>
        {outcomes.length > 0 && (
          <Button variant="default" onClick={onClose}>
            {t('close')}
          </Button>
        )}
      </div>
    </div>
  )
}

function FileOutcomes({ outcomes }: { outcomes: readonly FileOutcome[] }) {
  const { t } = useTranslation()
  return (
    <ul className="file-outcomes" aria-label={t('documents.outcomes')} data-testid="file-outcomes">
      {outcomes.map((outcome, at) => (
        // Two files may have one name.
        // oxlint-disable-next-line react/no-array-index-key -- the list only grows
        <li key={`${at} ${outcome.name}`}>
          <FileState outcome={outcome} />
          <span className="clip">{outcome.name}</span>
          {outcome.state === 'added' && (
            <span className="dim">{t('documents.chunkCount', { count: outcome.document.chunkCount })}</span>
          )}
          {outcome.state === 'added' && outcome.document.notes.map((note) => <div key={note}>{note}</div>)}
          {outcome.state === 'refused' && (
            <div role="alert">
              {outcome.error.message} <strong>{outcome.error.remedy}</strong>
            </div>
          )}
        </li>
      ))}
    </ul>
  )
}

const tones = { added: 'good', refused: 'bad' } as const

function FileState({ outcome: { state } }: { outcome: FileOutcome }) {
  const { t } = useTranslation()
  if (state === 'reading') return <Loader size={14} aria-label={t('documents.state.reading')} />
  return <span className={state === 'waiting' ? 'tag' : `tag ${tones[state]}`}>{t(`documents.state.${state}`)}</span>
}
