// The seeded train/validation split of a dataset: stratified per leaf, decided by each row's own hash, so that the order of rows
// does not matter and adding a row moves at most one other. Refuses to split equal rows: they always land on the same side.

import type { DatasetRow } from '../contract/curation.ts'
import { createRandom } from './random.ts'

export interface SplitRow {
  leaf: string
  /** Hash or text that names the row's content. */
  key: string
}

/**
 * Side of every row, in the order given. Each leaf gives `validationShare` of its distinct keys, rounded to the nearest, and
 * keeps at least one for training. A leaf of one distinct key is all training.
 */
export function assignSplits(
  rows: readonly SplitRow[],
  options: { validationShare: number; seed: number },
): DatasetRow['split'][] {
  const keysByLeaf = new Map<string, Set<string>>()
  for (const row of rows) {
    const keys = keysByLeaf.get(row.leaf) ?? new Set<string>()
    keys.add(row.key)
    keysByLeaf.set(row.leaf, keys)
  }
  const held = new Map<string, Set<string>>()
  for (const [leaf, keys] of keysByLeaf) held.set(leaf, heldOut([...keys], leaf, options))
  return rows.map((row) => (held.get(row.leaf)?.has(row.key) ? 'validation' : 'train'))
}

function heldOut(
  keys: string[],
  leaf: string,
  { validationShare, seed }: { validationShare: number; seed: number },
): Set<string> {
  const count = Math.min(Math.round(keys.length * validationShare), keys.length - 1)
  const ranked = keys
    .map((key) => ({ key, rank: createRandom(`split\0${seed}\0${leaf}\0${key}`).next() }))
    .sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1))
  return new Set(ranked.slice(0, Math.max(0, count)).map((ranking) => ranking.key))
}
