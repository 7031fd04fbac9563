// How far a judge and a person agree about the same samples (Cohen 1960). Counts only; who judged what is collected elsewhere.

/** Samples by what the judge and the person said. */
export interface Confusion {
  passedAccepted: number
  passedRejected: number
  failedAccepted: number
  failedRejected: number
}

/** Share of samples on which both agree, in [0, 1]; null without samples. */
export function agreementOf(counts: Confusion): number | null {
  const total = totalOf(counts)
  return total === 0 ? null : (counts.passedAccepted + counts.failedRejected) / total
}

/** Cohen's kappa: agreement beyond chance, 1 at best, 0 as by chance; null where chance alone would agree always. */
export function kappaOf(counts: Confusion): number | null {
  const total = totalOf(counts)
  const observed = agreementOf(counts)
  if (observed === null) return null
  const passed = (counts.passedAccepted + counts.passedRejected) / total
  const accepted = (counts.passedAccepted + counts.failedAccepted) / total
  const byChance = passed * accepted + (1 - passed) * (1 - accepted)
  return byChance === 1 ? null : (observed - byChance) / (1 - byChance)
}

function totalOf({ passedAccepted, passedRejected, failedAccepted, failedRejected }: Confusion): number {
  return passedAccepted + passedRejected + failedAccepted + failedRejected
}
