// Imports an exam from a local file.

import { useTranslation } from 'react-i18next'
import { PathDialog } from '../../components/path-dialog.tsx'
import { useAct } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

interface ImportExamDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** The dialog. */
export function ImportExamDialog(dialog: ImportExamDialogProps) {
  const { t } = useTranslation()
  const load = useAct('exam.import', { isQuiet: true })
  async function submit(path: string): Promise<boolean> {
    const exam = await load.run({ path })
    if (exam) showDone(t('evaluate.imported', { name: exam.name, count: exam.questionCount }))
    return exam !== undefined
  }
  return (
    <PathDialog
      {...dialog}
      title={t('evaluate.import')}
      label={t('evaluate.file')}
      kind="file"
      placeholder="/home/me/exam.jsonl"
      hint={t('evaluate.importHint')}
      act={load}
      onSubmit={submit}
    />
  )
}
