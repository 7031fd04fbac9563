// The files an export wrote.

import { useTranslation } from 'react-i18next'
import type { ExportOutcome } from '../../main/contract/curation.ts'
import { formatBytes, formatCount } from '../format.ts'
import { Grid } from './grid.tsx'

/** Path, rows, size. */
export function ExportFiles({ outcome }: { outcome: ExportOutcome }) {
  const { t } = useTranslation()
  return (
    <div role="status" data-testid="export-files">
      <Grid
        label={t('export.files')}
        rows={outcome.files}
        keyOf={({ path }) => path}
        columns={[
          { key: 'path', title: t('export.file'), render: ({ path }) => <span className="mono">{path}</span> },
          { key: 'rows', title: t('export.rows'), isNumeric: true, render: ({ rows }) => formatCount(rows) },
          { key: 'size', title: t('export.size'), isNumeric: true, render: ({ sizeBytes }) => formatBytes(sizeBytes) },
        ]}
      />
    </div>
  )
}
