// What the teacher drafted from a document. A draft reaches the leaf only when it is taken, and even then as an unsaved edit.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Draft } from '../../../main/contract/drafts.ts'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { EmptyNote, ErrorNote, Reading } from '../../components/reading.tsx'
import { useAct, useDesk, useRead } from '../../state/lab.ts'
import { showDone, showFailure } from '../../state/notices.ts'
import { draftOutline, draftSeed } from '../../state/seed-context.ts'
import { toAppError } from '../../../main/contract/errors.ts'

export function DraftPanel({ document }: { document: DocumentSummary }) {
  const { t } = useTranslation()
  const drafts = useRead('draft.list', { documentId: document.id })
  const outline = useAct('draft.outline', { isQuiet: true })
  return (
    <>
      <div className="pane-head">
        <span className="dim grow">{t('documents.draftsText')}</span>
        <Button
          variant="default"
          loading={outline.isRunning}
          onClick={() => void outline.run({ documentId: document.id })}
        >
          {t('documents.draftOutline')}
        </Button>
      </div>
      <div className="pane-body" tabIndex={0} role="region" aria-label={t('documents.drafts')} data-testid="drafts">
        {outline.error && <ErrorNote error={outline.error} />}
        <Reading
          of={drafts}
          empty={<EmptyNote title={t('documents.noDraftsTitle')} text={t('documents.noDraftsText')} />}
        >
          {(list) => list.map((draft) => <DraftCard key={draft.number} draft={draft} document={document} />)}
        </Reading>
      </div>
    </>
  )
}

function DraftCard({ draft, document }: { draft: Draft; document: DocumentSummary }) {
  const { t } = useTranslation()
  const { engine } = useDesk()
  const settle = useAct('draft.settle')
  async function take(): Promise<void> {
    const { context, question, answer } = draft
    try {
      if (draft.kind === 'outline') await draftOutline(engine, document.leaf, answer)
      else await draftSeed(engine, document.leaf, { context, question, answer })
    } catch (thrown) {
      return showFailure(toAppError(thrown))
    }
    const settled = await settle.run({ draft: draft.number, state: 'taken' })
    if (settled !== undefined) showDone(t('documents.draftTaken', { leaf: document.leaf }))
  }
  return (
    <article className="draft" aria-label={draft.question || t('documents.outline')}>
      <div className="row">
        <span className="tag accent">{t('documents.draft')}</span>
        <strong className="grow prose">{draft.question || t('documents.outline')}</strong>
      </div>
      <div className="prose">{draft.answer}</div>
      {draft.context !== '' && (
        <details>
          <summary className="dim">{t('documents.draftSource')}</summary>
          <div className="text-box">{draft.context}</div>
        </details>
      )}
      <div className="row">
        <Button variant="default" onClick={() => void take()} loading={settle.isRunning}>
          {t('documents.takeDraft')}
        </Button>
        <Button
          variant="default"
          disabled={settle.isRunning}
          onClick={() => void settle.run({ draft: draft.number, state: 'dismissed' })}
        >
          {t('documents.dismissDraft')}
        </Button>
      </div>
    </article>
  )
}
