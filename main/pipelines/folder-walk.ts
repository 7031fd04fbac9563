// Finds files below a folder a user chose. Stays inside: a link that leads out is reported and never followed; bounded in depth and
// number, and the order is the same on every machine.

import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'

const maxDepth = 24
/** Ten thousand leaves with all that may lie beside them. */
const maxFiles = 100_000
const skipped = new Set(['node_modules', '__pycache__'])

export interface FoundFile {
  path: string
  /** Names below the chosen folder, file name last. */
  segments: string[]
  sizeBytes: number
}
export interface RefusedPath {
  path: string
  message: string
  remedy: string
}
export interface FolderContents {
  /** The chosen folder, links resolved. */
  root: string
  files: FoundFile[]
  refused: RefusedPath[]
}

/** Every file below `folder`. Hidden folders are passed over. Throws `not-found` when it is no folder. */
export async function walkFolder(folder: string): Promise<FolderContents> {
  const contents: FolderContents = { root: await resolveFolder(folder), files: [], refused: [] }
  await visit(contents, contents.root, [])
  return contents
}

/** The folder a user named, links resolved. Throws `not-found` when it is none. */
export async function resolveFolder(folder: string): Promise<string> {
  try {
    const root = await realpath(resolve(folder))
    if ((await stat(root)).isDirectory()) return root
  } catch (thrown) {
    const error = toAppError(thrown)
    if (error.code !== 'not-found') throw error
  }
  throw new AppError({
    code: 'not-found',
    message: `There is no folder "${folder}".`,
    remedy: 'Check the path, or choose the folder again.',
  })
}

async function visit(contents: FolderContents, folder: string, segments: readonly string[]): Promise<void> {
  if (segments.length > maxDepth) {
    const message = `The folder lies more than ${maxDepth} folders deep.`
    contents.refused.push({ path: folder, message, remedy: 'Choose a folder nearer to it.' })
    return
  }
  const entries = await readdir(folder, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (contents.files.length >= maxFiles) {
      const message = `Only the first ${maxFiles} files were looked at.`
      contents.refused.push({ path: folder, message, remedy: 'Choose a smaller folder.' })
      return
    }
    await visitEntry(contents, entry, [...segments, entry.name])
  }
}

async function visitEntry(contents: FolderContents, entry: Dirent, segments: string[]): Promise<void> {
  const path = join(contents.root, ...segments)
  try {
    if (entry.isDirectory()) {
      if (!entry.name.startsWith('.') && !skipped.has(entry.name)) await visit(contents, path, segments)
    } else if (entry.isFile()) contents.files.push({ path, segments, sizeBytes: (await stat(path)).size })
    else if (entry.isSymbolicLink()) await visitLink(contents, path, segments)
  } catch (thrown) {
    const { message, remedy } = toAppError(thrown)
    contents.refused.push({ path, message, remedy })
  }
}

/** A link to a file inside counts as that file; one to a folder would be seen twice or forever, one out of the folder is refused. */
async function visitLink(contents: FolderContents, path: string, segments: string[]): Promise<void> {
  const target = await realpath(path)
  if (!isInside(contents.root, target)) {
    const message = 'This is a link to a place outside the chosen folder.'
    contents.refused.push({ path, message, remedy: 'Put the file itself here instead of a link.' })
    return
  }
  const found = await stat(target)
  if (found.isFile()) contents.files.push({ path: target, segments, sizeBytes: found.size })
}

/** Whether a path, links resolved, lies in a folder. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) === path
}
