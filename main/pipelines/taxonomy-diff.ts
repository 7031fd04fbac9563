// What changed in a taxonomy by content hash: leaves of the project against the runs made from them, or a folder of files against a
// revision of its repository.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { TaxonomyDiff } from '../contract/authoring.ts'
import { AppError } from '../contract/errors.ts'
import type { GenerationId, LeafPath } from '../contract/ids.ts'
import type { LeafChange } from '../contract/taxonomy.ts'
import { hashLeaf } from '../domain/leaf-content.ts'
import { branchOf, leafPathOf } from '../domain/leaf-path.ts'
import { readQna } from '../domain/qna.ts'
import { maxQnaCharacters } from '../domain/qna-tree.ts'
import { findGeneration } from '../store/generation.ts'
import { hashLeaves, lastRunContents, runContents } from '../store/leaf-contents.ts'
import type { Database } from '../store/open.ts'
import { walkFolder } from './folder-walk.ts'
import { noGeneration } from './generate-plan.ts'
import { blobName, findCommit, listCommit, readBlobs } from './git.ts'
import type { Lab } from './lab.ts'

export interface DiffWish {
  since?: GenerationId | undefined
  git?: string | undefined
  folder?: string | undefined
}

/** Throws `not-found`, `bad-input`. */
export async function diffTaxonomy(lab: Lab, { since, git, folder }: DiffWish): Promise<TaxonomyDiff> {
  if ((git === undefined) !== (folder === undefined) || (git !== undefined && since !== undefined)) {
    throw new AppError({
      code: 'bad-input',
      message: 'A comparison is with one run, or of a folder with a revision of its repository.',
      remedy: 'Give a run alone, or a revision together with a folder.',
    })
  }
  if (git !== undefined && folder !== undefined) return diffFolder(folder, git)
  const { db } = lab.project()
  const now = hashLeaves(db)
  if (since === undefined) return { base: { kind: 'last-runs' }, ...compare(lastRunContents(db), now) }
  if (!findGeneration(db, since)) throw noGeneration(since)
  return { base: { kind: 'run', generationId: since }, ...compare(runContents(db, since), now) }
}

/** How each leaf stands against the run it was last in. */
export function leafChanges(db: Database): (path: LeafPath) => LeafChange {
  const before = lastRunContents(db)
  const now = hashLeaves(db)
  return (path) => (before.has(path) ? (before.get(path) === now.get(path) ? 'same' : 'changed') : 'new')
}

type Contents = ReadonlyMap<LeafPath, string>

function compare(before: Contents, now: Contents): Omit<TaxonomyDiff, 'base'> {
  const paths = [...now.keys()].sort()
  const changed = paths.filter((path) => before.has(path) && before.get(path) !== now.get(path))
  const added = paths.filter((path) => !before.has(path))
  const removed = [...before.keys()].filter((path) => !now.has(path)).sort()
  return { added, changed, removed, sameCount: paths.length - added.length - changed.length }
}

/** Files that make a leaf's content. */
const leafFiles = ['qna.yaml', 'labdesk.yaml']
/** Larger files are compared by their bytes alone. */
const maxBytes = 4 * maxQnaCharacters

async function diffFolder(folder: string, revision: string): Promise<TaxonomyDiff> {
  const { root, files } = await walkFolder(folder)
  const commit = await findCommit(root, revision)
  if (commit === null) {
    throw new AppError({
      code: 'not-found',
      message: `"${folder}" is in no git repository of yours that knows "${revision}".`,
      remedy: 'Choose a folder of a clone and one of its commits, branches or tags.',
    })
  }
  const place = root.split(/[/\\]/)
  const isLeafFile = (segments: readonly string[]) => leafFiles.includes(segments.at(-1) ?? '')
  const tree = (await listCommit(root, commit)).filter(
    ({ path, kind }) => kind === 'file' && isLeafFile(path.split('/')),
  )
  const then = new Map(tree.map((file) => [file.path, file]))
  const before = new Leaves(place)
  const now = new Leaves(place)
  const changed = new Set<string>()
  for (const { path, segments, sizeBytes } of files.filter((file) => isLeafFile(file.segments))) {
    const name = segments.join('/')
    const old = then.get(name)
    const bytes = sizeBytes <= maxBytes ? await readFile(path) : Buffer.from(String(sizeBytes))
    const isSame = old !== undefined && blobName(bytes, old.blob) === old.blob
    now.add(segments, isSame ? old.blob : bytes)
    if (isSame) before.add(segments, old.blob)
    else if (old) changed.add(old.blob)
  }
  const wanted = tree.filter(({ blob, sizeBytes }) => changed.has(blob) && sizeBytes <= maxBytes)
  const contents = await readBlobs(root, [...new Set(wanted.map(({ blob }) => blob))])
  for (const { path, blob } of tree) if (!before.has(path)) before.add(path.split('/'), contents.get(blob) ?? blob)
  return { base: { kind: 'git', commit }, ...compare(before.hashes(), now.hashes()) }
}

/** Leaves of one side, each with the hashes of its files: of what they say, or of their bytes where they say nothing. */
class Leaves {
  readonly #place: readonly string[]
  readonly #files = new Map<string, { leaf: LeafPath; name: string; hash: string }>()

  constructor(place: readonly string[]) {
    this.#place = place
  }

  has(path: string): boolean {
    return this.#files.has(path)
  }

  add(segments: readonly string[], content: Uint8Array | string): void {
    const leaf = leafPathOf(this.#place, segments.slice(0, -1))
    const name = segments.at(-1) ?? ''
    if (leaf) this.#files.set(segments.join('/'), { leaf, name, hash: hashFile(leaf, name, content) })
  }

  hashes(): Contents {
    const leaves = new Map<LeafPath, string>()
    for (const { leaf, name, hash } of [...this.#files.values()].sort((a, b) => (a.name < b.name ? 1 : -1)))
      if (name === 'qna.yaml') leaves.set(leaf, hash)
      else if (leaves.has(leaf)) leaves.set(leaf, `${leaves.get(leaf)} ${hash}`)
    return leaves
  }
}

function hashFile(leaf: LeafPath, name: string, content: Uint8Array | string): string {
  if (typeof content === 'string') return content
  const branch = branchOf(leaf)
  const said = name === 'qna.yaml' && branch ? readQna(Buffer.from(content).toString('utf8'), branch).content : null
  if (!said) return createHash('sha256').update(content).digest('hex')
  const words = hashLeaf({ ...said, persona: 'precise', language: '' }, () => createHash('sha256'))
  return `${words} ${JSON.stringify(said.documentSource)}`
}
