// Freezing a dataset: accepted and edited samples and the rows of imported public datasets, copied, split and hashed. What is frozen
// no longer depends on anything that may change upstream.

import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { Dataset, DatasetRow } from '../contract/curation.ts'
import type { DatasetId, LeafPath } from '../contract/ids.ts'
import type { DecontaminationReport } from '../contract/twins.ts'
import { contentKey, hashRows } from '../domain/dataset-hash.ts'
import { assignSplits } from '../domain/split.ts'
import { userTurn } from '../domain/user-turn.ts'
import { appendDatasetRows, beginDataset, findDataset, sealDataset } from '../store/datasets.ts'
import { saveDatasetReport } from '../store/held-out.ts'
import { listLeaves, listPublicRows } from '../store/taxonomy.ts'
import { listAcceptedSamples } from '../store/verdicts.ts'
import { createHeldOutCheck, repeats, runWords } from './decontamination.ts'
import type { Lab } from './lab.ts'

const rowsPerWrite = 200

export interface FreezeWish {
  name: string
  validationShare: number
  seed: number
  /** Only these leaves; absent: all. */
  leaves?: LeafPath[] | undefined
  /** Leaves out rows that repeat what is held out. */
  decontaminate: boolean
}

/** Freezes what is accepted now. Throws `bad-input` when there is nothing. */
export async function freezeDataset(lab: Lab, wish: FreezeWish): Promise<Dataset> {
  const { db } = lab.project()
  const collected = collectRows(lab, wish.leaves)
  const { clean, report } = wish.decontaminate
    ? await decontaminate(lab, collected)
    : { clean: collected, report: null }
  const rows = splitRows(clean, wish)
  if (rows.length === 0) throw report && report.hitCount > 0 ? onlyHeldOut() : nothingAccepted()
  const id = `dataset-${randomBytes(6).toString('hex')}` as DatasetId
  const sha256 = hashRows(rows, () => createHash('sha256'))
  beginDataset(db, { id, name: wish.name, seed: wish.seed, sha256, createdAtMs: lab.now() })
  for (let from = 0; from < rows.length; from += rowsPerWrite) {
    appendDatasetRows(db, id, rows.slice(from, from + rowsPerWrite))
    // Between writes others get their turn: the reviewer's verdicts, the window's questions.
    await breathe()
  }
  if (report) saveDatasetReport(db, id, report)
  sealDataset(db, id)
  lab.emit({ kind: 'changed', what: 'datasets' })
  return requireDataset(lab, id)
}

const rowsPerCheck = 500
const breathe = () => new Promise((resolve) => setImmediate(resolve))

/** The rows that repeat nothing of the exams and the held-out files, and what was found in the others. */
async function decontaminate(
  lab: Lab,
  rows: FreshRow[],
): Promise<{ clean: FreshRow[]; report: DecontaminationReport }> {
  const heldOut = createHeldOutCheck(lab.project())
  const clean: FreshRow[] = []
  const hits: DecontaminationReport['hits'] = []
  for (const [at, row] of rows.entries()) {
    const found = heldOut.find(row.user)
    if (!found) clean.push(row)
    else hits.push({ origin: row.origin, leaf: row.leaf, question: row.user.slice(0, 2000), words: repeats(found) })
    if (at % rowsPerCheck === rowsPerCheck - 1) await breathe()
  }
  const { sources } = heldOut
  return { clean, report: { sources, runWords, checkedCount: rows.length, hitCount: hits.length, hits } }
}

/** The frozen dataset, or `not-found`. */
export function requireDataset(lab: Lab, id: DatasetId): Dataset {
  const dataset = findDataset(lab.project().db, id)
  if (dataset) return dataset
  throw new AppError({
    code: 'not-found',
    message: `There is no dataset ${id}.`,
    remedy: 'Freeze a dataset, or pick another one.',
  })
}

/** Rows as they stand now, without a split: samples in the order they were made, then public rows. Equal rows come once. */
export function collectRows(lab: Lab, leaves?: readonly LeafPath[]): Omit<DatasetRow, 'index' | 'split'>[] {
  const wanted = leaves && new Set(leaves)
  const isWanted = (leaf: LeafPath) => wanted === undefined || wanted.has(leaf)
  const rows = [...sampleRows(lab), ...publicRows(lab)].filter((row) => isWanted(row.leaf))
  const seen = new Set<string>()
  return rows.filter((row) => {
    const key = contentKey(row)
    if (row.user.trim() === '' || row.assistant.trim() === '' || seen.has(key)) return false
    seen.add(key)
    return true
  })
}

type FreshRow = Omit<DatasetRow, 'index' | 'split'>

function sampleRows(lab: Lab): FreshRow[] {
  return listAcceptedSamples(lab.project().db).map((sample) => ({
    origin: sample.id,
    leaf: sample.leaf,
    branch: sample.branch,
    system: '',
    user: userTurn(sample.branch === 'knowledge' ? '' : sample.context, sample.question),
    assistant: sample.answer,
  }))
}

function publicRows(lab: Lab): FreshRow[] {
  const { db } = lab.project()
  return listLeaves(db)
    .filter((leaf) => leaf.datasetRowCount > 0)
    .flatMap(({ path: leaf, branch }) =>
      listPublicRows(db, leaf).map((row) => ({
        origin: `dataset:${leaf}#${row.row}`,
        leaf,
        branch,
        system: row.system,
        user: userTurn(row.context, row.question),
        assistant: row.answer,
      })),
    )
}

function splitRows(rows: FreshRow[], wish: FreezeWish): DatasetRow[] {
  const sides = assignSplits(
    rows.map((row) => ({ leaf: row.leaf, key: contentKey(row) })),
    wish,
  )
  return rows.map((row, index) => ({ ...row, index, split: sides[index] ?? 'train' }))
}

function onlyHeldOut(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'There is nothing to freeze: every row repeats an exam or a held-out file.',
    remedy: 'Look at the samples of the chosen leaves, or freeze without the check.',
  })
}
function nothingAccepted(): AppError {
  return new AppError({
    code: 'bad-input',
    message: 'There is nothing to freeze: no accepted sample and no imported dataset in the chosen leaves.',
    remedy: 'Generate and accept samples first, or choose other leaves.',
  })
}
