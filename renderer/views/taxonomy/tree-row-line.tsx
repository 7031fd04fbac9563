// One line of the tree: a folder with its totals, or a leaf with its status.

import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import { branches, type Branch } from '../../../main/contract/taxonomy.ts'
import { formatCount } from '../../format.ts'
import type { TreeRow } from './tree-rows.ts'

interface TreeRowLineProps {
  id: string
  row: TreeRow
  place: { start: number; height: number }
  isOpened: boolean
  isAtCursor: boolean
  onActivate(): void
}

/** Clicking a folder folds it, clicking a leaf opens it. */
export function TreeRowLine({ id, row, place, isOpened, isAtCursor, onActivate }: TreeRowLineProps) {
  return (
    <div
      id={id}
      className="list-row"
      role="treeitem"
      tabIndex={-1}
      aria-level={row.level}
      aria-expanded={row.kind === 'folder' ? row.isOpen : undefined}
      aria-selected={isOpened}
      style={{
        transform: `translateY(${place.start}px)`,
        height: place.height,
        paddingLeft: 8 + (row.level - 1) * 14 + (row.kind === 'leaf' ? 22 : 0),
        boxShadow: isAtCursor ? 'inset 2px 0 0 var(--accent)' : undefined,
      }}
      onClick={onActivate}
    >
      {row.kind === 'folder' ? <FolderLine row={row} /> : <LeafLine row={row} />}
    </div>
  )
}

function FolderLine({ row }: { row: Extract<TreeRow, { kind: 'folder' }> }) {
  const { t } = useTranslation()
  const Chevron = row.isOpen ? IconChevronDown : IconChevronRight
  const branch = row.level === 1 ? branches.find((name): name is Branch => name === row.name) : undefined
  return (
    <>
      <Chevron size={14} aria-hidden="true" />
      <span className="clip grow" style={{ fontWeight: row.level === 1 ? 600 : 400 }}>
        {branch ? t(`branches.${branch}`) : row.name}
      </span>
      <span className="dim">{formatCount(row.leafCount)}</span>
    </>
  )
}

function LeafLine({ row }: { row: Extract<TreeRow, { kind: 'leaf' }> }) {
  const { t } = useTranslation()
  const { leaf } = row
  const hasErrors = leaf.problems.some(({ severity }) => severity === 'error')
  return (
    <>
      <span className="clip grow" title={row.path}>
        {row.name}
      </span>
      {hasErrors && <span className="tag bad">{t('taxonomy.hasErrors')}</span>}
      <span className={leaf.acceptedCount > 0 ? 'good' : 'dim'} title={t('taxonomy.acceptedHint')}>
        {leaf.acceptedCount > 0 ? formatCount(leaf.acceptedCount) : t('taxonomy.seedCount', { count: leaf.seedCount })}
      </span>
    </>
  )
}
