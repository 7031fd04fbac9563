// Export: a tuned model as GGUF, and datasets as the files other programs read.

import { useTranslation } from 'react-i18next'
import { Screen, Section } from '../../components/screen.tsx'
import { DatasetExport } from './dataset-export.tsx'
import { ModelExport } from './model-export.tsx'

/** `subject` is the run whose checkpoints are offered. */
export function ExportView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  return (
    <Screen name="export">
      <Section title={t('export.model')}>
        <ModelExport tuningId={subject} />
      </Section>
      <Section title={t('export.datasets')}>
        <DatasetExport />
      </Section>
    </Screen>
  )
}
