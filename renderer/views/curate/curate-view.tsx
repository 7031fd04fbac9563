// Curate: filters above, the list on the left, the sample under the cursor on the right. The whole review works from the keyboard.
// Each part listens to its own piece of the list's state, so that a key press draws two rows and the pane and nothing else.

import { Button } from '@mantine/core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useStore } from 'zustand'
import { useShallow } from 'zustand/react/shallow'
import type { SampleFilter } from '../../../main/contract/curation.ts'
import type { CandidateId } from '../../../main/contract/ids.ts'
import { EmptyNote, ErrorNote } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { type Curation, rowAt } from '../../state/curation.ts'
import { useKeys } from '../../state/keys.ts'
import { useDesk } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'
import { goTo } from '../../state/route.ts'
import { CurateFilters } from './curate-filters.tsx'
import { SampleList } from './sample-list.tsx'
import { SamplePane } from './sample-pane.tsx'
import { TwinsView } from './twins-view.tsx'

/** `subject` is `twins`, or nothing: the samples. */
export function CurateView({ subject = '' }: { subject?: string }) {
  return subject === 'twins' ? <TwinsView /> : <SamplesView />
}

/** Keeps its filter and place while other screens are visited. */
function SamplesView() {
  const { t } = useTranslation()
  const { curation } = useDesk()
  const { filter, total, error, isStale } = useStore(
    curation.store,
    useShallow((state) => ({ filter: state.filter, total: state.total, error: state.error, isStale: state.isStale })),
  )
  const search = useRef<HTMLInputElement>(null)
  const [editing, setEditing] = useState<CandidateId | null>(null)
  const setFilter = useCallback((wanted: SampleFilter) => curation.setFilter(wanted), [curation])
  useEffect(() => {
    if (curation.store.getState().total === null) curation.setFilter(curation.store.getState().filter)
  }, [curation])
  useCurationKeys({
    curation,
    onEdit: () => setEditing(curation.current()?.id ?? null),
    onSearch: () => search.current?.focus(),
  })
  const refresh = () => curation.setFilter({ ...filter })
  const aside = total !== null && (
    <span className="dim" data-testid="sample-total">
      {t('curate.total', { count: total, shown: formatCount(total) })}
    </span>
  )
  const actions = (
    <>
      {isStale && (
        <Button variant="default" onClick={refresh}>
          {t('curate.refresh')}
        </Button>
      )}
      <Button variant="default" onClick={() => goTo('curate', 'twins')}>
        {t('curate.twins.open')}
      </Button>
    </>
  )
  return (
    <Screen name="curate" aside={aside} actions={actions} isFlush>
      <div className="pane grow">
        <CurateFilters filter={filter} onChange={setFilter} searchRef={search} />
        {error && <ErrorNote error={error} onRetry={refresh} />}
        {total === 0 ? (
          <NoSamples filter={filter} onClear={() => curation.setFilter({})} />
        ) : (
          <SampleList curation={curation} />
        )}
      </div>
      <div className="pane" style={{ width: '46%', flex: 'none' }}>
        <CurrentSample curation={curation} editing={editing} onEditing={setEditing} />
      </div>
    </Screen>
  )
}

function NoSamples({ filter, onClear }: { filter: SampleFilter; onClear: () => void }) {
  const { t } = useTranslation()
  const hasFilter = Object.values(filter).some((value) => value !== undefined)
  return (
    <div className="pane-body">
      {hasFilter ? (
        <EmptyNote title={t('curate.noMatchTitle')} text={t('curate.noMatchText')}>
          <Button variant="default" onClick={onClear}>
            {t('curate.clearFilters')}
          </Button>
        </EmptyNote>
      ) : (
        <EmptyNote title={t('curate.emptyTitle')} text={t('curate.emptyText')}>
          <Button onClick={() => goTo('generate', 'new')}>{t('generate.new')}</Button>
        </EmptyNote>
      )}
    </div>
  )
}

interface CurrentSampleProps {
  curation: Curation
  /** The sample whose texts are being edited. */
  editing: CandidateId | null
  onEditing(id: CandidateId | null): void
}

function CurrentSample({ curation, editing, onEditing }: CurrentSampleProps) {
  const sample = useStore(curation.store, (state) => rowAt(state, state.cursor))
  const onToggle = useCallback(
    (isOn: boolean) => onEditing(isOn ? (curation.current()?.id ?? null) : null),
    [curation, onEditing],
  )
  if (!sample) return null
  return <SamplePane sample={sample} curation={curation} isEditing={editing === sample.id} onEditing={onToggle} />
}

interface CurationKeysOptions {
  curation: Curation
  onEdit(): void
  onSearch(): void
}

function useCurationKeys({ curation, onEdit, onSearch }: CurationKeysOptions): void {
  const { t } = useTranslation()
  const move = (by: number) => curation.moveTo(curation.store.getState().cursor + by)
  const decideAndMove = (kind: 'accept' | 'reject') => {
    curation.decide({ kind })
    move(1)
  }
  const say = (done: Promise<boolean>, nothing: string) => void done.then((isDone) => !isDone && showDone(nothing))
  useKeys([
    { keys: ['j', 'ArrowDown'], label: t('curate.keys.next'), run: () => move(1) },
    { keys: ['k', 'ArrowUp'], label: t('curate.keys.previous'), run: () => move(-1) },
    { keys: ['PageDown'], label: t('curate.keys.pageDown'), run: () => move(20) },
    { keys: ['PageUp'], label: t('curate.keys.pageUp'), run: () => move(-20) },
    { keys: ['Home'], label: t('curate.keys.first'), run: () => curation.moveTo(0) },
    { keys: ['End'], label: t('curate.keys.last'), run: () => curation.moveTo(Number.MAX_SAFE_INTEGER) },
    { keys: ['a'], label: t('curate.keys.accept'), run: () => decideAndMove('accept') },
    { keys: ['r'], label: t('curate.keys.reject'), run: () => decideAndMove('reject') },
    { keys: ['e'], label: t('curate.keys.edit'), run: onEdit },
    { keys: ['u'], label: t('curate.keys.undo'), run: () => say(curation.undo(), t('curate.nothingToUndo')) },
    { keys: ['U'], label: t('curate.keys.redo'), run: () => say(curation.redo(), t('curate.nothingToRedo')) },
    { keys: ['/'], label: t('keys.search'), run: onSearch },
  ])
}
