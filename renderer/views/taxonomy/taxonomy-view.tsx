// Taxonomy: the tree on the left, the leaf that is open on the right.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { ExportDialog } from './export-dialog.tsx'
import { ImportDialog } from './import-dialog.tsx'
import { LeafEditor } from './leaf-editor.tsx'
import { TaxonomyTree } from './taxonomy-tree.tsx'

const dialogs = ['import', 'export']

/** Two panes. */
export function TaxonomyView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const leaves = useRead('taxonomy.list', {})
  const close = () => goTo('taxonomy')
  const actions = (
    <>
      <Button onClick={() => goTo('taxonomy', 'new')}>{t('taxonomy.newLeaf')}</Button>
      <Button variant="default" onClick={() => goTo('taxonomy', 'import')}>
        {t('taxonomy.import')}
      </Button>
      <Button variant="default" onClick={() => goTo('taxonomy', 'export')}>
        {t('taxonomy.export')}
      </Button>
    </>
  )
  return (
    <Screen name="taxonomy" actions={actions} isFlush>
      <div className="pane" style={{ width: 340, flex: 'none' }}>
        <Reading
          of={leaves}
          empty={
            <div className="pane-body">
              <EmptyNote title={t('taxonomy.emptyTitle')} text={t('taxonomy.emptyText')}>
                <Button onClick={() => goTo('taxonomy', 'import')}>{t('taxonomy.import')}</Button>
              </EmptyNote>
            </div>
          }
        >
          {(list) => <TaxonomyTree leaves={list} opened={subject} />}
        </Reading>
      </div>
      <div className="pane grow">
        <LeafPane subject={subject} />
      </div>
      <ImportDialog isOpen={subject === 'import'} onClose={close} />
      <ExportDialog isOpen={subject === 'export'} onClose={close} />
    </Screen>
  )
}

/** `new`, or `new/<folder>` for one that begins in a folder. */
const isNew = (subject: string) => subject === 'new' || subject.startsWith('new/')

function LeafPane({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const path = subject && !dialogs.includes(subject) && !isNew(subject) ? (subject as LeafPath) : null
  const leaf = useRead('taxonomy.leaf', path ? { leaf: path } : null)
  if (isNew(subject)) return <LeafEditor key={subject} leaf={null} folder={subject.slice('new/'.length)} />
  if (path === null) {
    return (
      <div className="pane-body">
        <EmptyNote title={t('taxonomy.chooseTitle')} text={t('taxonomy.chooseText')} />
      </div>
    )
  }
  if (leaf.state !== 'ready') {
    return (
      <div className="pane-body">
        <Reading of={leaf}>{() => null}</Reading>
      </div>
    )
  }
  return <LeafEditor key={leaf.value.path} leaf={leaf.value} />
}
