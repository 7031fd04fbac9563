// What is done to leaves as a whole, each with its way back: moving, renaming, removing.

import { useTranslation } from 'react-i18next'
import type { AppError } from '../../../main/contract/errors.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { dropDraft, moveDraft } from '../../state/drafts.ts'
import { useAct } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'
import { goTo, parseRoute } from '../../state/route.ts'
import type { TreeRow } from './tree-rows.ts'

type MovedRow = Pick<TreeRow, 'kind' | 'path'>

export interface Moves {
  /** Moves a leaf or folder to a path; true when that was done. */
  move(row: MovedRow, to: string): Promise<boolean>
  isRunning: boolean
  error: AppError | null
}

/** Moving; drafts and the leaf that is open go along. */
export function useMoves(options?: { isQuiet: boolean }): Moves {
  const { t } = useTranslation()
  const { run, isRunning, error } = useAct('taxonomy.move', options)
  async function move(row: MovedRow, to: string, isUndo = false): Promise<boolean> {
    const isFolder = row.kind === 'folder'
    const moved = await run({ from: row.path as LeafPath, to: to as LeafPath, isFolder })
    if (!moved) return false
    for (const leaf of moved) moveDraft(leaf.from, leaf.to)
    const shown = parseRoute(location.hash).subject
    const opened = moved.find(({ from }) => from === shown)
    if (opened) goTo('taxonomy', opened.to)
    const undo = { label: t('taxonomy.undo'), run: () => void move({ kind: row.kind, path: to }, row.path, true) }
    showDone(t('taxonomy.moved', { from: row.path, to }), isUndo ? undefined : undo)
    return true
  }
  return { move, isRunning, error }
}

/** Removing a leaf, with a notice that brings it back. */
export function useRemoval(): (leaf: LeafPath) => Promise<void> {
  const { t } = useTranslation()
  const remove = useAct('taxonomy.remove')
  const restore = useAct('taxonomy.restore')
  return async (leaf) => {
    if ((await remove.run({ leaf })) === undefined) return
    dropDraft(leaf)
    goTo('taxonomy')
    const bringBack = async () => {
      if (await restore.run({ leaf })) goTo('taxonomy', leaf)
    }
    showDone(t('taxonomy.removed', { path: leaf }), { label: t('taxonomy.undo'), run: () => void bringBack() })
  }
}
