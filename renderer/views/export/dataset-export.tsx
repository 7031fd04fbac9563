// Writes samples or a frozen dataset as files, in the formats other programs read.

import { Button, Select } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MethodInput } from '../../../main/contract/api.ts'
import type { ExportOutcome } from '../../../main/contract/curation.ts'
import type { DatasetId } from '../../../main/contract/ids.ts'
import { ExportFiles } from '../../components/export-files.tsx'
import { PathField } from '../../components/path-field.tsx'
import { ErrorNote } from '../../components/reading.tsx'
import { useAct, useRead } from '../../state/lab.ts'

type Format = MethodInput<'sample.export'>['format']
const formats: readonly Format[] = ['instructlab', 'messages', 'train', 'labdesk']
const acceptedNow = 'accepted'

/** What, in which format, where. */
export function DatasetExport() {
  const { t } = useTranslation()
  const datasets = useRead('dataset.list', {}).value ?? []
  const [source, setSource] = useState<string>(acceptedNow)
  const [format, setFormat] = useState<Format>('instructlab')
  const [folder, setFolder] = useState('')
  const [outcome, setOutcome] = useState<ExportOutcome | null>(null)
  const write = useAct('sample.export', { isQuiet: true })
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const datasetId = source === acceptedNow ? undefined : (source as DatasetId)
    setOutcome((await write.run({ folder: folder.trim(), format, ...(datasetId && { datasetId }) })) ?? null)
  }
  return (
    <form className="stack narrow" onSubmit={(event) => void submit(event)}>
      <div className="row-wrap">
        <Select
          w={300}
          label={t('export.source')}
          value={source}
          data={[
            { value: acceptedNow, label: t('export.acceptedNow') },
            ...datasets.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(value) => setSource(value ?? acceptedNow)}
        />
        <Select
          w={330}
          label={t('export.format')}
          value={format}
          data={formats.map((value) => ({ value, label: t(`export.formats.${value}`) }))}
          onChange={(value) => setFormat(formats.find((one) => one === value) ?? format)}
        />
      </div>
      <PathField label={t('export.folder')} kind="folder" value={folder} onChange={setFolder} />
      {write.error && <ErrorNote error={write.error} />}
      {outcome && <ExportFiles outcome={outcome} />}
      <Button
        type="submit"
        variant="default"
        style={{ alignSelf: 'start' }}
        loading={write.isRunning}
        disabled={folder.trim() === ''}
      >
        {t('export.writeDataset')}
      </Button>
    </form>
  )
}
