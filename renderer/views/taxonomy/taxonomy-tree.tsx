// The tree of three branches: searchable, virtual (thousands of leaves stay fluid), driven by arrow keys like any tree.

import { TextInput } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Leaf } from '../../../main/contract/taxonomy.ts'
import { useKeys } from '../../state/keys.ts'
import { goTo } from '../../state/route.ts'
import { type TreeRow, treeRows } from './tree-rows.ts'
import { TreeRowLine } from './tree-row-line.tsx'

const rowHeight = 27

interface TaxonomyTreeProps {
  leaves: readonly Leaf[]
  opened: string
}

/** Search field, tree, and a line of totals. */
export function TaxonomyTree({ leaves, opened }: TaxonomyTreeProps) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const searchField = useRef<HTMLInputElement>(null)
  useKeys([{ keys: ['/'], label: t('keys.search'), run: () => searchField.current?.focus() }])
  const rows = useMemo(() => treeRows(leaves, { search, closed }), [leaves, search, closed])
  const fold = (path: string, isOpen: boolean) =>
    setClosed((before) => {
      const next = new Set(before)
      if (isOpen) next.delete(path)
      else next.add(path)
      return next
    })
  const covered = leaves.filter(({ acceptedCount }) => acceptedCount > 0).length
  return (
    <>
      <div className="pane-head">
        <TextInput
          className="grow"
          ref={searchField}
          aria-label={t('taxonomy.search')}
          placeholder={t('taxonomy.search')}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
        />
      </div>
      {rows.length === 0 && <div className="pane-body dim">{t('taxonomy.noMatch')}</div>}
      <Tree rows={rows} opened={opened} onFold={fold} />
      <div className="pane-foot dim">{t('taxonomy.coverage', { count: leaves.length, covered })}</div>
    </>
  )
}

interface TreeProps {
  rows: readonly TreeRow[]
  opened: string
  onFold(path: string, isOpen: boolean): void
}

function Tree({ rows, opened, onFold }: TreeProps) {
  const { t } = useTranslation()
  const scroller = useRef<HTMLDivElement>(null)
  const [cursor, setCursor] = useState(opened)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const at = Math.max(
    0,
    rows.findIndex(({ path }) => path === cursor),
  )
  const moveTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))]
    if (!row) return
    setCursor(row.path)
    virtual.scrollToIndex(rows.indexOf(row))
  }
  const activate = (row: TreeRow) => {
    setCursor(row.path)
    if (row.kind === 'folder') onFold(row.path, !row.isOpen)
    else goTo('taxonomy', row.path)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const act = treeKey(event.key, { rows, at, moveTo, activate, onFold })
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
      data-testid="taxonomy-tree"
    >
      <div className="virtual-inner" role="presentation" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index]
          return row ? (
            <TreeRowLine
              key={row.path}
              id={rowId(row.path)}
              row={row}
              place={{ start, height: rowHeight }}
              isOpened={row.path === opened}
              isAtCursor={index === at}
              onActivate={() => activate(row)}
            />
          ) : null
        })}
      </div>
    </div>
  )
}

const rowId = (path: string) => `tree-${path}`

interface TreeKeyContext {
  rows: readonly TreeRow[]
  at: number
  moveTo(index: number): void
  activate(row: TreeRow): void
  onFold(path: string, isOpen: boolean): void
}

/** What a key does in a tree, after the ARIA practices; null when nothing. */
function treeKey(key: string, { rows, at, moveTo, activate, onFold }: TreeKeyContext): (() => void) | null {
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
    default:
      return null
  }
}

function parentOf(rows: readonly TreeRow[], at: number): number {
  const level = rows[at]?.level ?? 1
  for (let index = at - 1; index >= 0; index -= 1) if ((rows[index]?.level ?? 0) < level) return index
  return at
}
