// Adds one GGUF file by its path.

import { useTranslation } from 'react-i18next'
import { PathDialog } from '../../components/path-dialog.tsx'
import { useAct } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

interface AddModelDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** The dialog; a refused file says why. */
export function AddModelDialog(dialog: AddModelDialogProps) {
  const { t } = useTranslation()
  const add = useAct('model.add', { isQuiet: true })
  async function submit(path: string): Promise<boolean> {
    const model = await add.run({ path })
    if (model) showDone(t('models.added', { name: model.name }))
    return model !== undefined
  }
  return (
    <PathDialog
      {...dialog}
      title={t('models.add')}
      label={t('models.file')}
      kind="file"
      placeholder="/home/me/models/teacher.gguf"
      hint={t('models.addHint')}
      act={add}
      onSubmit={submit}
    />
  )
}
