// Near duplicates: what a search among all that is kept found, pair by pair, and what stays of each.

import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TwinPage, TwinPair } from '../../../main/contract/twins.ts'
import { ask } from '../../components/ask.tsx'
import { JobLine } from '../../components/job-line.tsx'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatCount, formatWhen } from '../../format.ts'
import { useKeys } from '../../state/keys.ts'
import { useAct, useLive, useRead } from '../../state/lab.ts'
import { newest } from '../../state/newest.ts'
import { showDone } from '../../state/notices.ts'
import { goTo } from '../../state/route.ts'
import { TwinList } from './twin-list.tsx'
import { TwinSearchForm } from './twin-search-form.tsx'
import { TwinViewer } from './twin-viewer.tsx'

/** Pairs shown at once, closest first; the next come up as these are settled. */
const shownPairs = 200

export function TwinsView() {
  const { t } = useTranslation()
  const page = useRead('twin.list', { offset: 0, limit: shownPairs })
  const job = useLive(({ jobs }) => newest(Object.values(jobs).filter(({ kind }) => kind === 'twins')))
  const isRunning = job !== null && job.state !== 'done' && job.state !== 'cancelled'
  return (
    <Screen
      name="curate"
      aside={<span className="dim">{t('curate.twins.title')}</span>}
      actions={
        <>
          <KeepBestButton total={page.value?.total ?? 0} />
          <Button variant="default" onClick={() => goTo('curate')}>
            {t('curate.twins.back')}
          </Button>
        </>
      }
      isFlush
    >
      <div className="pane grow">
        <TwinSearchForm search={page.value?.search ?? null} isRunning={isRunning} />
        {job && isRunning && (
          <div className="pane-note">
            <JobLine job={job} />
          </div>
        )}
        <Reading of={page}>{(found) => <Pairs found={found} isRunning={isRunning} />}</Reading>
      </div>
    </Screen>
  )
}

function Pairs({ found, isRunning }: { found: TwinPage; isRunning: boolean }) {
  const { t } = useTranslation()
  const { search, rows, total } = found
  if (!search || (!search.isFinished && rows.length === 0)) {
    if (isRunning) return null
    return <Note title={t('curate.twins.neverTitle')} text={t('curate.twins.neverText')} />
  }
  const how =
    search.embedderName === null
      ? t('curate.twins.byWords')
      : t('curate.twins.byMeaning', { model: search.embedderName })
  return (
    <>
      <p className="pane-note dim" data-testid="twin-search">
        {t('curate.twins.searched', {
          count: total,
          pairs: formatCount(total),
          texts: formatCount(search.textCount),
          how,
          when: formatWhen(search.createdAtMs),
        })}
        {total > rows.length && ` ${t('curate.twins.shown', { count: rows.length })}`}
      </p>
      {rows.length === 0 ? (
        <Note title={t('curate.twins.noneTitle')} text={t('curate.twins.noneText')} />
      ) : (
        <PairDesk rows={rows} />
      )}
    </>
  )
}

function Note(words: { title: string; text: string }) {
  return (
    <div className="pane-body">
      <EmptyNote {...words} />
    </div>
  )
}

function PairDesk({ rows }: { rows: readonly TwinPair[] }) {
  const { t } = useTranslation()
  const [place, setPlace] = useState(0)
  const settle = useAct('twin.settle')
  const undo = useAct('sample.undo')
  const at = Math.min(place, rows.length - 1)
  const pair = rows[at]
  const move = (by: number) => setPlace(Math.max(0, Math.min(rows.length - 1, at + by)))
  const keep = (which: 'one' | 'other' | 'both') => {
    const goes = which === 'one' ? pair?.other : pair?.one
    if (!pair || settle.isRunning) return
    if (which !== 'both' && goes?.isSeed) return showDone(t('curate.twins.seedStays'))
    void settle.run({ number: pair.number, keep: which })
  }
  useKeys([
    { keys: ['j', 'ArrowDown'], label: t('curate.keys.next'), run: () => move(1) },
    { keys: ['k', 'ArrowUp'], label: t('curate.keys.previous'), run: () => move(-1) },
    { keys: ['1', 'ArrowLeft'], label: t('curate.twins.keepLeft'), run: () => keep('one') },
    { keys: ['2', 'ArrowRight'], label: t('curate.twins.keepRight'), run: () => keep('other') },
    { keys: ['b'], label: t('curate.twins.keepBoth'), run: () => keep('both') },
    {
      keys: ['u'],
      label: t('curate.keys.undo'),
      run: () => void undo.run({}).then((sample) => sample === null && showDone(t('curate.nothingToUndo'))),
    },
  ])
  return (
    <div className="twin-desk">
      <TwinList rows={rows} place={at} onPlace={setPlace} />
      {pair && <TwinViewer key={pair.number} pair={pair} isSettling={settle.isRunning} onKeep={keep} />}
    </div>
  )
}

function KeepBestButton({ total }: { total: number }) {
  const { t } = useTranslation()
  const keepBest = useAct('twin.keepBest')
  const act = async () => {
    const done = await keepBest.run({})
    if (done)
      showDone(t('curate.twins.keptBest', { count: done.rejectedCount, shown: formatCount(done.rejectedCount) }))
  }
  return (
    <Button
      disabled={total === 0}
      loading={keepBest.isRunning}
      onClick={() =>
        ask({
          title: t('curate.twins.keepBestTitle'),
          text: t('curate.twins.keepBestText'),
          yes: t('curate.twins.keepBest'),
          onYes: () => void act(),
        })
      }
    >
      {t('curate.twins.keepBest')}
    </Button>
  )
}
