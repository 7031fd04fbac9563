// A thin bar of progress.

interface MeterProps {
  label: string
  done: number
  total: number
}

/** Progress of something countable. */
export function Meter({ label, done, total }: MeterProps) {
  const share = total > 0 ? Math.min(1, done / total) : 0
  return (
    <div
      className="meter"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
    >
      <i style={{ width: `${share * 100}%` }} />
    </div>
  )
}
