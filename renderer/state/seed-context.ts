// Puts a passage of a document into the draft of its leaf, as the context of a new seed. The draft is the editor's own: nothing is
// saved before the user wrote the question and the answer.

import { type LeafDraft, leafDraft } from '../../main/contract/authoring.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { EngineClient } from '../engine.ts'
import { keepDraft, keptDraft } from './drafts.ts'

/** Words of a seed to begin with; what is left empty is the user's to write. */
export interface SeedStart {
  context: string
  question?: string
  answer?: string
}

/** Adds a seed to the draft of a leaf. */
export async function draftSeed(
  engine: EngineClient,
  leaf: LeafPath,
  { context, question = '', answer = '' }: SeedStart,
): Promise<void> {
  const draft = keptDraft(leaf) ?? savedDraft(await engine.call('taxonomy.leaf', { leaf }))
  const seed = { context: context.trim(), question, answer }
  // The one blank seed a new leaf begins with is taken, not followed.
  const kept = draft.seeds.filter((one) => one.question !== '' || one.answer !== '' || Boolean(one.context))
  keepDraft(leaf, { ...draft, seeds: [...kept, seed] })
}

/** Puts an outline into the draft of a leaf, in place of the one there. */
export async function draftOutline(engine: EngineClient, leaf: LeafPath, outline: string): Promise<void> {
  const draft = keptDraft(leaf) ?? savedDraft(await engine.call('taxonomy.leaf', { leaf }))
  keepDraft(leaf, { ...draft, documentOutline: outline })
}

/** Whatever a draft may hold of a leaf. */
function savedDraft(leaf: object): LeafDraft {
  return leafDraft.parse(leaf)
}
