// The tree of three branches with its search, its filter and its totals; leaves and folders are named, moved and removed here.

import { Button, Select, TextInput } from '@mantine/core'
import { useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../../main/contract/ids.ts'
import type { LeafSummary } from '../../../main/contract/taxonomy.ts'
import { useKeys } from '../../state/keys.ts'
import { goTo } from '../../state/route.ts'
import { useMoves, useRemoval } from './leaf-acts.ts'
import { MoveDialog } from './move-dialog.tsx'
import { TreeList } from './tree-list.tsx'
import { isThin, type LeafFilter, leafFilters, medianAccepted, type TreeRow, treeRows } from './tree-rows.ts'

interface TaxonomyTreeProps {
  leaves: readonly LeafSummary[]
  opened: string
}

/** Search field, filter, tree, and a foot with totals and what can be done with the row at the cursor. */
export function TaxonomyTree({ leaves, opened }: TaxonomyTreeProps) {
  const { t } = useTranslation()
  const [search, setSearch] = useState('')
  const [filter, setFilter] = useState<LeafFilter>('all')
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set())
  const [cursor, setCursor] = useState(opened)
  const [lastOpened, setLastOpened] = useState(opened)
  // The cursor goes to a leaf that is opened from elsewhere.
  if (lastOpened !== opened) {
    setLastOpened(opened)
    if (leaves.some(({ path }) => path === opened)) setCursor(opened)
  }
  const [renamed, setRenamed] = useState<TreeRow | null>(null)
  const moves = useMoves()
  const remove = useRemoval()
  const rows = useMemo(() => treeRows(leaves, { search, filter, closed }), [leaves, search, filter, closed])
  const at = rows.find(({ path }) => path === cursor)
  const newLeaf = () => goTo('taxonomy', at ? `new/${at.kind === 'folder' ? at.path : parentOf(at.path)}` : 'new')
  useKeys([
    { keys: ['n'], label: t('taxonomy.newLeaf'), run: newLeaf },
    { keys: ['F2', 'm'], label: t('taxonomy.move'), run: () => at && at.level > 1 && setRenamed(at) },
  ])
  return (
    <>
      <TreeHead search={search} onSearch={setSearch} filter={filter} onFilter={setFilter} />
      {rows.length === 0 && <div className="pane-body dim">{t('taxonomy.noMatch')}</div>}
      <TreeList
        rows={rows}
        opened={opened}
        cursor={cursor}
        onCursor={setCursor}
        onFold={(path, isOpen) => setClosed((before) => folded(before, path, isOpen))}
        onRename={setRenamed}
        onRemove={(row) => {
          setCursor(rows[rows.indexOf(row) + 1]?.path ?? rows[rows.indexOf(row) - 1]?.path ?? '')
          void remove(row.path as LeafPath)
        }}
        onDrop={(row, folder) => {
          const to = `${folder}/${row.name}`
          void moves.move(row, to).then((isMoved) => isMoved && setCursor(to))
        }}
      />
      <TreeFoot leaves={leaves} at={at} onRename={setRenamed} onNew={newLeaf} />
      {renamed && (
        <MoveDialog
          key={renamed.path}
          row={renamed}
          leaves={leaves}
          onMoved={setCursor}
          onClose={() => setRenamed(null)}
        />
      )}
    </>
  )
}

interface TreeHeadProps {
  search: string
  onSearch(search: string): void
  filter: LeafFilter
  onFilter(filter: LeafFilter): void
}

function TreeHead({ search, onSearch, filter, onFilter }: TreeHeadProps) {
  const { t } = useTranslation()
  const field = useRef<HTMLInputElement>(null)
  useKeys([{ keys: ['/'], label: t('keys.search'), run: () => field.current?.focus() }])
  return (
    <div className="pane-head">
      <TextInput
        className="grow"
        ref={field}
        aria-label={t('taxonomy.search')}
        placeholder={t('taxonomy.search')}
        value={search}
        onChange={(event) => onSearch(event.currentTarget.value)}
      />
      <Select
        w={124}
        aria-label={t('taxonomy.filter')}
        value={filter}
        allowDeselect={false}
        data={leafFilters.map((value) => ({ value, label: t(`taxonomy.filters.${value}`) }))}
        onChange={(value) => onFilter(leafFilters.find((known) => known === value) ?? 'all')}
      />
    </div>
  )
}

const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/'))

function folded(closed: ReadonlySet<string>, path: string, isOpen: boolean): ReadonlySet<string> {
  const next = new Set(closed)
  if (isOpen) next.delete(path)
  else next.add(path)
  return next
}

function totalsOf(leaves: readonly LeafSummary[]) {
  const usual = medianAccepted(leaves)
  return {
    covered: leaves.filter(({ acceptedCount }) => acceptedCount > 0).length,
    changed: leaves.filter(({ change }) => change === 'changed').length,
    thin: leaves.filter((leaf) => isThin(leaf, usual)).length,
  }
}

interface TreeFootProps {
  leaves: readonly LeafSummary[]
  at: TreeRow | undefined
  onRename(row: TreeRow): void
  onNew(): void
}

function TreeFoot({ leaves, at, onRename, onNew }: TreeFootProps) {
  const { t } = useTranslation()
  const { covered, changed, thin } = useMemo(() => totalsOf(leaves), [leaves])
  return (
    <div className="pane-foot tree-foot">
      <div className="dim" data-testid="taxonomy-totals">
        {t('taxonomy.coverage', { count: leaves.length, covered })}
        {thin > 0 && ` · ${t('taxonomy.thinCount', { count: thin })}`}
        {changed > 0 && ` · ${t('taxonomy.changedCount', { count: changed })}`}
      </div>
      <div className="row">
        <Button size="compact-xs" variant="default" disabled={!at || at.level === 1} onClick={() => at && onRename(at)}>
          {t('taxonomy.move')}
        </Button>
        <Button size="compact-xs" variant="default" onClick={onNew}>
          {t('taxonomy.newLeafHere')}
        </Button>
      </div>
    </div>
  )
}
