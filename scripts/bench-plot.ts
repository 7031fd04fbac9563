// The curves of bench-train as one SVG, written by hand: transparent, in mid-grey and two colours that read on light and on dark pages.
// Draws what it is given; chooses only the ticks.

import type { CurveValue } from './bench-curves.ts'

const grey = '#808890'
const colours: Record<string, string> = { full: '#e07b28', 'LoRA 16': '#3d8bd4' }
const other = '#3d8bd4'
const panel = { width: 460, height: 300, left: 62, right: 18, top: 40, bottom: 42 }

interface Measure {
  title: string
  of: (value: CurveValue) => number
}
const speed: Measure = { title: 'tokens/s', of: (value) => value.tokensPerSecond }
const memory: Measure = { title: 'peak MiB', of: (value) => value.peakBytes / 2 ** 20 }

/** Two panels for each curve that has points: speed and memory. */
export function plotCurves(values: CurveValue[]): string {
  const lengths = values.filter(({ curve }) => curve === 'length')
  const shares = values.filter(({ curve }) => curve === 'share')
  const rows: string[][] = []
  if (lengths.length > 0) rows.push([linePanel(lengths, speed), linePanel(lengths, memory)])
  if (shares.length > 0) rows.push([barPanel(shares, speed), barPanel(shares, memory)])
  const body = rows.flatMap((row, down) =>
    row.map((svg, across) => `<g transform="translate(${across * panel.width} ${down * panel.height})">${svg}</g>`),
  )
  const [width, height] = [panel.width * 2, panel.height * rows.length]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, sans-serif" font-size="12" fill="${grey}">`,
    `<title>Labdesk's trainer: speed and memory against sequence length and against what trains (m15)</title>`,
    ...body,
    '</svg>\n',
  ].join('\n')
}

/** One line for each of `full` and `LoRA 16` over sequence lengths, doubling from left to right. */
function linePanel(values: CurveValue[], measure: Measure): string {
  const ticks = ticksTo(Math.max(...values.map(measure.of)))
  const top = ticks.at(-1) ?? 1
  const lengths = [...new Set(values.map(({ tokens }) => tokens))].sort((a, b) => a - b)
  const inner = { width: panel.width - panel.left - panel.right - 24, height: panel.height - panel.top - panel.bottom }
  const x = (tokens: number): number =>
    panel.left + 12 + (inner.width * lengths.indexOf(tokens)) / Math.max(1, lengths.length - 1)
  const y = (value: number): number => panel.top + inner.height * (1 - value / top)
  const axis = ticks.map(
    (tick) => rule(y(tick)) + label(panel.left - 8, y(tick) + 4, { words: words(tick), at: 'end' }),
  )
  const feet = lengths.map((tokens) => label(x(tokens), panel.height - panel.bottom + 18, { words: String(tokens) }))
  const lines = [...new Set(values.map((value) => value.label))].map((name, index) => {
    const points = values
      .filter((value) => value.label === name)
      .map((value) => [x(value.tokens), y(measure.of(value))])
    const colour = colours[name] ?? other
    const path = points.map(([px = 0, py = 0]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')
    const dots = points.map(([px = 0, py = 0]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3.5"/>`)
    return [
      `<g fill="${colour}"><polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`,
      label(panel.width - panel.right - 70 * index, panel.top - 16, { words: name, at: 'end' }),
      '</g>',
    ].join('')
  })
  return [
    label(panel.left, panel.top - 16, { words: `${measure.title} by tokens in the row`, at: 'start' }),
    ...axis,
    ...feet,
    ...lines,
  ].join('\n')
}

/** One bar for each way of training, in the order given. */
function barPanel(values: CurveValue[], measure: Measure): string {
  const top = Math.max(...values.map(measure.of))
  const left = 150
  const step = (panel.height - panel.top - 16) / values.length
  const bars = values.map((value, index) => {
    const y = panel.top + step * index
    const length = ((panel.width - left - 70) * measure.of(value)) / top
    const colour = value.mode === 'frozen' ? grey : (colours[value.label] ?? other)
    return [
      label(left - 8, y + step / 2 + 4, { words: value.label, at: 'end' }),
      `<rect x="${left}" y="${(y + 3).toFixed(1)}" width="${length.toFixed(1)}" height="${(step - 6).toFixed(1)}" rx="2" fill="${colour}"/>`,
      label(left + length + 6, y + step / 2 + 4, { words: words(measure.of(value)), at: 'start' }),
    ].join('')
  })
  return [label(8, panel.top - 16, { words: `${measure.title} by what trains`, at: 'start' }), ...bars].join('\n')
}

function rule(y: number): string {
  return `<path d="M${panel.left} ${y.toFixed(1)}H${panel.width - panel.right}" stroke="${grey}" stroke-opacity="0.3"/>`
}

function label(x: number, y: number, { words: text, at = 'middle' }: { words: string; at?: string }): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${at}">${text}</text>`
}

/** Round ticks from 0 to at least `most`, four to six of them. */
function ticksTo(most: number): number[] {
  const rough = most / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => index * step)
}

function words(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
