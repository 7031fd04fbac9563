// The sample under the cursor: what the model would learn, why it was kept or dropped, and what the person decides.

import { Button, Kbd } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { memo, useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../main/contract/curation.ts'
import { Facts } from '../../components/facts.tsx'
import { usePages } from '../../components/page-range.ts'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { StatusTag } from '../../components/status-tag.tsx'
import type { Curation } from '../../state/curation.ts'
import { useRead } from '../../state/lab.ts'
import { hrefOf } from '../../state/route.ts'
import { ChunkText } from './chunk-text.tsx'
import { SampleEditor } from './sample-editor.tsx'
import { StageHistory } from '../../components/stage-history.tsx'

interface SamplePaneProps {
  sample: Sample
  curation: Curation
  isEditing: boolean
  onEditing(isEditing: boolean): void
}

/** Reads at once from the row; the history follows when the cursor rests. */
export function SamplePane({ sample, curation, isEditing, onEditing }: SamplePaneProps) {
  const { t } = useTranslation()
  const [restingId] = useDebouncedValue(sample.id, 80)
  const onEdit = useCallback(() => onEditing(true), [onEditing])
  return (
    <>
      <div className="pane-body" tabIndex={0} role="region" aria-label={t('curate.sample')} data-testid="sample-pane">
        <div className="row" style={{ marginBottom: 10 }}>
          <StatusTag status={sample.status} />
          <a className="clip" href={hrefOf('taxonomy', sample.leaf)}>
            {sample.leaf}
          </a>
        </div>
        {isEditing ? (
          <SampleEditor key={sample.id} sample={sample} curation={curation} onDone={() => onEditing(false)} />
        ) : (
          <Texts sample={sample} />
        )}
        {restingId === sample.id && <History sample={sample} />}
      </div>
      <DecisionButtons curation={curation} onEdit={onEdit} />
    </>
  )
}

function History({ sample }: { sample: Sample }) {
  const { t } = useTranslation()
  const detail = useRead('sample.get', { candidateId: sample.id })
  const pages = usePages()
  return (
    <Reading of={detail}>
      {(full) => (
        <>
          <Section title={t('curate.history')}>
            <StageHistory detail={full} verdict={sample.verdict} />
          </Section>
          {full.chunkText && (
            <Section title={[t('curate.chunk'), pages(full.chunkPages)].filter(Boolean).join(', ')}>
              <ChunkText text={full.chunkText} words={full.stages.map(({ words }) => words)} />
            </Section>
          )}
        </>
      )}
    </Reading>
  )
}

function Texts({ sample }: { sample: Sample }) {
  const { t } = useTranslation()
  return (
    <Facts
      of={[
        sample.context !== '' && [
          t('taxonomy.seed.context'),
          <div key="context" className="prose">
            {sample.context}
          </div>,
        ],
        [
          t('taxonomy.seed.question'),
          <div key="question" className="prose" data-testid="sample-question">
            <strong>{sample.question}</strong>
          </div>,
        ],
        [
          t('taxonomy.seed.answer'),
          <div key="answer" className="prose" data-testid="sample-answer">
            {sample.answer}
          </div>,
        ],
        sample.reason !== '' && [
          t('curate.reason'),
          <span key="reason" className="warn">
            {sample.reason}
          </span>,
        ],
      ]}
    />
  )
}

const DecisionButtons = memo(function DecisionButtons({
  curation,
  onEdit,
}: {
  curation: Curation
  onEdit: () => void
}) {
  const { t } = useTranslation()
  const decide = (kind: 'accept' | 'reject') => {
    curation.decide({ kind })
    curation.moveTo(curation.store.getState().cursor + 1)
  }
  return (
    <div className="pane-foot">
      <Button variant="default" onClick={() => decide('accept')} rightSection={<Kbd>a</Kbd>}>
        {t('curate.keys.accept')}
      </Button>
      <Button variant="default" onClick={() => decide('reject')} rightSection={<Kbd>r</Kbd>}>
        {t('curate.keys.reject')}
      </Button>
      <Button variant="default" onClick={onEdit} rightSection={<Kbd>e</Kbd>}>
        {t('curate.keys.edit')}
      </Button>
      <Button variant="default" onClick={() => void curation.undo()} rightSection={<Kbd>u</Kbd>}>
        {t('curate.keys.undo')}
      </Button>
    </div>
  )
})
