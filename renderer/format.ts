// Numbers, sizes, times and shares as text, in the language of the screens. Pure but for the current language.

import { i18n } from './i18n.ts'

const missing = '–'
const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** 12345 -> 12,345 */
export function formatCount(count: number): string {
  return new Intl.NumberFormat(i18n.language).format(count)
}

/** 7241732096 -> 7.24 B; parameters of a model. */
export function formatParameters(count: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(count)
}

/** Bytes in powers of 1000, three digits. */
export function formatBytes(sizeBytes: number): string {
  let size = sizeBytes
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  const digits = unit === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2
  return `${size.toFixed(digits)} ${units[unit]}`
}

/** 0.8312 -> 83.1 % */
export function formatShare(share: number, digits = 1): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(digits)} %` : missing
}

/** Share of a count; a dash when there is nothing to divide by. */
export function formatRatio(part: number, whole: number, digits = 1): string {
  return whole > 0 ? formatShare(part / whole, digits) : missing
}

/** Seconds as `42 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return missing
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return i18n.t('time.seconds', { seconds: whole })
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return i18n.t('time.minutes', { minutes, seconds: pad(whole % 60) })
  return i18n.t('time.hours', { hours: Math.floor(minutes / 60), minutes: pad(minutes % 60) })
}

/** Date and time of day, short. */
export function formatWhen(atMs: number): string {
  return new Intl.DateTimeFormat(i18n.language, { dateStyle: 'medium', timeStyle: 'short' }).format(atMs)
}

/** A rate with two or three digits. */
export function formatRate(perSecond: number): string {
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond >= 1 ? perSecond.toFixed(1) : perSecond.toFixed(2)
}

/** Loss, gradient norm: four significant digits. */
export function formatMeasure(value: number | null): string {
  return value === null || !Number.isFinite(value) ? missing : value.toPrecision(4)
}

/** Learning rate: 0.00002 -> 2e-5 */
export function formatLearningRate(value: number): string {
  return value === 0 ? '0' : value.toExponential().replace('e+', 'e')
}

function pad(count: number): string {
  return String(count).padStart(2, '0')
}
