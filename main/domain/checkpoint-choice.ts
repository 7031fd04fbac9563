// Which checkpoint of a phase starts the next: the best by the phase's choosing exam, else by validation loss, else the last.
// Among near-equal ones the earlier wins (LAB section 3.3: it has drifted less from what the model knew).

import { wilsonInterval } from './statistics.ts'

export interface ChoosableCheckpoint {
  step: number
  /** Exam score, 0-1, and the number of questions behind it. */
  score: number | null
  questionCount: number
  validationLoss: number | null
}

/** Losses within this share of the lowest are near-equal. */
const nearLossShare = 0.005
/** Scores within this share of the best score's 95 % half-width are near-equal: well inside what chance alone moves. */
const nearScoreShare = 0.2

/** The chosen one of `checkpoints`; undefined when there are none. Checkpoints without the deciding figure are passed over. */
export function chooseCheckpoint<T extends ChoosableCheckpoint>(checkpoints: readonly T[]): T | undefined {
  const byStep = [...checkpoints].sort((a, b) => a.step - b.step)
  const scored = byStep.filter((checkpoint) => checkpoint.score !== null)
  if (scored.length > 0) return earliestAtLeast(scored)
  const measured = byStep.filter((checkpoint) => checkpoint.validationLoss !== null)
  if (measured.length > 0) return earliestAtMost(measured)
  return byStep.at(-1)
}

function earliestAtLeast<T extends ChoosableCheckpoint>(scored: T[]): T | undefined {
  const best = scored.reduce((top, next) => ((next.score ?? 0) > (top.score ?? 0) ? next : top))
  const bestScore = best.score ?? 0
  const { low, high } = wilsonInterval(Math.round(bestScore * best.questionCount), best.questionCount)
  const floor = bestScore - (nearScoreShare * (high - low)) / 2
  const equals = scored.filter((checkpoint) => (checkpoint.score ?? 0) >= floor)
  // A saturated exam cannot tell its checkpoints apart; where all carry a validation loss, it decides among the near-equal.
  return equals.every((checkpoint) => checkpoint.validationLoss !== null) ? earliestAtMost(equals) : equals[0]
}

function earliestAtMost<T extends ChoosableCheckpoint>(measured: T[]): T | undefined {
  const lowest = Math.min(...measured.map((checkpoint) => checkpoint.validationLoss ?? Infinity))
  return measured.find((checkpoint) => (checkpoint.validationLoss ?? Infinity) <= lowest * (1 + nearLossShare))
}
