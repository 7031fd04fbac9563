// A small line of recent values, for a glance; the full chart is on the Tune screen.

interface SparklineProps {
  label: string
  values: readonly number[]
  width?: number
  height?: number
}

const mostPoints = 240

/** Plain SVG; thins long series by taking the mean of neighbours. */
export function Sparkline({ label, values, width = 320, height = 56 }: SparklineProps) {
  const points = thin(values.filter(Number.isFinite))
  const low = Math.min(...points)
  const span = Math.max(...points) - low || 1
  const place = (value: number, index: number) => {
    const x = points.length > 1 ? (index / (points.length - 1)) * width : 0
    return `${x.toFixed(1)},${(height - 3 - ((value - low) / span) * (height - 6)).toFixed(1)}`
  }
  return (
    <svg
      width="100%"
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <polyline
        points={points.map(place).join(' ')}
        fill="none"
        stroke="var(--accent)"
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}

function thin(values: readonly number[]): number[] {
  const group = Math.ceil(values.length / mostPoints)
  if (group <= 1) return [...values]
  const thinned: number[] = []
  for (let start = 0; start < values.length; start += group) {
    const part = values.slice(start, start + group)
    thinned.push(part.reduce((sum, value) => sum + value, 0) / part.length)
  }
  return thinned
}
