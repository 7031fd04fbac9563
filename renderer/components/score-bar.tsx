// A score between 0 and 1 with its confidence interval, drawn and written.

import type { ReactNode } from 'react'
import type { Interval } from '../../main/contract/exams.ts'
import { formatShare } from '../format.ts'

interface ScoreBarProps {
  score: number
  interval: Interval
  correct: number
  total: number
  /** The model before tuning is drawn in grey. */
  isBase?: boolean
  /** Beside the percentage, e.g. the gain over the base. */
  children?: ReactNode
}

const width = 48

/** Bar with whisker and percentage; below them the interval and the counts in words. */
export function ScoreBar({ score, interval, correct, total, isBase = false, children }: ScoreBarProps) {
  const range = `${Math.round(interval.low * 100)}–${Math.round(interval.high * 100)} %`
  return (
    <span className="score">
      <span className="score-line">
        <svg width={width} height={10} aria-hidden="true">
          <rect className="score-track" width={width} height={10} rx={2} />
          <rect className={isBase ? 'score-fill base' : 'score-fill'} width={score * width} height={10} rx={2} />
          <line className="score-whisker" x1={interval.low * width} x2={interval.high * width} y1={5} y2={5} />
        </svg>
        <span>{formatShare(score)}</span>
        {children}
      </span>
      <span className="score-range">
        [{range}] {correct}/{total}
      </span>
    </span>
  )
}
