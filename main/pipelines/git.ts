// Reads repositories that lie on this machine by the git executable: never through a shell, never over a network, bounded in time and
// size. Only plumbing that runs no hook, filter or other program of the repository's choosing.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors.ts'

const timeLimitMs = 30_000
const maxOutputBytes = 128 * 1024 * 1024
/** Blobs one call asks for: what is asked is written before the answers are read. */
const blobBatch = 500
const quiet = ['-c', 'protocol.allow=never', '-c', 'core.fsmonitor=false', '--no-optional-locks', '--no-pager']

/** A file of a commit. */
export interface TreeFile {
  /** From the folder that was listed, folders separated by slashes. */
  path: string
  kind: 'file' | 'link' | 'submodule'
  blob: string
  sizeBytes: number
}

/** Whether the folder itself is a work tree or a bare repository (not merely inside of one). */
export function isRepository(folder: string): boolean {
  return existsSync(join(folder, '.git')) || ['HEAD', 'objects', 'refs'].every((name) => existsSync(join(folder, name)))
}

/** The commit a name stands for; null where the folder is in no repository or does not have it. */
export async function findCommit(folder: string, name: string): Promise<string | null> {
  const found = await git(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`])
  return found === null ? null : found.toString('utf8').trim()
}

/** Files of a commit in the folder and below it. Throws `not-found`. */
export async function listCommit(folder: string, commit: string): Promise<TreeFile[]> {
  const listed = await git(folder, ['ls-tree', '-r', '-l', '-z', commit])
  if (listed === null) {
    throw new AppError({
      code: 'not-found',
      message: `The files of commit ${commit} cannot be listed in "${folder}".`,
      remedy: 'Fetch the whole repository, then try again.',
    })
  }
  const rows = listed.toString('utf8').split('\0').filter(Boolean)
  return rows.map((row) => {
    const tab = row.indexOf('\t')
    const [mode, , blob = '', size] = row.slice(0, tab).split(/ +/)
    const kind = mode === '120000' ? 'link' : mode === '160000' ? 'submodule' : 'file'
    return { path: row.slice(tab + 1), kind, blob, sizeBytes: Number(size) || 0 }
  })
}

/** Contents of blobs, by their names; those that are missing in a partial clone are left out. */
export async function readBlobs(folder: string, blobs: readonly string[]): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  for (let at = 0; at < blobs.length; at += blobBatch) {
    const wanted = blobs.slice(at, at + blobBatch)
    const answer = await git(folder, ['cat-file', '--batch'], wanted.map((blob) => `${blob}\n`).join(''))
    readBatch(answer ?? Buffer.alloc(0), contents)
  }
  return contents
}

/** `<name> blob <size>\n<content>\n`, or `<name> missing\n`. */
function readBatch(answer: Buffer, contents: Map<string, Buffer>): void {
  let at = 0
  while (at < answer.length) {
    const end = answer.indexOf('\n', at)
    if (end === -1) return
    const [name = '', kind, size] = answer.subarray(at, end).toString('utf8').split(' ')
    at = end + 1
    if (kind !== 'blob') continue
    contents.set(name, answer.subarray(at, at + Number(size)))
    at += Number(size) + 1
  }
}

/** What git would call this content, in the kind of hash the repository uses. */
export function blobName(content: Uint8Array, like: string): string {
  const hash = createHash(like.length === 64 ? 'sha256' : 'sha1')
  return hash.update(`blob ${content.length}\0`).update(content).digest('hex')
}

/** Output of a git command, or null where git says no. Throws `not-found` without git, `file-access` when it takes too long. */
function git(folder: string, args: readonly string[], input = ''): Promise<Buffer | null> {
  const { GIT_DIR: _dir, GIT_WORK_TREE: _tree, GIT_INDEX_FILE: _index, ...inherited } = process.env
  const env = { ...inherited, GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' }
  const limits = { timeout: timeLimitMs, killSignal: 'SIGKILL', maxBuffer: maxOutputBytes, windowsHide: true } as const
  return new Promise((resolve, reject) => {
    const options = { ...limits, env, encoding: 'buffer' } as const
    const child = execFile('git', ['-C', folder, ...quiet, ...args], options, (error, stdout) => {
      if (!error) resolve(stdout)
      else if (typeof error.code === 'number') resolve(null)
      else reject(gitFailed(error, folder))
    })
    // git may end before it has read everything it was asked; its exit tells why.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

function gitFailed(error: Error & { code?: unknown }, folder: string): AppError {
  if (error.code === 'ENOENT') {
    return new AppError(
      {
        code: 'not-found',
        message: 'The program "git" is not installed, so repositories cannot be read.',
        remedy: 'Install git, or name a plain folder with the files in it.',
      },
      { cause: error },
    )
  }
  return new AppError(
    {
      code: 'file-access',
      message: `git could not read "${folder}" within ${timeLimitMs / 1000} seconds and ${maxOutputBytes / 1024 / 1024} MB.`,
      remedy: 'Choose a smaller folder of the repository, or a copy on a faster disk.',
      detail: error.message,
    },
    { cause: error },
  )
}
