// Adds a document to a knowledge leaf: from a file the engine can reach, from a file of this browser, or pasted.

import { Button, FileButton, Modal, Tabs, Textarea, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../../main/contract/ids.ts'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { LeafSelect } from '../../components/leaf-select.tsx'
import { PathField } from '../../components/path-field.tsx'
import { ErrorNote } from '../../components/reading.tsx'
import { useAct } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

interface AddDocumentDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** Two tabs over one leaf. */
export function AddDocumentDialog({ isOpen, onClose }: AddDocumentDialogProps) {
  const { t } = useTranslation()
  const [leaf, setLeaf] = useState<LeafPath | ''>('')
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
        <LeafSelect
          label={t('documents.leaf')}
          withLabel
          value={leaf}
          onChange={setLeaf}
          accepts={({ branch }) => branch === 'knowledge'}
        />
        <Tabs defaultValue="file">
          <Tabs.List>
            <Tabs.Tab value="file">{t('documents.fromFile')}</Tabs.Tab>
            <Tabs.Tab value="paste">{t('documents.paste')}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="file" pt="sm">
            <FromFile leaf={leaf} onDone={done} />
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

function FromFile({ leaf, onDone }: FromProps) {
  const { t } = useTranslation()
  const [path, setPath] = useState('')
  const load = useAct('document.import', { isQuiet: true })
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (leaf) onDone(await load.run({ leaf, path: path.trim() }))
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <PathField
        label={t('documents.path')}
        kind="file"
        value={path}
        onChange={setPath}
        placeholder="/home/me/documents/paper.md"
      />
      {load.error && <ErrorNote error={load.error} />}
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
  async function take(file: File | null): Promise<void> {
    if (!file) return
    setName(file.name)
    setText(await file.text())
  }
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (leaf) onDone(await add.run({ leaf, name: name.trim(), text }))
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <div className="row-wrap">
        <TextInput
          className="grow"
          label={t('documents.name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <FileButton accept=".md,.txt,.markdown,text/plain,text/markdown" onChange={(file) => void take(file)}>
          {(props) => (
            <Button {...props} variant="default">
              {t('documents.readFile')}
            </Button>
          )}
        </FileButton>
      </div>
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
