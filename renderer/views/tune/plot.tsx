// A line plot over uPlot, in the colours of the theme. New points are appended without building the plot again.

import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import { formatLearningRate } from '../../format.ts'

interface Series {
  label: string
  /** A CSS variable of the theme. */
  colour: string
  /** Drawn on its own scale at the right. */
  isRate?: boolean
}
interface Mark {
  at: number
  label: string
}
interface PlotProps {
  label: string
  xLabel: string
  height: number
  data: uPlot.AlignedData
  series: readonly Series[]
  /** Vertical lines with a word each. */
  marks: readonly Mark[]
}

/** The plot; drag selects a range, a double click shows all again. */
export function Plot({ label, xLabel, height, data, series, marks }: PlotProps) {
  const holder = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | null>(null)
  const latest = useRef({ data, marks })
  const scheme = useComputedColorScheme()
  const shape = JSON.stringify({ series, xLabel, height, scheme })
  useEffect(() => {
    latest.current = { data, marks }
    plot.current?.setData(data)
  }, [data, marks])
  useEffect(() => {
    const element = holder.current
    if (!element) return undefined
    const given = JSON.parse(shape) as Pick<PlotProps, 'series' | 'xLabel' | 'height'>
    const options = optionsFor(element, given)
    options.hooks = {
      draw: [
        (drawn) =>
          drawMarks(drawn, { marks: latest.current.marks, colour: colourOf(element, '--mantine-color-dimmed') }),
      ],
    }
    const drawn = new uPlot(options, latest.current.data, element)
    plot.current = drawn
    const watcher = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: given.height }))
    watcher.observe(element)
    return () => {
      watcher.disconnect()
      drawn.destroy()
      plot.current = null
    }
  }, [shape])
  return (
    <div
      className="chart"
      ref={holder}
      role="img"
      aria-label={label}
      style={{ minHeight: height }}
      data-testid="loss-chart"
    />
  )
}

function colourOf(element: HTMLElement, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim()
}

function optionsFor(
  element: HTMLElement,
  { series, xLabel, height }: Pick<PlotProps, 'series' | 'xLabel' | 'height'>,
): uPlot.Options {
  const line = { stroke: colourOf(element, '--line'), width: 1 }
  const axis = { stroke: colourOf(element, '--mantine-color-dimmed'), grid: line, ticks: line, size: 56 }
  const rateAxis: uPlot.Axis = {
    ...axis,
    scale: 'rate',
    side: 1,
    grid: { show: false },
    values: (_, ticks) => ticks.map((tick) => formatLearningRate(Number(tick.toPrecision(3)))),
  }
  return {
    width: element.clientWidth || 600,
    height,
    scales: { x: { time: false } },
    cursor: { drag: { x: true, y: false } },
    axes: [{ ...axis, size: 30 }, axis, ...(series.some(({ isRate }) => isRate) ? [rateAxis] : [])],
    series: [{ label: xLabel }, ...series.map((one) => seriesFor(element, one))],
  }
}

function seriesFor(element: HTMLElement, { label, colour, isRate = false }: Series): uPlot.Series {
  return {
    label,
    stroke: colourOf(element, colour),
    width: 1.4,
    spanGaps: true,
    points: { show: false },
    scale: isRate ? 'rate' : 'y',
    value: (_, value: number | null) =>
      value === null ? '–' : isRate ? formatLearningRate(value) : value.toPrecision(4),
  }
}

function drawMarks(plot: uPlot, { marks, colour }: { marks: readonly Mark[]; colour: string }): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.strokeStyle = colour
  ctx.fillStyle = colour
  ctx.setLineDash([3, 4])
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'top'
  for (const { at, label } of marks) {
    const x = Math.round(plot.valToPos(at, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.fillText(label, x + 4 * devicePixelRatio, bbox.top)
  }
  ctx.restore()
}
