// Unsaved edits of leaves, kept by the browser on every pause so that a closed window loses no typing. Never the truth: the engine
// holds what was saved.

import { type LeafDraft, leafDraft } from '../../main/contract/authoring.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import { branches } from '../../main/contract/taxonomy.ts'

const looseDraft = leafDraft.omit({ seeds: true })

const keyOf = (name: string) => `labdesk.draft.${name}`

/** The kept draft of a leaf (`new` for one that has no path yet), or null. Unreadable drafts are forgotten. */
export function keptDraft(name: string): LeafDraft | null {
  const text = localStorage.getItem(keyOf(name))
  if (text === null) return null
  const draft = parse(text)
  if (draft === null) localStorage.removeItem(keyOf(name))
  return draft
}

function parse(text: string): LeafDraft | null {
  try {
    const draft = JSON.parse(text) as LeafDraft
    const isWhole =
      looseDraft.safeParse({ ...draft, path: draft.path || 'unnamed' }).success && Array.isArray(draft.seeds)
    return isWhole ? draft : null
  } catch {
    // A half-written or foreign value is as good as none.
    return null
  }
}

/** Keeps a draft. */
export function keepDraft(name: string, draft: LeafDraft): void {
  localStorage.setItem(keyOf(name), JSON.stringify(draft))
}

/** Forgets a draft after it was saved or given up. */
export function dropDraft(name: string): void {
  localStorage.removeItem(keyOf(name))
}

/** Lets a draft follow its leaf to another path. */
export function moveDraft(from: LeafPath, to: LeafPath): void {
  const draft = keptDraft(from)
  if (draft === null) return
  const branch = branches.find((name) => to.startsWith(`${name}/`)) ?? draft.branch
  keepDraft(to, { ...draft, path: to, branch })
  dropDraft(from)
}
