// The draft of the leaf that is open: what is written, what was saved, undo and redo, kept on every pause.

import { useDebouncedValue } from '@mantine/hooks'
import { type KeyboardEvent, useEffect, useState } from 'react'
import type { LeafDraft } from '../../main/contract/authoring.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import { branches, type LeafDetail, type SeedDraft } from '../../main/contract/taxonomy.ts'
import { beginHistory, changeDraft, redoDraft, undoDraft } from './draft-history.ts'
import { dropDraft, keepDraft, keptDraft } from './drafts.ts'

const pauseMs = 500

export interface LeafEdit {
  draft: LeafDraft
  isDirty: boolean
  canUndo: boolean
  canRedo: boolean
  change(fields: Partial<LeafDraft>): void
  undo(): void
  redo(): void
  /** Back to what was saved; can be undone. */
  discard(): void
  /** Drops the kept draft after it was saved. */
  forget(): void
  /** Ctrl/Cmd+Z, with Shift or Y to redo. */
  onKeyDown(event: KeyboardEvent): void
}

/** The draft of a leaf, or of a new one in `folder`. */
export function useLeafDraft(leaf: LeafDetail | null, folder = ''): LeafEdit {
  const name = leaf?.path ?? 'new'
  const saved = leaf ? savedDraft(leaf) : newDraft(folder)
  const [history, setHistory] = useState(() => beginHistory(keptDraft(name) ?? saved))
  const draft = history.present
  const savedKey = keyOf(saved)
  const [seen, setSeen] = useState(savedKey)
  // A leaf that was changed elsewhere (repaired, restored) is followed, unless there is typing to keep.
  if (seen !== savedKey) {
    setSeen(savedKey)
    if (keyOf(draft) === seen) setHistory(changeDraft(history, saved, 0))
  }
  const [settled] = useDebouncedValue(draft, pauseMs)
  const isSettledDirty = keyOf(settled) !== savedKey
  useEffect(() => {
    if (isSettledDirty) keepDraft(name, settled)
    else dropDraft(name)
  }, [name, settled, isSettledDirty])
  const undo = () => setHistory(undoDraft)
  const redo = () => setHistory(redoDraft)
  const change = (fields: Partial<LeafDraft>) => setHistory((before) => changeDraft(before, fields, Date.now()))
  return {
    draft,
    isDirty: keyOf(draft) !== savedKey,
    canUndo: history.past.length > 0,
    canRedo: history.future.length > 0,
    change,
    undo,
    redo,
    discard: () => change(saved),
    forget: () => dropDraft(name),
    onKeyDown: (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return
      const key = event.key.toLowerCase()
      const isRedo = key === 'y' || (key === 'z' && event.shiftKey)
      if (key !== 'z' && !isRedo) return
      event.preventDefault()
      if (isRedo) redo()
      else undo()
    },
  }
}

/** Fields in one order, so that equal drafts are equal texts. */
function keyOf(draft: LeafDraft): string {
  const { path, branch, taskDescription, domain, documentOutline, createdBy, persona, language, answerFormat } = draft
  const seeds = draft.seeds.map(({ context, question, answer, turns = [] }) => [
    context ?? null,
    question,
    answer,
    turns.map((turn) => [turn.question, turn.answer]),
  ])
  const traits = [persona, language, answerFormat ?? 'text', draft.attribution ?? '']
  return JSON.stringify([path, branch, taskDescription, domain, documentOutline, createdBy, traits, seeds])
}

function newDraft(folder: string): LeafDraft {
  const branch = branches.find((name) => folder === name || folder.startsWith(`${name}/`)) ?? 'compositional_skills'
  return {
    path: `${folder.startsWith(branch) ? folder : branch}/` as LeafPath,
    branch,
    taskDescription: '',
    domain: '',
    documentOutline: '',
    createdBy: 'labdesk',
    persona: 'precise',
    language: 'en',
    answerFormat: 'text',
    attribution: '',
    seeds: [branch === 'knowledge' ? { context: '', question: '', answer: '' } : { question: '', answer: '' }],
  }
}

/** A saved leaf as a draft of itself. */
function savedDraft(leaf: LeafDetail): LeafDraft {
  const { path, branch, taskDescription, domain, documentOutline, createdBy, persona, language, attribution } = leaf
  const answerFormat = leaf.answerFormat ?? 'text'
  const traits = { persona, language, answerFormat, attribution }
  const seeds = leaf.seeds.map(({ id: _id, ...seed }): SeedDraft => seed)
  return { path, branch, taskDescription, domain, documentOutline, createdBy, ...traits, seeds }
}
