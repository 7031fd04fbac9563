// What a tuning's own losses and gradient norms say against it while it runs, with a remedy. Pure; judges each phase by itself and
// never stops anything. Thresholds are ours: wide enough that ordinary noise says nothing.

import { type TuningStep, type TuningWarning, type WarningKind, warningKinds } from '../contract/tuning.ts'
import { median } from './statistics.ts'

/**
 * Steps whose median stands for where the loss began, and for where it is: few, for a rate so high that the harm is done after some
 * steps, and many, for a slow rise that noise would hide.
 */
const lossWindows = [
  { first: 3, latest: 10 },
  { first: 20, latest: 20 },
]
/** The loss must have risen by this factor, by this much in nats, and by this many standard errors of the logarithm of the ratio. */
const risenBy = { factor: 1.1, nats: 0.05, errors: 5 }
/** A gradient explodes when this many norms in a row are this many times the median of those before, and above the clip. */
const explosion = { steps: 3, factor: 10, earlier: 10, clipNorm: 1 }
/** Losses whose differences from one step to the next tell how far batches scatter, whatever the trend. */
const spreadWindow = 200
/** Norms that are looked back on for their median. */
const normWindow = 200
/** Below this for so many steps nothing is being learned. */
const silence = { norm: 1e-6, steps: 5 }
/** Nats a token at the beginning: the student gives 95 % to each right token already. */
const known = { loss: 0.05, steps: 5 }

/** The first warning of each kind in the steps of one run, in the order in which they came up. */
export function findWarnings(steps: readonly TuningStep[]): TuningWarning[] {
  const found: TuningWarning[] = []
  let phaseSteps: TuningStep[] = []
  for (const step of steps) {
    if (phaseSteps.at(-1)?.phase !== step.phase) phaseSteps = []
    phaseSteps.push(step)
    const open = warningKinds.filter((kind) => !found.some((warning) => warning.kind === kind))
    found.push(...warningsAt(phaseSteps, open))
  }
  return found
}

/** What of the given kinds the last of one phase's steps brings up. */
export function warningsAt(
  phaseSteps: readonly TuningStep[],
  kinds: readonly WarningKind[] = warningKinds,
): TuningWarning[] {
  const last = phaseSteps.at(-1)
  if (!last) return []
  return kinds.flatMap((kind) => {
    const figures = judges[kind](phaseSteps)
    return figures ? [{ kind, phase: last.phase, step: last.step, ...figures }] : []
  })
}

/** The warning in plain words, with what to do. */
export function warningWords({ kind, phase, step, before, now }: TuningWarning): { message: string; remedy: string } {
  const place = `${phase}, step ${step}`
  const was = before.toPrecision(3)
  const is = now.toPrecision(3)
  switch (kind) {
    case 'loss-rising':
      return {
        message: `${place}: the loss has risen from ${was} to ${is}.`,
        remedy: 'Start anew with a third of the learning rate, or with more warm-up steps.',
      }
    case 'gradient-exploding':
      return {
        message: `${place}: the gradients are far larger than before, ${is} instead of ${was}.`,
        remedy: 'Lower the learning rate; look for broken or very long rows in the dataset.',
      }
    case 'nothing-learned':
      return {
        message: `${place}: the gradients are zero, so nothing is learned.`,
        remedy: 'Freeze fewer layers; check that the rows have answers.',
      }
    case 'already-known':
      return {
        message: `${place}: the loss is near 0 from the start (${is}); the student knows these rows already.`,
        remedy: 'Leave this phase out, or teach something new.',
      }
  }
}

type Figures = Pick<TuningWarning, 'before' | 'now'>
type Judge = (phaseSteps: readonly TuningStep[]) => Figures | null

const judges: Record<WarningKind, Judge> = {
  'loss-rising': (steps) => {
    const losses = steps.slice(-spreadWindow).map(({ loss }) => loss)
    for (const { first, latest } of lossWindows) {
      if (steps.length < first + latest) continue
      const before = median(steps.slice(0, first).map(({ loss }) => loss))
      const now = median(losses.slice(-latest))
      if (now <= risenBy.factor * before || now <= before + risenBy.nats) continue
      // The error of a median of n normal numbers is 1.2533 sigma / sqrt(n).
      const error = 1.2533 * spreadOf(losses.map(logarithm)) * Math.sqrt(1 / first + 1 / latest)
      if (logarithm(now) > logarithm(before) + risenBy.errors * error) return { before, now }
    }
    return null
  },
  'gradient-exploding': (steps) => {
    const { steps: count, factor, earlier, clipNorm } = explosion
    const now = Math.min(...steps.slice(-count).map(({ gradNorm }) => gradNorm))
    if (steps.length < count + earlier || now <= clipNorm) return null
    const norms = steps.slice(-count - normWindow, -count).map(({ gradNorm }) => gradNorm)
    // Spares sorting them, step after step, while all is well.
    if (now <= factor * Math.min(...norms)) return null
    const before = median(norms)
    return now > factor * before ? { before, now } : null
  },
  'nothing-learned': (steps) => {
    const latest = steps.slice(-silence.steps)
    // Nothing left to learn is another matter.
    const isSilent = latest.every(({ gradNorm, loss }) => gradNorm < silence.norm && loss > known.loss)
    if (latest.length < silence.steps || !isSilent) return null
    return { before: steps[0]?.gradNorm ?? 0, now: latest.at(-1)?.gradNorm ?? 0 }
  },
  'already-known': (steps) => {
    if (steps.length !== known.steps) return null
    const now = median(steps.map(({ loss }) => loss))
    return now < known.loss ? { before: now, now } : null
  },
}

/** Deviation of numbers about their trend, by the median of their differences in a row (0.6745 sqrt 2 deviations of normal noise). */
function spreadOf(numbers: readonly number[]): number {
  const differences = numbers.slice(1).map((number, at) => Math.abs(number - (numbers[at] ?? number)))
  return median(differences) / (0.6745 * Math.SQRT2)
}

const logarithm = (loss: number) => Math.log(Math.max(loss, 1e-6))
