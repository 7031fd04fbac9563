// Edits one leaf: its fields, its seeds, and the rules it breaks in plain words. Typing is kept as a draft; Save makes it real.

import { Button } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type LeafDraft, leafDraft } from '../../../main/contract/authoring.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import type { LeafDetail } from '../../../main/contract/taxonomy.ts'
import { ask } from '../../components/ask.tsx'
import { ErrorNote } from '../../components/reading.tsx'
import { useAct } from '../../state/lab.ts'
import { dropDraft, keepDraft, keptDraft } from '../../state/drafts.ts'
import { showDone } from '../../state/notices.ts'
import { goTo } from '../../state/route.ts'
import { LeafFields } from './leaf-fields.tsx'
import { LeafProblems } from './leaf-problems.tsx'
import { LeafSources } from './leaf-sources.tsx'
import { SeedList } from './seed-list.tsx'

const pauseMs = 500

/** The editor; `leaf` is null for a new one. */
export function LeafEditor({ leaf }: { leaf: LeafDetail | null }) {
  const { t } = useTranslation()
  const edit = useLeafDraft(leaf)
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
    <>
      <div className="pane-head">
        <strong className="clip">{leaf?.path ?? t('taxonomy.newLeaf')}</strong>
        <span className="dim" role="status" data-testid="draft-state">
          {edit.isDirty ? t('taxonomy.draftKept') : ''}
        </span>
        <span className="row" style={{ marginLeft: 'auto' }}>
          {edit.isDirty && (
            <Button variant="default" onClick={edit.discard}>
              {t('taxonomy.discard')}
            </Button>
          )}
          <Button onClick={() => void submit()} loading={save.isRunning} disabled={!parsed.success || !edit.isDirty}>
            {t('taxonomy.save')}
          </Button>
          {leaf && <RemoveButton leaf={leaf} />}
        </span>
      </div>
      <div className="pane-body">
        {save.error && <ErrorNote error={save.error} />}
        <LeafFields draft={edit.draft} isNew={leaf === null} onChange={edit.change} />
        <LeafProblems draft={edit.draft} />
        <SeedList draft={edit.draft} onChange={(seeds) => edit.change({ seeds })} />
        {leaf && <LeafSources leaf={leaf} />}
      </div>
    </>
  )
}

function RemoveButton({ leaf }: { leaf: LeafDetail }) {
  const { t } = useTranslation()
  const remove = useAct('taxonomy.remove')
  const askRemoval = () =>
    ask({
      title: t('taxonomy.removeTitle'),
      text: t('taxonomy.removeText', { path: leaf.path, seeds: leaf.seedCount, candidates: leaf.candidateCount }),
      yes: t('taxonomy.remove'),
      onYes: () => void remove.run({ leaf: leaf.path }).then((done) => done !== undefined && goTo('taxonomy')),
    })
  return (
    <Button variant="default" onClick={askRemoval} loading={remove.isRunning}>
      {t('taxonomy.remove')}
    </Button>
  )
}

const blank: LeafDraft = {
  path: 'compositional_skills/' as LeafPath,
  branch: 'compositional_skills',
  taskDescription: '',
  domain: '',
  documentOutline: '',
  createdBy: 'labdesk',
  persona: 'precise',
  language: 'en',
  seeds: [{ question: '', answer: '' }],
}

function savedDraft(leaf: LeafDetail | null): LeafDraft {
  if (!leaf) return blank
  const { path, branch, taskDescription, domain, documentOutline, createdBy, persona, language } = leaf
  const seeds = leaf.seeds.map(({ context, question, answer }) =>
    context === undefined ? { question, answer } : { context, question, answer },
  )
  return { path, branch, taskDescription, domain, documentOutline, createdBy, persona, language, seeds }
}

function useLeafDraft(leaf: LeafDetail | null) {
  const name = leaf?.path ?? 'new'
  const [draft, setDraft] = useState(() => keptDraft(name) ?? savedDraft(leaf))
  const [settled] = useDebouncedValue(draft, pauseMs)
  const saved = savedDraft(leaf)
  const isDirty = JSON.stringify(draft) !== JSON.stringify(saved)
  const isSettledDirty = JSON.stringify(settled) !== JSON.stringify(saved)
  useEffect(() => {
    if (isSettledDirty) keepDraft(name, settled)
    else dropDraft(name)
  }, [name, settled, isSettledDirty])
  return {
    draft,
    isDirty,
    change: (fields: Partial<LeafDraft>) => setDraft((before) => ({ ...before, ...fields })),
    discard: () => setDraft(saved),
    forget: () => dropDraft(name),
  }
}
