// The project's own source files and what they import, for the house rules in tidy.test.ts. Reads text only; runs nothing.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, resolve } from 'node:path'

/** The repository's root. */
export const root = resolve(import.meta.dirname, '../..')

/** One file: its path from the root with forward slashes, and its text. */
export interface Source {
  path: string
  text: string
  lines: string[]
}

const skipped = /(^|\/)(node_modules|out|release|fixtures|fixture|build[^/]*|test-results|\.git)(\/|$)/

/** Every file under the named folders whose name ends in one of the extensions. */
export function sourcesIn(folders: readonly string[], extensions: readonly string[]): Source[] {
  const patterns = folders.flatMap((folder) => extensions.map((extension) => `${folder}/**/*.${extension}`))
  const paths = globSync(patterns, { cwd: root, exclude: (path) => skipped.test(toPosix(path)) })
  return paths.map(toPosix).sort().map(readSource)
}

/** One file by its path from the root. */
export function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text, lines: text.replace(/\n$/, '').split('\n') }
}

const toPosix = (path: string): string => path.replaceAll('\\', '/')

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g

/** What a TypeScript file imports: relative ones as paths from the root, packages by name, Node's own as `node:x`. */
export function importsOf(source: Source): string[] {
  return [...source.text.matchAll(importPattern)].map(([, named, dynamic]) => {
    const target = named ?? dynamic ?? ''
    if (target.startsWith('.')) return posix.normalize(posix.join(toPosix(dirname(source.path)), target))
    if (target.startsWith('node:')) return target
    return target
      .split('/')
      .slice(0, target.startsWith('@') ? 2 : 1)
      .join('/')
  })
}
