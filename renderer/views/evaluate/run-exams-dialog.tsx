// Chooses exams and models, and starts the evaluation.

import { Button, Checkbox, Modal } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ExamId, ModelId } from '../../../main/contract/ids.ts'
import { ErrorNote } from '../../components/reading.tsx'
import { useAct, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

interface RunExamsDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** Two lists of checkboxes. */
export function RunExamsDialog({ isOpen, onClose }: RunExamsDialogProps) {
  const { t } = useTranslation()
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('evaluate.run')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <RunForm onClose={onClose} />
    </Modal>
  )
}

function RunForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation()
  const exams = useRead('exam.list', {}).value ?? []
  const models = (useRead('model.list', {}).value ?? []).filter(({ isMissing }) => !isMissing)
  const [examIds, setExamIds] = useState<string[]>([])
  const [modelIds, setModelIds] = useState<string[]>([])
  const start = useAct('exam.start', { isQuiet: true })
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const started = await start.run({ examIds: examIds as ExamId[], modelIds: modelIds as ModelId[] })
    if (!started) return
    showDone(t('evaluate.started'))
    onClose()
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <Checkbox.Group label={t('evaluate.exams')} value={examIds} onChange={setExamIds}>
        <div className="stack-s" style={{ marginTop: 6 }}>
          {exams.map(({ id, name, kind, questionCount }, index) => (
            <Checkbox
              key={id}
              data-autofocus={index === 0 || undefined}
              value={id}
              label={`${name} · ${t(`examKinds.${kind}`)} · ${questionCount}`}
            />
          ))}
          {exams.length === 0 && <span className="dim">{t('evaluate.noExamsText')}</span>}
        </div>
      </Checkbox.Group>
      <Checkbox.Group label={t('screens.models')} value={modelIds} onChange={setModelIds}>
        <div className="stack-s" style={{ marginTop: 6 }}>
          {models.map(({ id, name }) => (
            <Checkbox key={id} value={id} label={name} />
          ))}
        </div>
      </Checkbox.Group>
      {start.error && <ErrorNote error={start.error} />}
      <Button
        type="submit"
        style={{ alignSelf: 'start' }}
        loading={start.isRunning}
        disabled={examIds.length === 0 || modelIds.length === 0}
      >
        {t('evaluate.start')}
      </Button>
    </form>
  )
}
