// Imports a folder of qna.yaml files: every file ends as valid, upgraded or refused, with the line, the field and the remedy.

import { Button, Modal } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ImportOutcome } from '../../../main/contract/taxonomy.ts'
import { PathField } from '../../components/path-field.tsx'
import { ErrorNote } from '../../components/reading.tsx'
import { RepairableProblems } from '../../components/repairable-problems.tsx'
import { formatCount } from '../../format.ts'
import { Meter } from '../../components/meter.tsx'
import { useAct, useLive } from '../../state/lab.ts'

interface ImportDialogProps {
  isOpen: boolean
  onClose: () => void
}

const tones: Record<ImportOutcome['outcome'], string> = { valid: 'good', upgraded: 'accent', refused: 'bad' }

/** The dialog; its outcome stays until closed. */
export function ImportDialog({ isOpen, onClose }: ImportDialogProps) {
  const { t } = useTranslation()
  const [folder, setFolder] = useState('')
  const [documentsFolder, setDocumentsFolder] = useState('')
  const [outcomes, setOutcomes] = useState<ImportOutcome[] | null>(null)
  const start = useAct('taxonomy.import', { isQuiet: true })
  const documents = documentsFolder.trim()
  async function importAll(): Promise<void> {
    setOutcomes((await start.run({ folder: folder.trim(), ...(documents && { documentsFolder: documents }) })) ?? null)
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    void importAll()
  }
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('taxonomy.import')}
      size={780}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <form className="stack" onSubmit={submit}>
        <PathField
          label={t('taxonomy.importFolder')}
          kind="folder"
          value={folder}
          onChange={setFolder}
          placeholder="/home/me/taxonomy"
        />
        <PathField
          label={t('taxonomy.documentsFolder')}
          kind="folder"
          value={documentsFolder}
          onChange={setDocumentsFolder}
          placeholder="/home/me/documents"
        />
        <span className="dim">{t('taxonomy.documentsFolderHint')}</span>
        {start.isRunning && <ImportProgress />}
        {start.error && <ErrorNote error={start.error} />}
        {outcomes && <Outcomes outcomes={outcomes} documents={documents} onRepaired={() => void importAll()} />}
        <div className="row">
          <Button type="submit" loading={start.isRunning} disabled={folder.trim() === ''}>
            {t('taxonomy.import')}
          </Button>
          {outcomes && (
            <Button variant="default" onClick={onClose}>
              {t('close')}
            </Button>
          )}
        </div>
      </form>
    </Modal>
  )
}

function ImportProgress() {
  const { t } = useTranslation()
  const imported = useLive((state) => state.imported)
  if (!imported) return null
  const { done, total } = imported
  return (
    <div className="stack-s" role="status" data-testid="import-progress">
      <span>{t('taxonomy.importing', { done: formatCount(done), total: formatCount(total) })}</span>
      <Meter label={t('taxonomy.import')} done={done} total={total} />
    </div>
  )
}

interface OutcomesProps {
  outcomes: readonly ImportOutcome[]
  /** The folder of documents; empty for none. */
  documents: string
  onRepaired(): void
}

function Outcomes({ outcomes, documents, onRepaired }: OutcomesProps) {
  const { t } = useTranslation()
  const worstFirst = outcomes.toSorted((a, b) => badness(b) - badness(a))
  const count = (outcome: ImportOutcome['outcome']) => outcomes.filter((one) => one.outcome === outcome).length
  if (outcomes.length === 0) return <div className="note warn-note">{t('taxonomy.importNothing')}</div>
  return (
    <div className="stack" data-testid="import-outcomes">
      <span role="status">
        {t('taxonomy.imported', { valid: count('valid'), upgraded: count('upgraded'), refused: count('refused') })}
      </span>
      <div
        className="stack-s"
        style={{ maxHeight: 380, overflow: 'auto' }}
        tabIndex={0}
        role="region"
        aria-label={t('taxonomy.import')}
      >
        {worstFirst.slice(0, mostShown).map((outcome) => (
          <div key={outcome.path} className="stack-s">
            <div className="row">
              <span className={`tag ${tones[outcome.outcome]}`}>{t(`taxonomy.outcome.${outcome.outcome}`)}</span>
              <span className="mono clip">{outcome.path}</span>
            </div>
            <RepairableProblems
              problems={outcome.problems}
              subject={{ kind: 'file', path: outcome.path, ...(documents && { documentsFolder: documents }) }}
              onRepaired={onRepaired}
            />
          </div>
        ))}
        {outcomes.length > mostShown && (
          <span className="dim">{t('more', { count: outcomes.length - mostShown })}</span>
        )}
      </div>
    </div>
  )
}

/** Files of a large folder that are drawn; the worst are among them. */
const mostShown = 200

function badness({ outcome, problems }: ImportOutcome): number {
  if (outcome === 'refused') return 2
  return problems.some(({ severity }) => severity === 'warning') ? 1 : 0
}
