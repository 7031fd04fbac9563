// Shows what repairs change before they are made.

import { Button, Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { RepairOutcome, RepairSubject } from '../../main/contract/authoring.ts'
import type { RepairKind } from '../../main/contract/taxonomy.ts'
import { useAct, useRead } from '../state/lab.ts'
import { ErrorNote, Reading } from './reading.tsx'
import { TextDiff } from './text-diff.tsx'

export interface RepairPlace {
  kind: RepairKind
  line: number
  column: number
}

interface RepairDialogProps {
  subject: RepairSubject
  /** The problems to repair; none = all. */
  places: RepairPlace[] | undefined
  onDone(outcome: RepairOutcome): void
  onClose(): void
}

/** The difference and the button that makes it real. */
export function RepairDialog({ subject, places, onDone, onClose }: RepairDialogProps) {
  const { t } = useTranslation()
  const wish = { subject, ...(places && { places }) }
  const preview = useRead('taxonomy.repair', wish)
  const repair = useAct('taxonomy.repair', { isQuiet: true })
  async function apply(): Promise<void> {
    const outcome = await repair.run({ ...wish, apply: true })
    if (!outcome) return
    onDone(outcome)
    onClose()
  }
  // Opens over other dialogs, whose head is a landmark already.
  return (
    <Modal.Root opened onClose={onClose} size={860}>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body pt="md">
          <div className="row" style={{ marginBottom: 12, justifyContent: 'space-between' }}>
            <Modal.Title>{t('repair.title')}</Modal.Title>
            <Modal.CloseButton aria-label={t('close')} />
          </div>
          <Reading of={preview}>
            {({ before, after, made, problems }) => (
              <div className="stack">
                <div className="row-wrap">
                  {made.map((kind) => (
                    <span key={kind} className="tag">
                      {t(`repair.kinds.${kind}`)}
                    </span>
                  ))}
                </div>
                <TextDiff label={t('repair.difference')} before={before} after={after} />
                <span className="dim">
                  {t('repair.left', { count: problems.filter(({ severity }) => severity === 'error').length })}{' '}
                  {subject.kind === 'file' && t('repair.writesFile', { path: subject.path })}
                </span>
                {repair.error && <ErrorNote error={repair.error} />}
                <div className="row">
                  <Button
                    data-autofocus
                    loading={repair.isRunning}
                    disabled={before === after}
                    onClick={() => void apply()}
                  >
                    {t('repair.now')}
                  </Button>
                  <Button variant="default" onClick={onClose}>
                    {t('cancel')}
                  </Button>
                </div>
              </div>
            )}
          </Reading>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  )
}
