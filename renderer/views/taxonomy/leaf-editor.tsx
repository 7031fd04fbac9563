// Edits one leaf: its fields, its seeds, and the rules it breaks in plain words. Typing is kept as a draft; Save makes it real.

import { ActionIcon, Button } from '@mantine/core'
import { IconArrowBackUp, IconArrowForwardUp } from '@tabler/icons-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { leafDraft } from '../../../main/contract/authoring.ts'
import type { LeafDetail } from '../../../main/contract/taxonomy.ts'
import { ErrorNote } from '../../components/reading.tsx'
import { useAct } from '../../state/lab.ts'
import { type LeafEdit, useLeafDraft } from '../../state/leaf-draft.ts'
import { showDone } from '../../state/notices.ts'
import { goTo } from '../../state/route.ts'
import { HistoryDialog } from './history-dialog.tsx'
import { useRemoval } from './leaf-acts.ts'
import { LeafFields } from './leaf-fields.tsx'
import { LeafProblems } from './leaf-problems.tsx'
import { LeafSources } from './leaf-sources.tsx'
import { SeedList } from './seed-list.tsx'

interface LeafEditorProps {
  /** Null for a new one. */
  leaf: LeafDetail | null
  /** Where a new one begins. */
  folder?: string
}

/** The editor. */
export function LeafEditor({ leaf, folder }: LeafEditorProps) {
  const { t } = useTranslation()
  const edit = useLeafDraft(leaf, folder)
  const save = useAct('taxonomy.save', { isQuiet: true })
  const parsed = leafDraft.safeParse(edit.draft)
  async function submit(): Promise<void> {
    if (!parsed.success) return
    const saved = await save.run(parsed.data)
    if (!saved) return
    edit.forget()
    showDone(t('taxonomy.saved'))
    goTo('taxonomy', saved.path)
  }
  return (
    <div className="pane-column" onKeyDown={edit.onKeyDown}>
      <div className="pane-head">
        <strong className="clip">{leaf?.path ?? t('taxonomy.newLeaf')}</strong>
        <span className="dim" role="status" data-testid="draft-state">
          {edit.isDirty ? t('taxonomy.draftKept') : ''}
        </span>
        <span className="row" style={{ marginLeft: 'auto' }}>
          <UndoButtons edit={edit} />
          {edit.isDirty && (
            <Button variant="default" onClick={edit.discard}>
              {t('taxonomy.discard')}
            </Button>
          )}
          <Button onClick={() => void submit()} loading={save.isRunning} disabled={!parsed.success || !edit.isDirty}>
            {t('taxonomy.save')}
          </Button>
          {leaf && <LeafButtons leaf={leaf} />}
        </span>
      </div>
      <div className="pane-body">
        {save.error && <ErrorNote error={save.error} />}
        <LeafFields draft={edit.draft} isNew={leaf === null} onChange={edit.change} />
        <LeafProblems draft={edit.draft} onRepaired={edit.change} />
        <SeedList draft={edit.draft} onChange={(seeds) => edit.change({ seeds })} />
        {leaf && <LeafSources leaf={leaf} />}
      </div>
    </div>
  )
}

function UndoButtons({ edit }: { edit: LeafEdit }) {
  const { t } = useTranslation()
  const buttons = [
    { label: t('taxonomy.undo'), Icon: IconArrowBackUp, run: edit.undo, isOn: edit.canUndo },
    { label: t('taxonomy.redo'), Icon: IconArrowForwardUp, run: edit.redo, isOn: edit.canRedo },
  ]
  return buttons.map(({ label, Icon, run, isOn }) => (
    <ActionIcon key={label} variant="default" aria-label={label} title={label} disabled={!isOn} onClick={run}>
      <Icon size={16} />
    </ActionIcon>
  ))
}

function LeafButtons({ leaf }: { leaf: LeafDetail }) {
  const { t } = useTranslation()
  const [isHistoryOpen, setHistoryOpen] = useState(false)
  const remove = useRemoval()
  return (
    <>
      <Button variant="default" onClick={() => setHistoryOpen(true)}>
        {t('taxonomy.history')}
      </Button>
      <Button variant="default" onClick={() => void remove(leaf.path)}>
        {t('taxonomy.remove')}
      </Button>
      {isHistoryOpen && <HistoryDialog leaf={leaf.path} onClose={() => setHistoryOpen(false)} />}
    </>
  )
}
