// The demo's closing table and figures: phases against exams, with and without replay, and how true the kept samples are.

import { useTranslation } from 'react-i18next'
import type { DemoComparison, DemoReport, DemoScore, Share } from '../../../main/contract/workspace.ts'
import { Facts } from '../../components/facts.tsx'
import { type Column, Grid } from '../../components/grid.tsx'
import { ScoreBar } from '../../components/score-bar.tsx'
import { Section } from '../../components/screen.tsx'
import { formatBytes, formatCount, formatRatio, formatSeconds } from '../../format.ts'

/** Everything the demo measured. */
export function DemoResults({ report }: { report: DemoReport }) {
  const { t } = useTranslation()
  const seconds = report.stageSeconds.reduce((sum, stage) => sum + stage.seconds, 0)
  return (
    <div data-testid="demo-results">
      <Section title={t('results.title')}>
        <ScoreTable scores={report.scores} />
        <p className="dim" style={{ margin: '6px 0 0' }}>
          {t('results.intervalNote')}
        </p>
      </Section>
      {report.comparisons.length > 0 && <Comparisons comparisons={report.comparisons} />}
      <Section title={t('results.qualityTitle')}>
        <Facts
          of={[
            [t('results.truthBefore'), shareText(report.truth.before)],
            [t('results.truthAfter'), shareText(report.truth.after)],
            [t('results.undecided'), formatCount(report.truth.undecided)],
            [
              t('results.parseFailures'),
              `${formatRatio(report.parseFailures.count, report.parseFailures.calls, 2)} (${report.parseFailures.count} / ${formatCount(report.parseFailures.calls)})`,
            ],
            [t('results.time'), formatSeconds(seconds)],
            ...report.exports.map(
              ({ what, path, sizeBytes }) =>
                [what, <span key={path} className="mono">{`${path} (${formatBytes(sizeBytes)})`}</span>] as const,
            ),
          ]}
        />
      </Section>
    </div>
  )
}

function Comparisons({ comparisons }: { comparisons: readonly DemoComparison[] }) {
  const { t } = useTranslation()
  const others = unique(comparisons.map(({ second }) => second))
  const exams = unique(comparisons.map(({ exam }) => exam))
  const columns: Column<string>[] = [
    { key: 'exam', title: t('evaluate.exam'), render: (exam) => exam },
    ...others.map((other) => ({
      key: other,
      title: `${t('results.against')} ${other === 'base' ? t('results.base') : t('results.noReplay')}`,
      render: (exam: string) => {
        const found = comparisons.find((one) => one.exam === exam && one.second === other)
        return found ? <Difference of={found} /> : '–'
      },
    })),
  ]
  return (
    <Section title={t('results.comparisonTitle')}>
      <div className="narrow">
        <Grid label={t('results.comparisonTitle')} columns={columns} rows={exams} keyOf={(exam) => exam} />
      </div>
      <p className="dim" style={{ margin: '6px 0 0' }}>
        {t('results.pairedNote')}
      </p>
    </Section>
  )
}

/** Coloured only where the interval leaves no doubt about the sign. */
function Difference({ of: { difference, interval } }: { of: DemoComparison }) {
  const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(share * 100).toFixed(1)}`
  const tone = interval.low > 0 ? 'good' : interval.high < 0 ? 'bad' : ''
  return (
    <span>
      <span className={tone}>{points(difference)}</span>{' '}
      <span className="dim">
        [{points(interval.low)}, {points(interval.high)}]
      </span>
    </span>
  )
}

function shareText(share: Share): string {
  return `${formatRatio(share.true, share.total)} (${formatCount(share.true)} / ${formatCount(share.total)})`
}

const variants: readonly DemoScore['variant'][] = ['with replay', 'without replay']

function ScoreTable({ scores }: { scores: readonly DemoScore[] }) {
  const { t } = useTranslation()
  const exams = unique(scores.map(({ exam }) => exam))
  return (
    <div className="grid-scroll" tabIndex={0} role="region" aria-label={t('results.title')}>
      <table className="grid" aria-label={t('results.title')} data-testid="demo-table">
        <thead>
          <tr>
            <th scope="col">{t('results.variant')}</th>
            <th scope="col">{t('results.phase')}</th>
            {exams.map((exam) => (
              <th key={exam} scope="col" className="wraps">
                {exam}
              </th>
            ))}
          </tr>
        </thead>
        {variants.map((variant) => (
          <VariantRows
            key={variant}
            variant={variant}
            exams={exams}
            scores={scores.filter((score) => score.variant === variant)}
          />
        ))}
      </table>
    </div>
  )
}

interface VariantRowsProps {
  variant: DemoScore['variant']
  exams: readonly string[]
  scores: readonly DemoScore[]
}

function VariantRows({ variant, exams, scores }: VariantRowsProps) {
  const { t } = useTranslation()
  const phases = unique(scores.map(({ phase }) => phase))
  return (
    <tbody>
      {phases.map((phase, index) => (
        <tr key={phase}>
          {index === 0 && (
            <th scope="rowgroup" rowSpan={phases.length}>
              {variant === 'with replay' ? t('results.withReplay') : t('results.withoutReplay')}
            </th>
          )}
          <th scope="row">{phase}</th>
          {exams.map((exam) => {
            const score = scores.find((one) => one.phase === phase && one.exam === exam)
            return <td key={exam}>{score ? <ScoreBar {...score} isBase={phase === 'base'} /> : '–'}</td>
          })}
        </tr>
      ))}
    </tbody>
  )
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
