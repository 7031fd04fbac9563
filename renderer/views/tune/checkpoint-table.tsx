// The checkpoints of a run; the best of each phase starts the next.

import { useTranslation } from 'react-i18next'
import type { Checkpoint, TuningRun } from '../../../main/contract/tuning.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatBytes, formatCount, formatMeasure, formatShare } from '../../format.ts'
import { useRead } from '../../state/lab.ts'

/** In the order they were written. */
export function CheckpointTable({ run }: { run: TuningRun }) {
  const { t } = useTranslation()
  const checkpoints = useRead('tuning.checkpoints', { tuningId: run.id })
  const columns: Column<Checkpoint>[] = [
    { key: 'phase', title: t('tune.phase'), render: ({ phase }) => phase },
    { key: 'step', title: t('tune.step'), isNumeric: true, render: ({ step }) => formatCount(step) },
    { key: 'epoch', title: t('tune.epochTitle'), isNumeric: true, render: ({ epoch }) => epoch },
    {
      key: 'loss',
      title: t('tune.validationLoss'),
      isNumeric: true,
      render: ({ validationLoss }) => formatMeasure(validationLoss),
    },
    {
      key: 'score',
      title: t('tune.score'),
      isNumeric: true,
      render: ({ score }) => (score === null ? '–' : formatShare(score)),
    },
    {
      key: 'best',
      title: t('tune.best'),
      render: ({ isBest }) => (isBest ? <span className="tag good">{t('tune.best')}</span> : ''),
    },
    { key: 'size', title: t('export.size'), isNumeric: true, render: ({ sizeBytes }) => formatBytes(sizeBytes) },
    { key: 'folder', title: t('tune.folder'), render: ({ folder }) => <span className="mono">{folder}</span> },
  ]
  return (
    <Section title={t('tune.checkpoints')}>
      <Reading of={checkpoints} empty={<span className="dim">{t('tune.noCheckpoints')}</span>}>
        {(list) => <Grid label={t('tune.checkpoints')} columns={columns} rows={list} keyOf={({ id }) => id} />}
      </Reading>
    </Section>
  )
}
