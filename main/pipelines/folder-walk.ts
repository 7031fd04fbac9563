// Finds files below a folder a user chose. Stays inside: a link that leads out is reported and never followed; bounded in depth and
// number, and the order is the same on every machine.

import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { AppError, toAppError } from '../contract/errors.ts'

const maxDepth = 24
/** Ten thousand leaves with all that may lie beside them. */
const usualMaxFiles = 100_000
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

/** Folders looked into side by side: a disk answers several questions in the time of one. */
const sideBySide = 32

/** Every file below `folder`, in the order of their names. Hidden folders are passed over. Throws `not-found` when it is no folder. */
export async function walkFolder(folder: string, maxFiles = usualMaxFiles): Promise<FolderContents> {
  const contents: FolderContents = { root: await resolveFolder(folder), files: [], refused: [] }
  let level: Segments[] = [[]]
  while (level.length > 0) level = await visitLevel(contents, level, maxFiles)
  contents.refused.sort((a, b) => (a.path < b.path ? -1 : 1))
  contents.files.sort((a, b) => compareSegments(a.segments, b.segments))
  return contents
}

type Segments = readonly string[]

/** Looks into folders of one depth, and answers with those in them. */
async function visitLevel(contents: FolderContents, level: readonly Segments[], maxFiles: number): Promise<Segments[]> {
  const below: Segments[] = []
  for (let from = 0; from < level.length; from += sideBySide) {
    const group = level.slice(from, from + sideBySide)
    const visits = await Promise.all(group.map((segments) => visit({ root: contents.root, maxFiles }, segments)))
    for (const [at, found] of visits.entries()) {
      contents.refused.push(...found.refused)
      below.push(...found.folders)
      const room = maxFiles - contents.files.length
      contents.files.push(...found.files.slice(0, room))
      if (found.files.length <= room) continue
      const path = join(contents.root, ...(group[at] ?? []))
      const message = `Only the first ${maxFiles} files were looked at.`
      contents.refused.push({ path, message, remedy: 'Choose a smaller folder.' })
      return []
    }
  }
  return below
}

function compareSegments(a: Segments, b: Segments): number {
  const at = a.findIndex((name, index) => name !== b[index])
  if (at < 0) return a.length - b.length
  return (a[at] ?? '') < (b[at] ?? '') ? -1 : 1
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

interface Found {
  files: FoundFile[]
  folders: Segments[]
  refused: RefusedPath[]
}

async function visit({ root, maxFiles }: { root: string; maxFiles: number }, segments: Segments): Promise<Found> {
  const found: Found = { files: [], folders: [], refused: [] }
  const folder = join(root, ...segments)
  if (segments.length > maxDepth) {
    const message = `The folder lies more than ${maxDepth} folders deep.`
    found.refused.push({ path: folder, message, remedy: 'Choose a folder nearer to it.' })
    return found
  }
  const refuse = (path: string, thrown: unknown) => {
    const { message, remedy } = toAppError(thrown)
    found.refused.push({ path, message, remedy })
  }
  const entries = await readdir(folder, { withFileTypes: true }).catch((thrown: unknown) => {
    if (segments.length === 0) throw thrown
    refuse(folder, thrown)
    return []
  })
  const visits = entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, maxFiles + 1)
    .map((entry) =>
      visitEntry(found, root, { entry, segments: [...segments, entry.name] }).catch((thrown: unknown) =>
        refuse(join(folder, entry.name), thrown),
      ),
    )
  await Promise.all(visits)
  return found
}

async function visitEntry(
  found: Found,
  root: string,
  { entry, segments }: { entry: Dirent; segments: string[] },
): Promise<void> {
  const path = join(root, ...segments)
  if (entry.isDirectory()) {
    if (!entry.name.startsWith('.') && !skipped.has(entry.name)) found.folders.push(segments)
  } else if (entry.isFile()) found.files.push({ path, segments, sizeBytes: (await stat(path)).size })
  else if (entry.isSymbolicLink()) await visitLink(found, root, { path, segments })
}

/** A link to a file inside counts as that file; one to a folder would be seen twice or forever, one out of the folder is refused. */
async function visitLink(
  found: Found,
  root: string,
  { path, segments }: { path: string; segments: string[] },
): Promise<void> {
  const target = await realpath(path)
  if (!isInside(root, target)) {
    const message = 'This is a link to a place outside the chosen folder.'
    found.refused.push({ path, message, remedy: 'Put the file itself here instead of a link.' })
    return
  }
  const file = await stat(target)
  if (file.isFile()) found.files.push({ path: target, segments, sizeBytes: file.size })
}

/** Whether a path, links resolved, lies in a folder. */
export function isInside(root: string, path: string): boolean {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(root, way) === path
}
