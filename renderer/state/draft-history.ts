// Undo and redo of a leaf that is being edited. Changes of the same field within a pause are one step, so that undo takes back words and
// not letters. Bounded; knows no clock of its own.

import type { LeafDraft } from '../../main/contract/authoring.ts'

export interface DraftHistory {
  past: readonly LeafDraft[]
  present: LeafDraft
  future: readonly LeafDraft[]
  /** The change made last; null after undo, redo and at the beginning. */
  last: { field: string; atMs: number } | null
}

const pauseMs = 1000
const mostSteps = 200

export function beginHistory(present: LeafDraft): DraftHistory {
  return { past: [], present, future: [], last: null }
}

/** The draft with other fields; what was undone before is given up. */
export function changeDraft(history: DraftHistory, fields: Partial<LeafDraft>, atMs: number): DraftHistory {
  const field = Object.keys(fields).sort().join(' ')
  const isSameStep = history.last?.field === field && atMs - history.last.atMs < pauseMs
  const past = isSameStep ? history.past : [...history.past, history.present].slice(-mostSteps)
  return { past, present: { ...history.present, ...fields }, future: [], last: { field, atMs } }
}

/** The state before the last step; the same history when there is none. */
export function undoDraft({ past, present, future, ...rest }: DraftHistory): DraftHistory {
  const before = past.at(-1)
  if (!before) return { past, present, future, ...rest }
  return { past: past.slice(0, -1), present: before, future: [present, ...future], last: null }
}

/** The step that was undone last, made again. */
export function redoDraft({ past, present, future, ...rest }: DraftHistory): DraftHistory {
  const [next, ...later] = future
  if (!next) return { past, present, future, ...rest }
  return { past: [...past, present], present: next, future: later, last: null }
}
