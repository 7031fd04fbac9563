// Writes the taxonomy as a folder of qna.yaml files.

import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ExportOutcome } from '../../../main/contract/curation.ts'
import { ExportFiles } from '../../components/export-files.tsx'
import { PathDialog } from '../../components/path-dialog.tsx'
import { useAct } from '../../state/lab.ts'

interface ExportDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** The dialog; lists the files it wrote. */
export function ExportDialog(dialog: ExportDialogProps) {
  const { t } = useTranslation()
  const [outcome, setOutcome] = useState<ExportOutcome | null>(null)
  const [extended, setExtended] = useState(false)
  const write = useAct('taxonomy.export', { isQuiet: true })
  async function submit(folder: string): Promise<boolean> {
    setOutcome((await write.run({ folder, extended })) ?? null)
    return false
  }
  return (
    <PathDialog
      {...dialog}
      title={t('taxonomy.export')}
      label={t('taxonomy.exportFolder')}
      kind="folder"
      options={
        <Checkbox
          label={t('taxonomy.extended')}
          description={t('taxonomy.extendedHint')}
          checked={extended}
          onChange={(event) => setExtended(event.currentTarget.checked)}
        />
      }
      act={write}
      onSubmit={submit}
      outcome={outcome && <ExportFiles outcome={outcome} />}
    />
  )
}
