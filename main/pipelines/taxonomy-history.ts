// The history of a leaf and its way back: revisions as texts, restoring one, bringing back a removed leaf, moving leaves and folders.

import type { LeafRevision, LeafRevisionText } from '../contract/authoring.ts'
import { AppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import { branchOf, checkLeafPath } from '../domain/leaf-path.ts'
import { checkContent, readQna, writeQna } from '../domain/qna.ts'
import { writeSidecar } from '../domain/sidecar.ts'
import { type LeafMove, listBusyLeaves, moveLeaves } from '../store/leaf-moves.ts'
import {
  findRevision,
  keepFound,
  keepRevision,
  type KeptLeaf,
  listRevisions,
  saveRevised,
} from '../store/leaf-revisions.ts'
import { bringBackLeaf, findLeaf, listLeafPaths, removeLeaf } from '../store/taxonomy.ts'
import type { Lab } from './lab.ts'

/** Revisions of a leaf, newest first; one that has none yet gets the state it is in. */
export function revisionsOf(lab: Lab, leaf: LeafPath): LeafRevision[] {
  const { db } = lab.project()
  if (findLeaf(db, leaf)) keepFound(db, leaf, lab.now())
  return listRevisions(db, leaf)
}

/** A revision with its text. Throws `not-found`. */
export function revisionText(lab: Lab, leaf: LeafPath, number: number): LeafRevisionText {
  const { revision, content } = requireRevision(lab, leaf, number)
  return { ...revision, text: textOf(content), file: content.sourceText }
}

/** All that a leaf says, written the same way whatever its file looks like, so that only words differ. */
function textOf(leaf: KeptLeaf): string {
  const qna = writeQna(leaf)
  const attribution = leaf.attribution === '' ? '' : `\n${leaf.attribution}`
  return `${qna}\n${writeSidecar(leaf)}${attribution}`
}

function requireRevision(lab: Lab, leaf: LeafPath, number: number) {
  const found = findRevision(lab.project().db, leaf, number)
  if (found) return found
  throw new AppError({
    code: 'not-found',
    message: `The leaf "${leaf}" has no revision ${number}.`,
    remedy: 'List its revisions and choose one of them.',
  })
}

/** Takes a leaf out of the taxonomy and remembers that. False when there is none. */
export function removeKept(lab: Lab, leaf: LeafPath): boolean {
  const { db } = lab.project()
  return db.transaction(() => {
    keepFound(db, leaf, lab.now())
    keepRevision(db, leaf, { act: 'removed', nowMs: lab.now() })
    return removeLeaf(db, leaf, lab.now())
  })()
}

/** Brings a removed leaf back, or puts a leaf into an earlier state. Throws `not-found`. */
export function restoreLeaf(lab: Lab, leaf: LeafPath, number: number | undefined): void {
  const { db } = lab.project()
  const act = { act: 'restored', nowMs: lab.now() } as const
  if (number !== undefined) {
    const { content } = requireRevision(lab, leaf, number)
    const branch = branchOf(leaf) ?? content.branch
    const problems = content.sourceText === null ? checkContent(content) : readQna(content.sourceText, branch).problems
    saveRevised(db, { ...content, path: leaf, branch, problems }, act)
    return
  }
  db.transaction(() => {
    if (!bringBackLeaf(db, leaf)) {
      throw new AppError({
        code: 'not-found',
        message: `No leaf "${leaf}" was removed.`,
        remedy: 'Check the path; a leaf that moved is found under its new one.',
      })
    }
    keepRevision(db, leaf, act)
  })()
}

export interface MoveWish {
  from: LeafPath
  to: LeafPath
  isFolder: boolean
}

/** Moves a leaf, or all leaves of a folder; all or none. Throws `not-found`, `bad-input`, `conflict`. */
export function moveInTree(lab: Lab, wish: MoveWish): { from: LeafPath; to: LeafPath }[] {
  const { db } = lab.project()
  const all = listLeafPaths(db)
  const moves = planMoves(all, wish)
  const busy = new Set(listBusyLeaves(db))
  const held = moves.find(({ from }) => busy.has(from))
  if (held) {
    throw new AppError({
      code: 'conflict',
      message: `A generation is at work on "${held.from}".`,
      remedy: 'Wait until it is done, or pause it, then move the leaf.',
    })
  }
  moveLeaves(db, moves, lab.now())
  lab.emit({ kind: 'changed', what: 'taxonomy' })
  lab.emit({ kind: 'changed', what: 'samples' })
  lab.emit({ kind: 'changed', what: 'generation' })
  return moves.map(({ from, to }) => ({ from, to }))
}

function planMoves(all: readonly LeafPath[], { from, to, isFolder }: MoveWish): LeafMove[] {
  const below = `${from}/`
  const moving = all.filter((path) => (isFolder ? path.startsWith(below) : path === from))
  if (moving.length === 0) {
    const what = isFolder ? 'folder' : 'leaf'
    throw refusal('not-found', `There is no ${what} "${from}".`, 'Choose one of the tree.')
  }
  if (isFolder && `${to}/`.startsWith(below))
    throw refusal('bad-input', `"${from}" cannot move into itself.`, 'Choose a folder outside of it.')
  const taken = new Set<string>(all)
  return moving.map((path) => {
    const target = (isFolder ? to + path.slice(from.length) : to) as LeafPath
    const [bad] = checkLeafPath(target).filter(({ severity }) => severity === 'error')
    if (bad) throw refusal('bad-input', bad.message, bad.remedy)
    if (taken.has(target))
      throw refusal('conflict', `There is a leaf "${target}" already.`, 'Choose another name or place.')
    const branch = branchOf(target) ?? 'compositional_skills'
    if ((branch === 'knowledge') !== (branchOf(path) === 'knowledge')) {
      const remedy = 'Make a new leaf there: knowledge needs documents and contexts, skills a task.'
      throw refusal('bad-input', 'Knowledge cannot become a skill, nor a skill knowledge.', remedy)
    }
    return { from: path, to: target, branch }
  })
}

function refusal(code: 'not-found' | 'bad-input' | 'conflict', message: string, remedy: string): AppError {
  return new AppError({ code, message, remedy })
}
