// Frozen datasets: rows are copied in, the dataset is sealed, and nothing in it changes afterwards. An unsealed one (the app ended
// while copying) is never listed and is swept away by the next.

import type { Dataset, DatasetRow } from '../contract/curation.ts'
import type { DatasetId } from '../contract/ids.ts'
import type { Branch } from '../contract/taxonomy.ts'
import type { Database } from './open.ts'

/** A dataset as it begins. */
export type NewDataset = Pick<Dataset, 'id' | 'name' | 'sha256' | 'createdAtMs' | 'seed'>

/** Begins an empty, unsealed dataset and removes unsealed leftovers. */
export function beginDataset(db: Database, dataset: NewDataset): void {
  db.transaction(() => {
    db.prepare('delete from datasets where is_frozen = 0').run()
    db.prepare('insert into datasets (id, name, sha256, seed, created_at_ms) values (?, ?, ?, ?, ?)').run(
      dataset.id,
      dataset.name,
      dataset.sha256,
      dataset.seed,
      dataset.createdAtMs,
    )
  })()
}

/** Appends rows to an unsealed dataset, in one transaction: at most a few hundred at a time. */
export function appendDatasetRows(db: Database, datasetId: DatasetId, rows: readonly DatasetRow[]): void {
  const insert = db.prepare(
    `insert into dataset_rows (dataset_id, row_index, origin, leaf, branch, system, user, assistant, split)
     values (@datasetId, @index, @origin, @leaf, @branch, @system, @user, @assistant, @split)`,
  )
  db.transaction(() => {
    for (const row of rows) insert.run({ ...row, datasetId })
  })()
}

/** Seals a dataset: from now on it is listed and never changed. */
export function sealDataset(db: Database, datasetId: DatasetId): void {
  db.prepare('update datasets set is_frozen = 1 where id = ?').run(datasetId)
}

/** Newest first. */
export function listDatasets(db: Database): Dataset[] {
  return db
    .prepare<[], NewDataset>(`${selectDataset} where is_frozen = 1 order by created_at_ms desc, id`)
    .all()
    .map((dataset) => withCounts(db, dataset))
}

/** The sealed dataset, or undefined. */
export function findDataset(db: Database, id: DatasetId): Dataset | undefined {
  const found = db.prepare<[string], NewDataset>(`${selectDataset} where id = ? and is_frozen = 1`).get(id)
  return found && withCounts(db, found)
}

const selectDataset = 'select id, name, sha256, seed, created_at_ms as createdAtMs from datasets'

interface LeafCount {
  leaf: Dataset['leaves'][number]['leaf']
  branch: Branch
  trainCount: number
  validationCount: number
}

function withCounts(db: Database, dataset: NewDataset): Dataset {
  const counts = db
    .prepare<[string], LeafCount>(
      `select leaf, branch, sum(split = 'train') as trainCount, sum(split = 'validation') as validationCount
       from dataset_rows where dataset_id = ? group by leaf, branch order by branch, leaf`,
    )
    .all(dataset.id)
  return {
    ...dataset,
    split: {
      trainCount: counts.reduce((sum, count) => sum + count.trainCount, 0),
      validationCount: counts.reduce((sum, count) => sum + count.validationCount, 0),
    },
    leaves: counts.map(({ leaf, branch, trainCount, validationCount }) => ({
      leaf,
      branch,
      count: trainCount + validationCount,
    })),
  }
}

/** Rows in index order, from `offset`, at most `limit`. */
export function pageDatasetRows(db: Database, id: DatasetId, page: { offset: number; limit: number }): DatasetRow[] {
  return db
    .prepare<[string, number, number], DatasetRow>(
      `${selectRow} where dataset_id = ? order by row_index limit ? offset ?`,
    )
    .all(id, page.limit, page.offset)
}

/** Every row of a dataset in index order. */
export function readDatasetRows(db: Database, id: DatasetId): DatasetRow[] {
  return db.prepare<[string], DatasetRow>(`${selectRow} where dataset_id = ? order by row_index`).all(id)
}

const selectRow = 'select row_index as "index", origin, leaf, branch, system, user, assistant, split from dataset_rows'
