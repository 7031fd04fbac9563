// The taxonomy tree as the rows one can see: folders and leaves in order, filtered, with closed folders folded away.

import { type Branch, branches, type Leaf } from '../../../main/contract/taxonomy.ts'

export type TreeRow =
  | {
      kind: 'folder'
      path: string
      name: string
      level: number
      isOpen: boolean
      leafCount: number
      acceptedCount: number
    }
  | { kind: 'leaf'; path: string; name: string; level: number; leaf: Leaf }

interface Folder {
  path: string
  name: string
  folders: Map<string, Folder>
  leaves: Leaf[]
}

/** Rows in display order. While searching every folder is open. */
export function treeRows(leaves: readonly Leaf[], view: { search: string; closed: ReadonlySet<string> }): TreeRow[] {
  const wanted = view.search.trim().toLowerCase()
  const shown = wanted ? leaves.filter((leaf) => leaf.path.toLowerCase().includes(wanted)) : leaves
  const root: Folder = { path: '', name: '', folders: new Map(), leaves: [] }
  for (const leaf of shown) place(root, leaf)
  const rows: TreeRow[] = []
  addFolder(rows, root, { level: 0, closed: wanted ? new Set() : view.closed })
  return rows
}

function place(root: Folder, leaf: Leaf): void {
  const names = leaf.path.split('/')
  let folder = root
  for (const name of names.slice(0, -1)) {
    const path = folder.path ? `${folder.path}/${name}` : name
    const next = folder.folders.get(name) ?? { path, name, folders: new Map(), leaves: [] }
    folder.folders.set(name, next)
    folder = next
  }
  folder.leaves.push(leaf)
}

function addFolder(rows: TreeRow[], folder: Folder, at: { level: number; closed: ReadonlySet<string> }): void {
  const level = at.level + 1
  const children = [...folder.folders.values()]
  for (const child of level === 1 ? inMethodOrder(children) : sorted(children)) {
    const isOpen = !at.closed.has(child.path)
    const inside = leavesUnder(child)
    const acceptedCount = inside.reduce((sum, leaf) => sum + leaf.acceptedCount, 0)
    rows.push({
      kind: 'folder',
      path: child.path,
      name: child.name,
      level,
      isOpen,
      leafCount: inside.length,
      acceptedCount,
    })
    if (isOpen) addFolder(rows, child, { level, closed: at.closed })
  }
  for (const leaf of sorted(folder.leaves)) {
    rows.push({ kind: 'leaf', path: leaf.path, name: leaf.path.split('/').at(-1) ?? leaf.path, level, leaf })
  }
}

function leavesUnder(folder: Folder): Leaf[] {
  return [...folder.leaves, ...[...folder.folders.values()].flatMap(leavesUnder)]
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
