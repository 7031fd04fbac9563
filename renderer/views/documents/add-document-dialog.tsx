// Adds documents to a knowledge leaf: files of this machine, a file where the engine runs, or pasted text.

import { Button, Modal, Tabs, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../../main/contract/ids.ts'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { LeafSelect, useLeafPaths } from '../../components/leaf-select.tsx'
import { PathField } from '../../components/path-field.tsx'
import { ErrorNote } from '../../components/reading.tsx'
import { useAct } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'
import { AddFiles } from './add-files.tsx'

interface AddDocumentDialogProps {
  isOpen: boolean
  /** What to begin with: files that were dropped, the leaf that was shown. */
  start: { files: readonly File[]; leaf: string }
  onClose: () => void
}

/** Three tabs over one leaf. */
export function AddDocumentDialog({ isOpen, start, onClose }: AddDocumentDialogProps) {
  const { t } = useTranslation()
  const [chosen, setLeaf] = useState<LeafPath | ''>(start.leaf as LeafPath | '')
  const knowledge = useLeafPaths('knowledge')
  const leaf = chosen || (knowledge.length === 1 ? (knowledge[0] ?? '') : '')
  function done(document: DocumentSummary | undefined): void {
    if (!document) return
    showDone(t('documents.added', { name: document.name, chunks: document.chunkCount }))
    onClose()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('documents.add')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <div className="stack">
        <LeafSelect label={t('documents.leaf')} withLabel value={leaf} onChange={setLeaf} branch="knowledge" />
        <Tabs defaultValue="files">
          <Tabs.List>
            <Tabs.Tab value="files">{t('documents.files')}</Tabs.Tab>
            <Tabs.Tab value="path">{t('documents.fromPath')}</Tabs.Tab>
            <Tabs.Tab value="paste">{t('documents.paste')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="files" pt="sm">
            <AddFiles leaf={leaf} dropped={start.files} onClose={onClose} />
          </Tabs.Panel>
          <Tabs.Panel value="path" pt="sm">
            <FromPath leaf={leaf} onDone={done} />
          </Tabs.Panel>
          <Tabs.Panel value="paste" pt="sm">
            <FromText leaf={leaf} onDone={done} />
          </Tabs.Panel>
        </Tabs>
      </div>
    </Modal>
  )
}

interface FromProps {
  leaf: LeafPath | ''
  onDone(document: DocumentSummary | undefined): void
}

function FromPath({ leaf, onDone }: FromProps) {
  const { t } = useTranslation()
  const [path, setPath] = useState('')
  const load = useAct('document.import', { isQuiet: true })
  const [refused, setRefused] = useState<{ message: string; remedy: string } | null>(null)
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (!leaf) return
    const outcome = await load.run({ leaf, paths: [path.trim()] })
    setRefused(outcome?.refused[0] ?? null)
    onDone(outcome?.added[0])
  }
  const error = load.error ?? (refused && { code: 'bad-document' as const, ...refused })
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <PathField
        label={t('documents.path')}
        kind="file"
        value={path}
        onChange={setPath}
        placeholder="/home/me/documents/paper.pdf"
      />
      {error && <ErrorNote error={error} />}
      <Button
        type="submit"
        style={{ alignSelf: 'start' }}
        loading={load.isRunning}
        disabled={!leaf || path.trim() === ''}
      >
        {t('documents.add')}
      </Button>
    </form>
  )
}

function FromText({ leaf, onDone }: FromProps) {
  const { t } = useTranslation()
  const [name, setName] = useState('')
  const [text, setText] = useState('')
  const add = useAct('document.add', { isQuiet: true })
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (leaf) onDone(await add.run({ leaf, name: name.trim(), text }))
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <TextInput
        className="grow"
        label={t('documents.name')}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Textarea
        label={t('documents.text')}
        minRows={8}
        maxRows={16}
        autosize
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {add.error && <ErrorNote error={add.error} />}
      <Button
        type="submit"
        style={{ alignSelf: 'start' }}
        loading={add.isRunning}
        disabled={!leaf || name.trim() === '' || text.trim() === ''}
      >
        {t('documents.add')}
      </Button>
    </form>
  )
}
