// The history of a leaf: every state it was saved in, the difference of any two, and the way back to one.

import { Button, Modal, Select } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafRevision } from '../../../main/contract/authoring.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { EmptyNote, ErrorNote, Reading } from '../../components/reading.tsx'
import { TextDiff } from '../../components/text-diff.tsx'
import { formatWhen } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

interface HistoryDialogProps {
  leaf: LeafPath
  onClose(): void
}

/** The dialog. */
export function HistoryDialog({ leaf, onClose }: HistoryDialogProps) {
  const { t } = useTranslation()
  const revisions = useRead('taxonomy.revisions', { leaf })
  const nothing = <EmptyNote title={t('history.emptyTitle')} text={t('history.emptyText')} />
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('history.title', { path: leaf })}
      size={1040}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <Reading of={revisions} empty={nothing}>
        {(list) => <Revisions leaf={leaf} revisions={list} onClose={onClose} />}
      </Reading>
    </Modal>
  )
}

function Revisions({ leaf, revisions, onClose }: HistoryDialogProps & { revisions: readonly LeafRevision[] }) {
  const { t } = useTranslation()
  const newest = revisions[0]?.number ?? 0
  const [chosen, setChosen] = useState(revisions[1]?.number ?? newest)
  const [against, setAgainst] = useState(newest)
  const restore = useAct('taxonomy.restore', { isQuiet: true })
  async function bringBack(): Promise<void> {
    if (!(await restore.run({ leaf, revision: chosen }))) return
    showDone(t('history.restored'))
    onClose()
  }
  const nameOf = ({ act, createdAtMs }: LeafRevision) => `${formatWhen(createdAtMs)} · ${t(`history.acts.${act}`)}`
  return (
    <div className="revisions">
      <ol aria-label={t('history.states')}>
        {revisions.map((revision, at) => (
          <li key={revision.number}>
            <button type="button" aria-pressed={revision.number === chosen} onClick={() => setChosen(revision.number)}>
              <div>{nameOf(revision)}</div>
              <div className="dim">
                {t('taxonomy.seedCount', { count: revision.seedCount })}
                {at === 0 && ` · ${t('history.now')}`}
                {revision.path !== leaf && ` · ${revision.path}`}
              </div>
            </button>
          </li>
        ))}
      </ol>
      <div className="stack">
        <div className="row" style={{ alignItems: 'end' }}>
          <Select
            className="grow"
            label={t('history.against')}
            allowDeselect={false}
            value={String(against)}
            data={revisions.map((revision) => ({ value: String(revision.number), label: nameOf(revision) }))}
            onChange={(value) => setAgainst(Number(value))}
          />
          <Button loading={restore.isRunning} disabled={chosen === newest} onClick={() => void bringBack()}>
            {t('history.restore')}
          </Button>
        </div>
        {restore.error && <ErrorNote error={restore.error} />}
        <Difference leaf={leaf} from={chosen} to={against} />
      </div>
    </div>
  )
}

function Difference({ leaf, from, to }: { leaf: LeafPath; from: number; to: number }) {
  const { t } = useTranslation()
  const before = useRead('taxonomy.revision', { leaf, revision: from })
  const after = useRead('taxonomy.revision', { leaf, revision: to })
  return (
    <Reading of={before}>
      {(old) => (
        <Reading of={after}>
          {(now) => {
            // Where the words are the same, what was done to the file may still be worth seeing.
            const isForm = old.text === now.text && old.file !== null && now.file !== null
            const [first, second] = isForm ? [old.file ?? '', now.file ?? ''] : [old.text, now.text]
            return <TextDiff label={t('history.difference')} before={first} after={second} />
          }}
        </Reading>
      )}
    </Reading>
  )
}
