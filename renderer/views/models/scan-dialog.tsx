// Looks through a folder for GGUF files: what was added, and what was refused and why.

import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MethodOutput } from '../../../main/contract/api.ts'
import { PathDialog } from '../../components/path-dialog.tsx'
import { useAct } from '../../state/lab.ts'

interface ScanDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** The dialog; its outcome stays until closed. */
export function ScanDialog(dialog: ScanDialogProps) {
  const { t } = useTranslation()
  const [found, setFound] = useState<MethodOutput<'model.scan'> | null>(null)
  const scan = useAct('model.scan', { isQuiet: true })
  async function submit(folder: string): Promise<boolean> {
    setFound((await scan.run({ folder })) ?? null)
    return false
  }
  return (
    <PathDialog
      {...dialog}
      title={t('models.scan')}
      label={t('models.folder')}
      kind="folder"
      placeholder="/home/me/models"
      act={scan}
      onSubmit={submit}
      outcome={found && <Found found={found} />}
    />
  )
}

function Found({ found }: { found: MethodOutput<'model.scan'> }) {
  const { t } = useTranslation()
  return (
    <div className="stack" data-testid="scan-outcome">
      <span role="status">{t('models.scanned', { added: found.added.length, refused: found.refused.length })}</span>
      {found.added.map((model) => (
        <span key={model.id} className="mono clip">
          {model.path}
        </span>
      ))}
      {found.refused.map((file) => (
        <div key={file.path} className="note warn-note">
          <span className="mono">{file.path}</span>
          <div>{file.message}</div>
          <div className="dim">{file.remedy}</div>
        </div>
      ))}
    </div>
  )
}
