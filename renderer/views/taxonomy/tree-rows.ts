// The taxonomy tree as the rows one can see: folders and leaves in order, filtered, with closed folders folded away, and how well each is
// covered with accepted samples.

import { type Branch, branches, type LeafSummary } from '../../../main/contract/taxonomy.ts'

/** How far the wish for samples is met; `share` is null where nothing was ever wanted or made. */
interface Coverage {
  leafCount: number
  acceptedCount: number
  wantedCount: number
  share: number | null
}

export type TreeRow =
  | ({ kind: 'folder'; path: string; name: string; level: number; isOpen: boolean; changedCount: number } & Coverage)
  | ({ kind: 'leaf'; path: string; name: string; level: number; leaf: LeafSummary } & Coverage)

/** Which leaves are shown: `thin` have less than half of the samples that are wanted or usual. */
export const leafFilters = ['all', 'changed', 'new', 'thin', 'problems'] as const
export type LeafFilter = (typeof leafFilters)[number]

export interface TreeView {
  search: string
  filter: LeafFilter
  closed: ReadonlySet<string>
}

interface Folder {
  path: string
  name: string
  folders: Map<string, Folder>
  leaves: LeafSummary[]
  sums: { leafCount: number; acceptedCount: number; wantedCount: number; changedCount: number }
}

/** Rows in display order. While searching or filtering every folder is open. */
export function treeRows(leaves: readonly LeafSummary[], { search, filter, closed }: TreeView): TreeRow[] {
  const wanted = search.trim().toLowerCase()
  const usual = medianAccepted(leaves)
  const shown = leaves.filter(
    (leaf) => (!wanted || leaf.path.toLowerCase().includes(wanted)) && passes(leaf, filter, usual),
  )
  const root = folderOf('', '')
  for (const leaf of shown) place(root, leaf)
  const rows: TreeRow[] = []
  const isWhole = !wanted && filter === 'all'
  addFolder(rows, root, { level: 0, closed: isWhole ? closed : new Set(), usual })
  return rows
}

/** The median of accepted samples over leaves that have any: what is usual where no run says what is wanted. */
export function medianAccepted(leaves: readonly LeafSummary[]): number {
  const counts = leaves.map(({ acceptedCount }) => acceptedCount).filter((count) => count > 0)
  const sorted = counts.sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** Share of what is wanted of a leaf, or of what is usual; null before anything was made, and where a dataset brings the rows. */
export function shareOf({ acceptedCount, wantedCount, datasetRowCount }: LeafSummary, usual: number): number | null {
  if (datasetRowCount > 0 && wantedCount === 0) return null
  const aim = wantedCount > 0 ? wantedCount : usual
  return aim > 0 ? Math.min(1, acceptedCount / aim) : null
}

/** Whether a leaf has less than half of what is wanted. */
export function isThin(leaf: LeafSummary, usual: number): boolean {
  const share = shareOf(leaf, usual)
  return share !== null && share < 0.5
}

function passes(leaf: LeafSummary, filter: LeafFilter, usual: number): boolean {
  if (filter === 'all') return true
  if (filter === 'thin') return isThin(leaf, usual)
  if (filter === 'problems') return leaf.problems.some(({ severity }) => severity !== 'hint')
  return leaf.change === filter
}

function folderOf(path: string, name: string): Folder {
  const sums = { leafCount: 0, acceptedCount: 0, wantedCount: 0, changedCount: 0 }
  return { path, name, folders: new Map(), leaves: [], sums }
}

function place(root: Folder, leaf: LeafSummary): void {
  let folder = root
  for (const name of leaf.path.split('/').slice(0, -1)) {
    const path = folder.path ? `${folder.path}/${name}` : name
    const next = folder.folders.get(name) ?? folderOf(path, name)
    folder.folders.set(name, next)
    folder = next
    folder.sums.leafCount += 1
    folder.sums.acceptedCount += leaf.acceptedCount
    folder.sums.wantedCount += leaf.wantedCount
    if (leaf.change === 'changed') folder.sums.changedCount += 1
  }
  folder.leaves.push(leaf)
}

interface Level {
  level: number
  closed: ReadonlySet<string>
  usual: number
}

function addFolder(rows: TreeRow[], folder: Folder, at: Level): void {
  const level = at.level + 1
  const children = [...folder.folders.values()]
  for (const child of level === 1 ? inMethodOrder(children) : sorted(children)) {
    const isOpen = !at.closed.has(child.path)
    const { acceptedCount, wantedCount } = child.sums
    const share = wantedCount > 0 ? Math.min(1, acceptedCount / wantedCount) : null
    rows.push({ kind: 'folder', path: child.path, name: child.name, level, isOpen, share, ...child.sums })
    if (isOpen) addFolder(rows, child, { ...at, level })
  }
  for (const leaf of sorted(folder.leaves)) {
    const { acceptedCount, wantedCount } = leaf
    const name = leaf.path.split('/').at(-1) ?? leaf.path
    const coverage = { leafCount: 1, acceptedCount, wantedCount, share: shareOf(leaf, at.usual) }
    rows.push({ kind: 'leaf', path: leaf.path, name, level, leaf, ...coverage })
  }
}

/** The three branches in the order of the method, unknown ones after them. */
function inMethodOrder(folders: Folder[]): Folder[] {
  const rank = (folder: Folder) =>
    branches.includes(folder.name as Branch) ? branches.indexOf(folder.name as Branch) : branches.length
  return sorted(folders).sort((a, b) => rank(a) - rank(b))
}

function sorted<Named extends { path: string }>(list: Named[]): Named[] {
  return list.sort((a, b) => (a.path < b.path ? -1 : 1))
}
