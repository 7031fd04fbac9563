// How many slots of a leaf are worth starting now, when it is done, and what to say when its quota was not met. Pure arithmetic.

import type { StageName } from '../contract/generation.ts'

export interface LeafTally {
  quota: number
  maxAttempts: number
  /** Taken in slot order: attempts and, of them, accepted ones. */
  taken: number
  accepted: number
  /** Started but not taken yet. */
  pending: number
}

/** A leaf ends when its quota is met or its attempts are used up. */
export function isLeafDone({ quota, maxAttempts, taken, accepted }: LeafTally): boolean {
  return accepted >= quota || taken >= maxAttempts
}

/**
 * Slots to start beyond those pending: as many as the quota still needs at the acceptance rate seen so far (two in three before
 * anything is known), within the attempts allowed. What is pending when the quota is met is thrown away, so not more.
 */
export function slotsWanted({ quota, maxAttempts, taken, accepted, pending }: LeafTally): number {
  if (accepted >= quota) return 0
  const rate = Math.max(0.05, (accepted + 2) / (taken + 3))
  const needed = Math.ceil((quota - accepted) / rate)
  return Math.max(0, Math.min(needed - pending, maxAttempts - taken - pending))
}

const advice: Partial<Record<StageName, string>> = {
  form: 'the answers did not have the form asked for; another teacher may do better',
  'exact-duplicate': 'the teacher repeats itself; add seeds or documents',
  'near-duplicate': 'the samples resemble each other; add seeds or documents, or raise the near-duplicate threshold',
  decontamination: 'they repeat held-out exams; add seeds or documents on other matters',
  'knowledge-faithful': 'the judge finds them not supported by the text; another teacher may do better',
  'knowledge-relevant': 'the judge finds them beside the point; look at the domain and the document outline',
  'knowledge-self-contained': 'the questions cannot be understood without the text; show it in the seeds',
  'skill-question-judge': 'the questions do not fit the task; make the task description and the seeds clearer',
  'skill-pair-judge': 'the answers are graded too low; add seeds, lower the threshold, or use another teacher',
}

/** Why a quota was not met, in plain words. `drops` most frequent first. */
export function explainShortfall(tally: LeafTally, drops: readonly { stage: StageName; count: number }[]): string {
  const { quota, accepted, taken } = tally
  const worst = drops[0]
  const start = `Made ${accepted} of ${quota}: all ${taken} attempts are used up.`
  if (!worst) return start
  const why = advice[worst.stage]
  return `${start} Most were dropped by ${worst.stage} (${worst.count})${why ? `: ${why}` : ''}.`
}
