// The demo's closing table for people: phases by exams, with and without replay, each score with its 95 % interval.

import type { DemoReport, DemoScore } from '../../contract/workspace.ts'
import { formatSeconds } from './progress.ts'

/** The whole report as text. */
export function demoTable(report: DemoReport): string {
  const exams = [...new Set(report.scores.map((score) => score.exam))]
  const lines = ['']
  for (const variant of ['with replay', 'without replay'] as const) {
    const scores = report.scores.filter((score) => score.variant === variant)
    if (scores.length > 0) lines.push(...variantTable(variant, scores, exams), '')
  }
  const { truth, parseFailures } = report
  lines.push(
    ...report.comparisons.map(
      ({ exam, first, second, difference, interval }) =>
        `${exam}: ${first} minus ${second}: ${points(difference)} points [${points(interval.low)}, ${points(interval.high)}]`,
    ),
    '',
    `Samples that are true: ${share(truth.before)} before the filters, ${share(truth.after)} after (${truth.undecided} of these could not be judged and count as untrue).`,
    `Answers that could not be parsed: ${parseFailures.count} of ${parseFailures.calls} calls.`,
    ...report.exports.map((file) => `Exported ${file.what}: ${file.path} (${(file.sizeBytes / 1e6).toFixed(1)} MB)`),
    `Time: ${report.stageSeconds.map((stage) => `${stage.name} ${formatSeconds(stage.seconds)}`).join(', ')}`,
    '',
  )
  return lines.join('\n')
}

function variantTable(variant: string, scores: DemoScore[], exams: string[]): string[] {
  const phases = [...new Set(scores.map((score) => score.phase))]
  const cells = [
    [variant, ...exams],
    ...phases.map((phase) => [
      phase,
      ...exams.map((exam) => cell(scores.find((score) => score.phase === phase && score.exam === exam))),
    ]),
  ]
  const widths = [variant, ...exams].map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [lines[0] ?? '', widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1)]
}

function cell(score: DemoScore | undefined): string {
  if (!score) return '-'
  const percent = (value: number) => (value * 100).toFixed(1)
  return `${percent(score.score)} % [${percent(score.interval.low)}, ${percent(score.interval.high)}]`
}

function points(difference: number): string {
  return `${difference < 0 ? '' : '+'}${(difference * 100).toFixed(1)}`
}

function share({ true: right, total }: { true: number; total: number }): string {
  return total === 0 ? 'none judged' : `${((right / total) * 100).toFixed(1)} % (${right} of ${total})`
}
