// The canonical form whose sha256 names a frozen dataset: one JSON line a row, keys in a fixed order, rows in index order.
// Owns what counts as content; where a row came from (`origin`) does not, so equal data has an equal hash.

import type { DatasetRow } from '../contract/curation.ts'

/** What of a row is hashed. */
export type HashedRow = Pick<DatasetRow, 'leaf' | 'branch' | 'system' | 'user' | 'assistant' | 'split'>

/** Name of a row's content before it is split: equal content in the same leaf, equal text. */
export function contentKey(row: Omit<HashedRow, 'split'>): string {
  return JSON.stringify([row.leaf, row.branch, row.system, row.user, row.assistant])
}

/** One line of the canonical form, newline included. */
export function canonicalLine(row: HashedRow): string {
  return `${JSON.stringify([row.leaf, row.branch, row.system, row.user, row.assistant, row.split])}\n`
}

/** Hex digest of all rows in order; `createHash` is passed in (node:crypto), this layer being pure. */
export function hashRows(rows: Iterable<HashedRow>, createHash: () => TextHash): string {
  const hash = createHash()
  for (const row of rows) hash.update(canonicalLine(row))
  return hash.digest('hex')
}

/** The part of node:crypto's Hash that is used. */
export interface TextHash {
  update(text: string): unknown
  digest(encoding: 'hex'): string
}
