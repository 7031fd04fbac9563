// Per leaf: quota, attempts, what was kept, and how many each stage dropped. A quota that was not met says why.

import { useTranslation } from 'react-i18next'
import type { LeafFunnel, StageName } from '../../../main/contract/generation.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { formatCount, formatRatio } from '../../format.ts'

/** One row a leaf. */
export function FunnelTable({ funnel }: { funnel: readonly LeafFunnel[] }) {
  const { t } = useTranslation()
  const columns: Column<LeafFunnel>[] = [
    { key: 'leaf', title: t('generate.leaf'), render: ({ leaf }) => <span className="clip">{leaf}</span> },
    {
      key: 'accepted',
      title: t('generate.accepted'),
      isNumeric: true,
      render: ({ accepted, quota }) => `${formatCount(accepted)} / ${formatCount(quota)}`,
    },
    {
      key: 'attempted',
      title: t('generate.attempted'),
      isNumeric: true,
      render: ({ attempted }) => formatCount(attempted),
    },
    {
      key: 'yield',
      title: t('generate.yield'),
      isNumeric: true,
      render: ({ accepted, attempted }) => formatRatio(accepted, attempted, 0),
    },
    { key: 'bar', title: t('generate.keptAndDropped'), render: (leaf) => <FunnelBar funnel={leaf} /> },
    { key: 'dropped', title: t('generate.droppedBy'), render: (leaf) => <Dropped funnel={leaf} /> },
  ]
  return (
    <Grid
      label={t('generate.funnel')}
      columns={columns}
      rows={funnel}
      keyOf={({ leaf }) => leaf}
      noteOf={({ shortfall }) => shortfall && <span className="warn">{shortfall}</span>}
    />
  )
}

const dropColours = ['var(--series-2)', 'var(--series-3)', 'var(--line-strong)']

function FunnelBar({ funnel }: { funnel: LeafFunnel }) {
  const { t } = useTranslation()
  const whole = Math.max(1, funnel.attempted)
  const label = `${t('generate.accepted')} ${funnel.accepted} / ${funnel.attempted}`
  return (
    <div className="funnel-bar" role="img" aria-label={label} style={{ width: 130 }}>
      <i style={{ width: `${(funnel.accepted / whole) * 100}%`, background: 'var(--accent)' }} />
      {funnel.droppedBy.map(({ stage, count }, index) => (
        <i
          key={stage}
          style={{ width: `${(count / whole) * 100}%`, background: dropColours[index % dropColours.length] }}
          title={`${t(`drops.${stage}`)} ${count}`}
        />
      ))}
    </div>
  )
}

function Dropped({ funnel }: { funnel: LeafFunnel }) {
  const { t } = useTranslation()
  const name = (stage: StageName) => t(`drops.${stage}`)
  return (
    <span className="dim">
      {funnel.droppedBy
        .filter(({ count }) => count > 0)
        .map(({ stage, count }) => `${name(stage)} ${formatCount(count)}`)
        .join(' · ') || '–'}
    </span>
  )
}
