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
  'semantic-duplicate': 'the samples say the same in other words; add seeds or documents',
  decontamination: 'they repeat held-out exams; add seeds or documents on other matters',
  'knowledge-faithful': 'the judge finds them not supported by the text; another teacher may do better',
  'knowledge-relevant': 'the judge finds them beside the point; look at the domain and the document outline',
  'knowledge-self-contained': 'the questions cannot be understood without the text; show it in the seeds',
  'skill-question-judge': 'the questions do not fit the task; make the task description and the seeds clearer',
  'skill-pair-judge': 'the answers are graded too low; add seeds, lower the threshold, or use another teacher',
  'choice-verify': 'a second reading chose other letters; another teacher or judge may do better',
  'knowledge-entities': 'the texts name too few entities; use pairs instead, or longer chunks',
  'mined-question': 'the student does not finish its questions; allow more tokens, or use another student',
  'mined-answer': 'the student does not finish its answers; allow more tokens, or use another student',
  'student-knows': 'the student answers them already; the leaf may need no teaching',
  'answer-format': 'the answers do not have the form asked for; show it in the seeds, or ask for free text',
  language: 'they are in another language than the leaf; write seeds in its language, or use another teacher',
}

/** What became of one attempt, as far as the explanation needs it. */
export interface AttemptFate {
  droppedBy: StageName | null
  score: number | null
  seedIds: readonly string[]
}

/** Why a quota was not met, in plain words: the stage, the threshold and the seed that starve it. */
export function explainShortfall(
  tally: LeafTally,
  fates: readonly AttemptFate[],
  { minPairGrade, overtime }: { minPairGrade: number; overtime: string | null },
): string {
  const { quota, accepted, taken } = tally
  const start = `Made ${accepted} of ${quota}: ${overtime ?? `all ${taken} attempts are used up`}.`
  const worst = mostFrequent(fates)
  if (!worst) return start
  const why = advice[worst.stage]
  const parts = [`Most were dropped by ${worst.stage} (${worst.count})${why ? `: ${why}` : ''}.`]
  const almost = fates.filter((fate) => fate.droppedBy === 'skill-pair-judge' && fate.score === minPairGrade - 1).length
  if (almost > 0) parts.push(`With a grade of ${minPairGrade - 1} for a pair, ${almost} more would have passed.`)
  const barren = barrenSeeds(fates)
  if (barren.length > 0)
    parts.push(
      `${barren.length === 1 ? 'A seed' : `${barren.length} seeds`} led to nothing in all ${barren[0]?.tries} or more tries: ${barren.map(({ id }) => id).join(', ')}.`,
    )
  return [start, ...parts].join(' ')
}

function mostFrequent(fates: readonly AttemptFate[]): { stage: StageName; count: number } | null {
  const counts = new Map<StageName, number>()
  for (const { droppedBy } of fates) if (droppedBy) counts.set(droppedBy, (counts.get(droppedBy) ?? 0) + 1)
  const [most] = [...counts].sort((a, b) => b[1] - a[1])
  return most ? { stage: most[0], count: most[1] } : null
}

/** Tries after which a seed without a single accepted sample is named, where others led to some. */
const barrenTries = 6
const namedSeeds = 3

function barrenSeeds(fates: readonly AttemptFate[]): { id: string; tries: number }[] {
  if (fates.every(({ droppedBy }) => droppedBy !== null)) return []
  const tries = new Map<string, { tries: number; accepted: number }>()
  for (const { seedIds, droppedBy } of fates) {
    for (const id of seedIds) {
      const seen = tries.get(id) ?? { tries: 0, accepted: 0 }
      tries.set(id, { tries: seen.tries + 1, accepted: seen.accepted + (droppedBy === null ? 1 : 0) })
    }
  }
  return [...tries]
    .flatMap(([id, seen]) => (seen.accepted === 0 && seen.tries >= barrenTries ? [{ id, tries: seen.tries }] : []))
    .sort((a, b) => a.tries - b.tries)
    .slice(0, namedSeeds)
}
