// npm run check:lock: what package-lock.json must hold so that the project builds on every platform and names no registry.
// Invariant: an optional (per-platform) dependency named by a locked package has an entry too. `npm install` passes without it,
// `npm ci` does not, and another platform would miss a binary.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

interface LockedPackage {
  version?: string
  resolved?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

// Tools of `npm run check` only: nobody needs them to build or run the app, and their other platforms' binaries
// could not be locked where this lock was written.
const checkersOnly = new Set(['jscpd', 'oxc-parser', 'oxlint', 'oxlint-tsgolint'])

const root = resolve(import.meta.dirname, '..')
const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T
const manifest = read<LockedPackage>('package.json')
const { packages } = read<{ packages: Record<string, LockedPackage> }>('package-lock.json')

const nameOf = (path: string): string => path.split('node_modules/').pop() ?? path
const names = new Set(Object.keys(packages).map(nameOf))
const problems: string[] = []
const accepted: string[] = []

for (const [path, locked] of Object.entries(packages)) {
  const missing = Object.keys(locked.optionalDependencies ?? {}).filter((name) => !names.has(name))
  if (missing.length > 0 && checkersOnly.has(nameOf(path))) accepted.push(`${nameOf(path)} (${missing.length})`)
  else if (missing.length > 0)
    problems.push(
      `${path}@${locked.version} lacks ${missing.join(', ')}. Pin a version whose platform packages all exist.`,
    )
  if (locked.resolved?.startsWith('http'))
    problems.push(`${path}: "resolved" names a registry. Install with omit-lockfile-registry-resolved=true.`)
}

const locked = packages['']
for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
  if (!/^\d+\.\d+\.\d+/.test(range)) problems.push(`package.json: ${name} is "${range}". Pin one exact version.`)
  if ((locked?.dependencies?.[name] ?? locked?.devDependencies?.[name]) !== range)
    problems.push(`package-lock.json: ${name} is not at ${range}. Run npm install.`)
}

for (const problem of problems) console.error(problem)
console.log(`package-lock.json: ${names.size - 1} packages, ${problems.length} problems`)
if (accepted.length > 0) console.log(`other platforms' binaries not locked (checkers only): ${accepted.join(', ')}`)
process.exitCode = problems.length > 0 ? 1 : 0
