// dataset.* and sample.export: freeze, list, read, and write files for other programs.

import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'
import type { DatasetRow, ExportOutcome } from '../contract/curation.ts'
import type { DatasetId } from '../contract/ids.ts'
import { type ExportFile, type ExportFormat, exportFiles } from '../domain/formats.ts'
import { readDatasetReport } from '../store/held-out.ts'
import { listRowSources } from '../store/row-sources.ts'
import { listDatasets, pageDatasetRows, readDatasetRows } from '../store/datasets.ts'
import { collectRows, freezeDataset, requireDataset } from './datasets.ts'
import type { Handlers, Lab } from './lab.ts'

type DatasetMethods = 'dataset.list' | 'dataset.freeze' | 'dataset.rows' | 'dataset.decontamination' | 'sample.export'

export function datasetMethods(lab: Lab): Handlers<DatasetMethods> {
  return {
    'dataset.list': () => listDatasets(lab.project().db),
    'dataset.freeze': (wish) => freezeDataset(lab, wish),
    'dataset.rows': ({ datasetId, offset, limit }) => {
      const { split } = requireDataset(lab, datasetId)
      const rows = pageDatasetRows(lab.project().db, datasetId, { offset, limit })
      return { rows, total: split.trainCount + split.validationCount }
    },
    'dataset.decontamination': ({ datasetId }) =>
      readDatasetReport(lab.project().db, requireDataset(lab, datasetId).id),
    'sample.export': ({ folder, format, datasetId }) => exportRows(lab, { folder: resolve(folder), format, datasetId }),
  }
}

/** Writes a frozen dataset, or without one what is accepted now, as files in `folder`. */
function exportRows(
  lab: Lab,
  wish: { folder: string; format: ExportFormat; datasetId?: DatasetId | undefined },
): ExportOutcome {
  const { rows, name } = wish.datasetId ? frozenRows(lab, wish.datasetId) : acceptedRows(lab)
  if (rows.length === 0)
    throw new AppError({
      code: 'bad-input',
      message: 'There are no rows to export.',
      remedy: 'Accept some samples first, or pick a dataset.',
    })
  const sources = wish.format === 'instructlab' ? listRowSources(lab.project().db) : undefined
  return { files: exportFiles(wish.format, rows, { stem: name, sources }).map((file) => writeWhole(wish.folder, file)) }
}

function frozenRows(lab: Lab, id: DatasetId): { rows: DatasetRow[]; name: string } {
  return { rows: readDatasetRows(lab.project().db, id), name: requireDataset(lab, id).name }
}

function acceptedRows(lab: Lab): { rows: DatasetRow[]; name: string } {
  return { rows: collectRows(lab).map((row, index) => ({ ...row, index, split: 'train' })), name: lab.project().name }
}

/** Written under another name first: a full disk leaves no half file under the right one. */
function writeWhole(folder: string, file: ExportFile): ExportOutcome['files'][number] {
  const path = join(folder, file.name)
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.part`, file.text)
    renameSync(`${path}.part`, path)
  } catch (thrown) {
    throw toAppError(thrown)
  }
  return { path, rows: file.rowCount, sizeBytes: statSync(path).size }
}
