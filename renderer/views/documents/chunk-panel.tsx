// Chunks as the pipeline will cut them, at a size one can slide; joined, split and left out by key or button.

import { Button, Kbd, Slider } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DocumentSummary } from '../../../main/contract/taxonomy.ts'
import { Reading } from '../../components/reading.tsx'
import { formatCount } from '../../format.ts'
import { type ChunkDesk, useChunkDesk } from '../../state/chunk-desk.ts'
import { type KeyBinding, useKeys } from '../../state/keys.ts'
import { useAct, useDesk, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'
import { draftSeed } from '../../state/seed-context.ts'
import { ChunkList } from './chunk-list.tsx'

const sizes = { smallest: 40, largest: 2000, usual: 500 }

export function ChunkPanel({ document }: { document: DocumentSummary }) {
  const { t } = useTranslation()
  const [tokens, setTokens] = useState(sizes.usual)
  const [settled] = useDebouncedValue(tokens, 250)
  const desk = useChunkDesk(document.id, settled)
  const student = useRead('document.tokens', {}).value?.student
  const whose = student ? t('documents.tokensOf', { student }) : t('documents.tokensEstimated')
  const makeContext = useSeedContext(document, desk)
  const draft = useDrafting(document, desk, settled)
  return (
    <>
      <div className="pane-head">
        <span id="chunk-size" title={whose}>
          {t('documents.chunkSize', { tokens: formatCount(tokens) })}
        </span>
        <Slider
          className="grow"
          maw={320}
          size="sm"
          label={null}
          min={sizes.smallest}
          max={sizes.largest}
          step={20}
          value={tokens}
          onChange={setTokens}
          thumbProps={{ 'aria-labelledby': 'chunk-size' }}
        />
        <span className="dim clip">{whose}</span>
        {desk.read.value && (
          <span className="dim" role="status" data-testid="chunk-count">
            {t('documents.chunkCount', { count: desk.read.value.length })}
          </span>
        )}
      </div>
      <Reading of={desk.read}>{(chunks) => <ChunkList chunks={chunks} desk={desk} tokens={settled} />}</Reading>
      {desk.cutAt === null ? (
        <ChunkActs desk={desk} onContext={makeContext} drafting={draft} />
      ) : (
        <CutActs desk={desk} />
      )}
    </>
  )
}

/** The selected words, or the whole chunk, as the context of a new seed in the leaf's draft. */
function useSeedContext(document: DocumentSummary, desk: ChunkDesk): () => void {
  const { t } = useTranslation()
  const { engine } = useDesk()
  return () => {
    const selected = String(window.getSelection() ?? '').trim()
    const context = selected || desk.current?.text
    if (!context) return
    void draftSeed(engine, document.leaf, { context }).then(() =>
      showDone(t('documents.contextMade', { leaf: document.leaf })),
    )
  }
}

/** Lets the teacher draft questions from the chunk under the cursor. */
function useDrafting(document: DocumentSummary, desk: ChunkDesk, tokens: number) {
  const { t } = useTranslation()
  const pairs = useAct('draft.pairs')
  const run = () => {
    const chunkId = desk.current?.id
    if (!chunkId || pairs.isRunning) return
    void pairs.run({ documentId: document.id, tokens, chunkId }).then((drafts) => {
      if (drafts) showDone(t('documents.draftsMade', { count: drafts.length }))
    })
  }
  return { run, isRunning: pairs.isRunning }
}

interface ChunkActsProps {
  desk: ChunkDesk
  onContext: () => void
  drafting: { run: () => void; isRunning: boolean }
}

function ChunkActs({ desk, onContext, drafting }: ChunkActsProps) {
  const { t } = useTranslation()
  const isExcluded = desk.current?.isExcluded ?? false
  const acts: (KeyBinding & { isHidden?: boolean })[] = [
    {
      keys: ['j', 'ArrowDown'],
      label: t('documents.keys.next'),
      run: () => desk.moveTo(desk.cursor + 1),
      isHidden: true,
    },
    {
      keys: ['k', 'ArrowUp'],
      label: t('documents.keys.previous'),
      run: () => desk.moveTo(desk.cursor - 1),
      isHidden: true,
    },
    { keys: ['m'], label: t('documents.keys.merge'), run: desk.merge },
    { keys: ['s'], label: t('documents.keys.split'), run: () => desk.chooseCut(selectedOffset(desk)) },
    { keys: ['x'], label: isExcluded ? t('documents.keys.include') : t('documents.keys.exclude'), run: desk.toggle },
    { keys: ['u'], label: t('documents.keys.undo'), run: desk.undo },
    { keys: ['U'], label: t('documents.keys.redo'), run: desk.redo, isHidden: true },
    { keys: ['c'], label: t('documents.keys.context'), run: onContext },
    { keys: ['d'], label: t('documents.keys.draft'), run: drafting.run },
  ]
  return <Acts acts={acts} isBusy={desk.isBusy || drafting.isRunning} />
}

function CutActs({ desk }: { desk: ChunkDesk }) {
  const { t } = useTranslation()
  const acts = [
    { keys: ['ArrowUp', 'k'], label: t('documents.keys.cutEarlier'), run: () => desk.moveCut(-1) },
    { keys: ['ArrowDown', 'j'], label: t('documents.keys.cutLater'), run: () => desk.moveCut(1) },
    { keys: ['Enter'], label: t('documents.keys.cut'), run: desk.cut },
    { keys: ['Escape'], label: t('cancel'), run: desk.cancelCut },
  ]
  return <Acts acts={acts} isBusy={desk.isBusy} />
}

function Acts({ acts, isBusy }: { acts: readonly (KeyBinding & { isHidden?: boolean })[]; isBusy: boolean }) {
  useKeys(acts)
  return (
    <div className="pane-foot" data-testid="chunk-acts">
      {acts
        .filter(({ isHidden }) => !isHidden)
        .map(({ keys, label, run }) => (
          <Button
            key={label}
            variant="default"
            disabled={isBusy}
            onMouseDown={(event) => event.preventDefault()}
            onClick={run}
            rightSection={<Kbd>{shownKey(keys[0] ?? '')}</Kbd>}
          >
            {label}
          </Button>
        ))}
    </div>
  )
}

const symbols: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' }
const shownKey = (key: string) => symbols[key] ?? key

/** Where the selection begins in the current chunk; null when it does not begin inside it. */
function selectedOffset(desk: ChunkDesk): number | null {
  const selection = window.getSelection()
  const node = selection?.anchorNode
  const chunk = document.getElementById(`chunk-${desk.cursor}`)
  if (!selection || !node?.parentElement?.closest('[data-piece]') || !chunk?.contains(node)) return null
  const at = Math.min(selection.anchorOffset, selection.focusOffset)
  return at > 0 && at < (node.textContent?.length ?? 0) ? at : null
}
