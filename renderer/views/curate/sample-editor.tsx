// Edits question and answer in place; Ctrl+Enter saves, Escape gives up.

import { Button, Kbd, Textarea } from '@mantine/core'
import { type KeyboardEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../main/contract/curation.ts'
import type { Curation } from '../../state/curation.ts'

interface SampleEditorProps {
  sample: Sample
  curation: Curation
  onDone(): void
}

/** Saving counts as accepting the edited text. */
export function SampleEditor({ sample, curation, onDone }: SampleEditorProps) {
  const { t } = useTranslation()
  const [question, setQuestion] = useState(sample.question)
  const [answer, setAnswer] = useState(sample.answer)
  const isWhole = question.trim() !== '' && answer.trim() !== ''
  function save(): void {
    if (!isWhole) return
    curation.decide({ kind: 'edit', question, answer })
    onDone()
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape') onDone()
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) save()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div className="stack" onKeyDown={onKeyDown} role="group" aria-label={t('curate.keys.edit')}>
      <Textarea
        label={t('taxonomy.seed.question')}
        data-autofocus
        autoFocus
        autosize
        maxRows={8}
        value={question}
        onChange={(event) => setQuestion(event.currentTarget.value)}
      />
      <Textarea
        label={t('taxonomy.seed.answer')}
        autosize
        maxRows={16}
        value={answer}
        onChange={(event) => setAnswer(event.currentTarget.value)}
      />
      <div className="row">
        <Button onClick={save} disabled={!isWhole} rightSection={<Kbd>Ctrl ⏎</Kbd>}>
          {t('curate.saveEdit')}
        </Button>
        <Button variant="default" onClick={onDone} rightSection={<Kbd>Esc</Kbd>}>
          {t('cancel')}
        </Button>
      </div>
    </div>
  )
}
