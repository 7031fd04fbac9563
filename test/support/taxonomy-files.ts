// A folder a test writes qna.yaml files into, and repositories made of it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'

export interface TestFolder {
  path: string
  /** Writes a file, with the folders above it. */
  put(path: string, content: string | Uint8Array): string
  /** Files below it, by their path in it. */
  files(): string[]
  /** Makes a folder of it a repository (or adds to it) and commits all that is in it; answers with the commit. */
  commit(folder?: string): string
  dispose(): void
}

/** A fresh folder. */
export function createTestFolder(): TestFolder {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'labdesk-folder-')))
  return {
    path: root,
    put(path, content) {
      const target = join(root, path)
      mkdirSync(dirname(target), { recursive: true })
      writeFileSync(target, content)
      return target
    },
    files: () =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.includes('.git'))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
        .sort(),
    commit(folder = '.') {
      const git = (...args: string[]) => execFileSync('git', args, { cwd: join(root, folder), encoding: 'utf8' }).trim()
      const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@localhost', '-c', 'core.autocrlf=false']
      git('init', '-q')
      git(...author, 'add', '-A')
      git(...author, 'commit', '-q', '--allow-empty', '-m', 'state')
      return git('rev-parse', 'HEAD')
    },
    dispose: () => rmSync(root, { recursive: true, force: true }),
  }
}
