// Progress of a job on a terminal: one bar that is redrawn; where there is no terminal, a line every five seconds.

import type { Job } from '../../contract/jobs.ts'

const lineGapMs = 5000
const barWidth = 24

export interface ProgressView {
  show(job: Job): void
  /** A line of its own above the bar. */
  say(text: string): void
  end(): void
}

/** `stream` is where it is drawn, normally stderr. */
export function createProgressView(stream: NodeJS.WriteStream, now: () => number = Date.now): ProgressView {
  let drawn = false
  let lastLineMs = Number.NEGATIVE_INFINITY
  let lastStage = ''
  const wipe = () => {
    if (drawn) stream.write('\r\u001b[K')
    drawn = false
  }
  return {
    show(job) {
      if (stream.isTTY) {
        stream.write(`\r\u001b[K${progressLine(job, stream.columns ?? 80)}`)
        drawn = true
        return
      }
      const stage = job.progress.stage?.name ?? ''
      if (stage === lastStage && now() - lastLineMs < lineGapMs) return
      lastStage = stage
      lastLineMs = now()
      stream.write(`${progressLine(job, 200)}\n`)
    },
    say(text) {
      wipe()
      stream.write(`${text}\n`)
    },
    end: wipe,
  }
}

/** `[#####-----]  45%  90/200  3.2/s  1:04 left  [2/7 generate] label`, cut to `columns`. */
export function progressLine(job: Job, columns: number): string {
  const { done, total, ratePerSecond, etaSeconds, label, stage } = job.progress
  const share = total > 0 ? Math.min(1, done / total) : 0
  const filled = Math.round(share * barWidth)
  const parts = [
    `[${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}]`,
    `${Math.floor(share * 100)}%`.padStart(4),
    `${done}/${total}`,
    ratePerSecond === null || ratePerSecond === 0 ? '' : `${formatRate(ratePerSecond)}/s`,
    etaSeconds === null ? '' : `${formatSeconds(etaSeconds)} left`,
    stage ? `[${stage.index + 1}/${stage.count} ${stage.name}]` : '',
    label,
  ]
  return parts
    .filter((part) => part !== '')
    .join('  ')
    .slice(0, Math.max(20, columns - 1))
}

function formatRate(rate: number): string {
  return rate >= 100 ? String(Math.round(rate)) : rate.toPrecision(2)
}

/** `1:04`, `1:02:03`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
