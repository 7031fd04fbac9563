// Rate and remaining time of a job from its own reports. Pure: the clock is handed in. Starts over when the work changes shape.

import type { JobProgress } from '../contract/jobs.ts'

/** Older reports weigh less by 1/e per this many seconds. */
const memorySeconds = 20
/** Reports closer together than this are taken as one. */
const minGapSeconds = 0.2

export interface RateMeter {
  /** Fills in `ratePerSecond` and `etaSeconds` where the report leaves them null. */
  measure(progress: JobProgress, nowMs: number): JobProgress
}

/**
 * Exponentially weighted rate: weighted units done over weighted seconds, so bursts (16 answers at once, then silence) average out
 * and the first report after a resume, which starts at many done, counts as the zero line.
 */
export function createRateMeter(): RateMeter {
  let last: { done: number; total: number; stage: number; atMs: number } | undefined
  let units = 0
  let seconds = 0
  return {
    measure(progress, nowMs) {
      const stage = progress.stage?.index ?? 0
      const { done, total } = progress
      if (!last || last.stage !== stage || last.total !== total || done < last.done) {
        last = { done, total, stage, atMs: nowMs }
        units = 0
        seconds = 0
      }
      const gap = (nowMs - last.atMs) / 1000
      if (gap >= minGapSeconds) {
        const kept = Math.exp(-gap / memorySeconds)
        units = units * kept + (done - last.done)
        seconds = seconds * kept + gap
        last = { done, total, stage, atMs: nowMs }
      }
      const rate = progress.ratePerSecond ?? (seconds > 0 ? units / seconds : null)
      const eta = progress.etaSeconds ?? (rate !== null && rate > 0 ? Math.max(0, total - done) / rate : null)
      return { ...progress, ratePerSecond: rate, etaSeconds: eta }
    },
  }
}
