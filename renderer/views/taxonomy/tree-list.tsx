// The rows of the tree: virtual, driven by arrow keys like any tree, and by dragging a leaf or folder onto another folder.

import { useVirtualizer } from '@tanstack/react-virtual'
import { type DragEvent, type KeyboardEvent, type SyntheticEvent, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { goTo } from '../../state/route.ts'
import { TreeRowLine } from './tree-row-line.tsx'
import type { TreeRow } from './tree-rows.ts'

const rowHeight = 27

export interface TreeListProps {
  rows: readonly TreeRow[]
  opened: string
  /** Path of the row the keys act on. */
  cursor: string
  onCursor(path: string): void
  onFold(path: string, isOpen: boolean): void
  /** A row is to be named anew or moved by hand. */
  onRename(row: TreeRow): void
  onRemove(row: TreeRow): void
  /** A row was dropped into a folder. */
  onDrop(row: TreeRow, folder: string): void
}

/** The list; the row at the cursor stays in view. */
export function TreeList({ rows, opened, cursor, onCursor, onFold, onRename, onRemove, onDrop }: TreeListProps) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const rowOf = (event: SyntheticEvent) =>
    rows[Number((event.target as Element).closest('[data-index]')?.getAttribute('data-index') ?? -1)]
  const { target, ...drag } = useDrag(rowOf, onDrop)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const at = useMemo(() => placeOf(rows, cursor), [rows, cursor])
  const moveTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))]
    if (!row) return
    onCursor(row.path)
  }
  useEffect(() => virtual.scrollToIndex(at), [at, virtual])
  const activate = (row: TreeRow) => {
    onCursor(row.path)
    if (row.kind === 'folder') onFold(row.path, !row.isOpen)
    else goTo('taxonomy', row.path)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const act = treeKey(event.key, { rows, at, moveTo, activate, onFold, onRename, onRemove })
    if (!act) return
    event.preventDefault()
    act()
  }
  return (
    <div
      className="virtual"
      ref={scroller}
      role="tree"
      aria-label={t('screens.taxonomy')}
      tabIndex={0}
      aria-activedescendant={rows[at] ? rowId(rows[at].path) : undefined}
      onKeyDown={onKeyDown}
      onClick={(event) => {
        const row = rowOf(event)
        if (row) activate(row)
      }}
      {...drag}
      data-testid="taxonomy-tree"
    >
      <div className="virtual-inner" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          return row ? (
            <TreeRowLine
              key={`${row.kind} ${row.path}`}
              id={rowId(row.path)}
              row={row}
              index={index}
              start={start}
              height={rowHeight}
              isOpened={row.kind === 'leaf' && row.path === opened}
              isAtCursor={index === at}
              isTarget={target !== null && target === folderFor(row)}
            />
          ) : null
        })}
      </div>
    </div>
  )
}

/** Where the cursor is; at the top when its row is not shown. */
const placeOf = (rows: readonly TreeRow[], cursor: string) =>
  Math.max(
    0,
    rows.findIndex(({ path }) => path === cursor),
  )
const rowId = (path: string) => `tree-${path}`
const parentPath = (path: string) => path.slice(0, path.lastIndexOf('/'))
/** The folder that something dropped on a row goes into. */
const folderFor = (row: TreeRow) => (row.kind === 'folder' ? row.path : parentPath(row.path))

/** Dragging within the tree; branches stay where they are. */
function useDrag(rowOf: (event: SyntheticEvent) => TreeRow | undefined, onDrop: TreeListProps['onDrop']) {
  const [dragged, setDragged] = useState<TreeRow | null>(null)
  const [target, setTarget] = useState<string | null>(null)
  const takes = (row: TreeRow | undefined): row is TreeRow => {
    if (!dragged || !row || folderFor(row) === parentPath(dragged.path)) return false
    return dragged.kind === 'leaf' || !`${folderFor(row)}/`.startsWith(`${dragged.path}/`)
  }
  const end = () => {
    setDragged(null)
    setTarget(null)
  }
  return {
    target,
    onDragStart: (event: DragEvent) => {
      const row = rowOf(event)
      if (!row) return
      event.dataTransfer.effectAllowed = 'move'
      event.dataTransfer.setData('text/plain', row.path)
      setDragged(row)
    },
    onDragOver: (event: DragEvent) => {
      const row = rowOf(event)
      if (!takes(row)) return setTarget(null)
      event.preventDefault()
      setTarget(folderFor(row))
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault()
      const row = rowOf(event)
      if (dragged && takes(row)) onDrop(dragged, folderFor(row))
      end()
    },
    onDragEnd: end,
  }
}

interface TreeKeyContext extends Pick<TreeListProps, 'rows' | 'onFold' | 'onRename' | 'onRemove'> {
  at: number
  moveTo(index: number): void
  activate(row: TreeRow): void
}

/** What a key does in a tree, after the ARIA practices; null when nothing. */
function treeKey(key: string, context: TreeKeyContext): (() => void) | null {
  const { rows, at, moveTo, activate, onFold, onRename, onRemove } = context
  const row = rows[at]
  if (!row) return null
  switch (key) {
    case 'ArrowDown':
      return () => moveTo(at + 1)
    case 'ArrowUp':
      return () => moveTo(at - 1)
    case 'Home':
      return () => moveTo(0)
    case 'End':
      return () => moveTo(rows.length - 1)
    case 'ArrowRight':
      return row.kind === 'folder' && !row.isOpen ? () => onFold(row.path, true) : () => moveTo(at + 1)
    case 'ArrowLeft':
      return row.kind === 'folder' && row.isOpen ? () => onFold(row.path, false) : () => moveTo(parentOf(rows, at))
    case 'Enter':
    case ' ':
      return () => activate(row)
    case 'F2':
    case 'm':
      return row.level > 1 ? () => onRename(row) : null
    case 'Delete':
      return row.kind === 'leaf' ? () => onRemove(row) : null
    default:
      return null
  }
}

function parentOf(rows: readonly TreeRow[], at: number): number {
  const level = rows[at]?.level ?? 1
  for (let index = at - 1; index >= 0; index -= 1) if ((rows[index]?.level ?? 0) < level) return index
  return at
}
