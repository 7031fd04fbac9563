// Names a leaf or folder anew, or moves it: both are another path.

import { Autocomplete, Button, Modal } from '@mantine/core'
import { type FormEvent, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafSummary } from '../../../main/contract/taxonomy.ts'
import { ErrorNote } from '../../components/reading.tsx'
import { formatCount } from '../../format.ts'
import { useMoves } from './leaf-acts.ts'
import type { TreeRow } from './tree-rows.ts'

interface MoveDialogProps {
  row: Pick<TreeRow, 'kind' | 'path' | 'name' | 'leafCount'>
  leaves: readonly LeafSummary[]
  onMoved(to: string): void
  onClose(): void
}

/** The dialog; a refusal says why and stays to be corrected. */
export function MoveDialog({ row, leaves, onMoved, onClose }: MoveDialogProps) {
  const { t } = useTranslation()
  const moves = useMoves({ isQuiet: true })
  const [path, setPath] = useState<string>(row.path)
  const places = useMemo(() => foldersOf(leaves).map((folder) => `${folder}/${row.name}`), [leaves, row.name])
  const to = path.trim().replace(/\/+$/, '')
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    if (!(await moves.move(row, to))) return
    onMoved(to)
    onClose()
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('taxonomy.move')}
      size={640}
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <Autocomplete
          data-autofocus
          label={t('taxonomy.newPath')}
          value={path}
          spellCheck={false}
          limit={12}
          data={places.filter((place) => place !== row.path)}
          onChange={setPath}
        />
        <span className="dim">
          {row.kind === 'folder'
            ? t('taxonomy.moveFolderText', { count: row.leafCount, shown: formatCount(row.leafCount) })
            : t('taxonomy.moveText')}
        </span>
        {moves.error && <ErrorNote error={moves.error} />}
        <div className="row">
          <Button type="submit" loading={moves.isRunning} disabled={to === '' || to === row.path}>
            {t('taxonomy.moveNow')}
          </Button>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
        </div>
      </form>
    </Modal>
  )
}

function foldersOf(leaves: readonly LeafSummary[]): string[] {
  const folders = new Set<string>()
  for (const { path } of leaves)
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.add(path.slice(0, end))
  return [...folders].sort()
}
