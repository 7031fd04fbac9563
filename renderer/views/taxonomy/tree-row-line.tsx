// One line of the tree: a folder with its totals, or a leaf with its status.

import { IconChevronDown, IconChevronRight } from '@tabler/icons-react'
import { memo } from 'react'
import { useTranslation } from 'react-i18next'
import { branches, type Branch, type LeafChange } from '../../../main/contract/taxonomy.ts'
import { formatCount } from '../../format.ts'
import type { TreeRow } from './tree-rows.ts'

interface TreeRowLineProps {
  id: string
  row: TreeRow
  /** Its place among the rows; what is done to it is found by that. */
  index: number
  start: number
  height: number
  isOpened: boolean
  isAtCursor: boolean
  /** Something is held over it. */
  isTarget: boolean
}

/** A row; drawn again only when it changes, however the list scrolls. */
export const TreeRowLine = memo(function TreeRowLine({ id, row, index, ...look }: TreeRowLineProps) {
  return (
    <div
      id={id}
      data-index={index}
      className="list-row"
      role="treeitem"
      tabIndex={-1}
      draggable={row.level > 1}
      aria-level={row.level}
      aria-expanded={row.kind === 'folder' ? row.isOpen : undefined}
      aria-selected={look.isOpened}
      style={{
        transform: `translateY(${look.start}px)`,
        height: look.height,
        paddingLeft: 8 + (row.level - 1) * 14 + (row.kind === 'leaf' ? 22 : 0),
        boxShadow: look.isAtCursor ? 'inset 2px 0 0 var(--accent)' : undefined,
        background: look.isTarget ? 'var(--selected)' : undefined,
      }}
    >
      {row.kind === 'folder' ? <FolderLine row={row} /> : <LeafLine row={row} />}
    </div>
  )
})

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
      {row.changedCount > 0 && !row.isOpen && <ChangeMark change="changed" />}
      <CoverageBar row={row} />
      <span className="dim tree-count">{formatCount(row.leafCount)}</span>
    </>
  )
}

function LeafLine({ row }: { row: Extract<TreeRow, { kind: 'leaf' }> }) {
  const { t } = useTranslation()
  const { leaf } = row
  const hasErrors = leaf.problems.some(({ severity }) => severity === 'error')
  const warnings = leaf.problems.filter(({ severity }) => severity === 'warning').length
  return (
    <>
      <span className="clip grow" title={row.path}>
        {row.name}
      </span>
      {hasErrors && <span className="tag bad">{t('taxonomy.hasErrors')}</span>}
      {warnings > 0 && (
        <span className="tag warn" title={t('taxonomy.warningsHint', { count: warnings })}>
          {warnings}
        </span>
      )}
      <ChangeMark change={leaf.change} />
      <CoverageBar row={row} />
      <span
        className={leaf.acceptedCount > 0 ? 'good tree-count' : 'dim tree-count'}
        title={t('taxonomy.acceptedHint')}
      >
        {leaf.acceptedCount > 0 ? formatCount(leaf.acceptedCount) : t('taxonomy.seedCount', { count: leaf.seedCount })}
      </span>
    </>
  )
}

/** Leaves that no run has seen are the rule at first, so only what changed since a run is marked. */
function ChangeMark({ change }: { change: LeafChange }) {
  const { t } = useTranslation()
  if (change !== 'changed') return null
  return (
    <span className="tag accent" title={t('taxonomy.changedHint')}>
      {t('taxonomy.changed')}
    </span>
  )
}

function CoverageBar({ row }: { row: TreeRow }) {
  const { t } = useTranslation()
  if (row.share === null) return null
  const counts = { accepted: formatCount(row.acceptedCount), wanted: formatCount(row.wantedCount) }
  return (
    <span
      className={row.share < 0.5 ? 'tree-bar thin' : 'tree-bar'}
      title={t(row.wantedCount > 0 ? 'taxonomy.coverageHint' : 'taxonomy.usualHint', counts)}
    >
      <i style={{ width: `${row.share * 100}%` }} />
    </span>
  )
}
