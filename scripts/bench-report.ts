// Markdown of what bench-train measured, as BENCHMARKS.md takes it. Measures nothing. Speeds are medians over all steps of all rounds,
// the best step in brackets; a ratio is the median of the rounds' own ratios, as its engines ran one after another.

import type { BenchCase, Engine, Turn } from './bench-cases.ts'
import type { CurveValue } from './bench-curves.ts'

/** One case with each engine's turns, one a round, or why there are none. */
export interface CaseResult {
  of: BenchCase
  turns: Partial<Record<Engine, Turn[]>>
  failed: Partial<Record<Engine, string>>
}

const rivals: { engine: Engine; title: string }[] = [
  { engine: 'torch', title: 'PyTorch' },
  { engine: 'torch-heap', title: 'PyTorch, heap kept' },
  { engine: 'llama', title: "llama.cpp's finetune" },
]

export function caseTables(results: CaseResult[]): string {
  const rows = results.flatMap((result) =>
    (['labdesk', 'labdesk-q8'] as const)
      .filter((own) => result.of.engines.includes(own))
      .map((own) => ({ result, own, name: result.of.name + (own === 'labdesk-q8' ? ', Q8_0 base' : '') })),
  )
  const titles = rivals.map(({ title }) => title)
  const speeds = rows.map(({ result, own, name }) => [
    name,
    speedOf(result.turns[own]),
    ...rivals.map(({ engine }) => speedOf(result.turns[engine])),
    ...rivals.map(({ engine }) => ratioOf(result.turns[own], result.turns[engine])),
  ])
  const memory = rows.map(({ result, own, name }) => [
    name,
    memoryOf(result.turns[own]),
    ...rivals.map(({ engine }) => memoryOf(result.turns[engine])),
    ...rivals.map(({ engine }) => memoryRatioOf(result.turns[engine], result.turns[own])),
  ])
  return [
    'Trained tokens/s, median (best step); ratios: the middle one of the rounds [least, greatest]:\n',
    table(['case', 'Labdesk', ...titles, ...titles.map((title) => `Labdesk / ${title}`)], speeds),
    '\nPeak memory of the process (VmHWM), MiB; how many times as much the other takes:\n',
    table(['case', 'Labdesk', ...titles, ...titles.map((title) => `${title} / Labdesk`)], memory),
    ...failuresOf(results),
  ].join('\n')
}

export function curveTables(values: CurveValue[]): string {
  const lengths = values
    .filter(({ curve }) => curve === 'length')
    .map((value) => [String(value.tokens), value.label, whole(value.tokensPerSecond), mebibytes(value.peakBytes)])
  const shares = values
    .filter(({ curve }) => curve === 'share')
    .map((value) => [
      value.label,
      `${(100 * value.trainableShare).toPrecision(3)} %`,
      whole(value.tokensPerSecond),
      mebibytes(value.peakBytes),
    ])
  const parts: string[] = []
  if (lengths.length > 0)
    parts.push(
      'Against sequence length (m15, one row a step):\n',
      table(['tokens', 'what trains', 'tokens/s', 'peak MiB'], lengths),
    )
  if (shares.length > 0)
    parts.push(
      '\nAgainst what trains (m15, one row of 512):\n',
      table(['what trains', 'share of weights', 'tokens/s', 'peak MiB'], shares),
    )
  return parts.join('\n')
}

/** Median; NaN of nothing. */
export function middle(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[half] ?? NaN) : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2
}

/** Tokens/s of the median step and of the best one. */
export function speedsOf(turns: Turn[]): { median: number; best: number } {
  const rates = turns.flatMap(({ stepMs, tokensPerStep }) => stepMs.map((ms) => (1000 * tokensPerStep) / ms))
  return { median: middle(rates), best: Math.max(...rates) }
}

function speedOf(turns: Turn[] = []): string {
  if (turns.length === 0) return '-'
  const { median, best } = speedsOf(turns)
  return `${whole(median)} (${whole(best)})`
}

function ratioOf(own: Turn[] = [], other: Turn[] = []): string {
  if (own.length === 0 || other.length === 0) return '-'
  const rounds = own.flatMap((turn, round) => {
    const against = other[round]
    return against ? [speedsOf([turn]).median / speedsOf([against]).median] : []
  })
  const [ratio, least, greatest] = [middle(rounds), Math.min(...rounds), Math.max(...rounds)]
  return `**${ratio.toFixed(2)}** [${least.toFixed(2)}, ${greatest.toFixed(2)}]`
}

function memoryOf(turns: Turn[] = []): string {
  return turns.length === 0 ? '-' : mebibytes(peakOf(turns))
}

function memoryRatioOf(more: Turn[] = [], less: Turn[] = []): string {
  return more.length === 0 || less.length === 0 ? '-' : `**${(peakOf(more) / peakOf(less)).toFixed(2)}**`
}

function peakOf(turns: Turn[]): number {
  return Math.max(...turns.map(({ peakBytes }) => peakBytes))
}

function failuresOf(results: CaseResult[]): string[] {
  const lines = results.flatMap(({ of, failed }) =>
    Object.entries(failed).map(([engine, reason]) => `- ${of.name}, ${engine}: ${reason}`),
  )
  return lines.length > 0 ? ['\nNot measured:\n', ...lines] : []
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function mebibytes(bytes: number): string {
  return whole(bytes / 2 ** 20)
}
