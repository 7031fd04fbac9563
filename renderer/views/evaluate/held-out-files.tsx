// Files that are held out beside the exams: no sample and no frozen row may repeat them.

import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { HeldOutFile } from '../../../main/contract/twins.ts'
import { ask } from '../../components/ask.tsx'
import { type Column, Grid } from '../../components/grid.tsx'
import { PathDialog } from '../../components/path-dialog.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount, formatWhen } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

export function HeldOutFiles() {
  const { t } = useTranslation()
  const files = useRead('heldout.list', {})
  const add = useAct('heldout.add', { isQuiet: true })
  const [isAdding, setAdding] = useState(false)
  async function submit(path: string): Promise<boolean> {
    const file = await add.run({ path })
    if (file) showDone(t('heldOut.added', { name: file.name, count: file.textCount }))
    return file !== undefined
  }
  const button = (
    <Button variant="default" onClick={() => setAdding(true)}>
      {t('heldOut.add')}
    </Button>
  )
  return (
    <Section title={t('heldOut.title')} actions={button}>
      <p className="dim">{t('heldOut.intro')}</p>
      <Reading of={files}>{(list) => list.length > 0 && <FileTable files={list} />}</Reading>
      <PathDialog
        isOpen={isAdding}
        onClose={() => setAdding(false)}
        title={t('heldOut.add')}
        label={t('heldOut.file')}
        kind="file"
        placeholder="/home/me/test-set.jsonl"
        hint={t('heldOut.hint')}
        act={add}
        onSubmit={submit}
      />
    </Section>
  )
}

function FileTable({ files }: { files: readonly HeldOutFile[] }) {
  const { t } = useTranslation()
  const remove = useAct('heldout.remove')
  const askRemoval = ({ id, name }: HeldOutFile) =>
    ask({
      title: t('heldOut.removeTitle', { name }),
      text: t('heldOut.removeText'),
      yes: t('heldOut.remove'),
      onYes: () => void remove.run({ id }),
    })
  const columns: Column<HeldOutFile>[] = [
    { key: 'name', title: t('heldOut.name'), render: ({ name }) => <strong>{name}</strong> },
    { key: 'texts', title: t('heldOut.texts'), isNumeric: true, render: ({ textCount }) => formatCount(textCount) },
    { key: 'created', title: t('datasets.created'), render: ({ createdAtMs }) => formatWhen(createdAtMs) },
    {
      key: 'remove',
      title: t('heldOut.remove'),
      render: (file) => (
        <Button size="compact-xs" variant="default" onClick={() => askRemoval(file)}>
          {t('heldOut.remove')}
        </Button>
      ),
    },
  ]
  return <Grid label={t('heldOut.title')} columns={columns} rows={files} keyOf={({ id }) => id} />
}
