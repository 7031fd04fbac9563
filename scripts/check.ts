// npm run check: every rule a machine can verify. `npm run check -- types lint` runs only the named ones.
import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { finish, root, runSteps, type Step } from './steps.ts'

// One project per environment: what a folder may use is what its own tsconfig lets it see.
const typeProjects = [
  'main/contract/tsconfig.json',
  'main/domain/tsconfig.json',
  'tsconfig.json',
  'tsconfig.preload.json',
  'renderer/tsconfig.json',
  'test/unit/renderer/tsconfig.json',
  'test/standin/tsconfig.json',
  'test/e2e/tsconfig.json',
]

const steps: Step[] = [
  ...typeProjects.map(
    (project): Step => ({
      name: `types ${project}`,
      command: ['tsc', '-p', project],
      skip: emptyProject(project),
    }),
  ),
  { name: 'lint', command: ['oxlint', '--type-aware'] },
  { name: 'format', command: ['biome', 'format', '.'] },
  { name: 'dead code', command: ['knip', '--no-config-hints'] },
  { name: 'duplicates', command: ['jscpd'] },
  { name: 'lock', command: ['node', 'scripts/check-lock.ts'] },
  { name: 'tidy', command: ['vitest', 'run', '--project', 'node', 'test/tidy.test.ts'] },
]

/** The compiler refuses a project without files; a folder nobody has filled yet is not an error of types. */
function emptyProject(project: string): string | undefined {
  if (project === 'tsconfig.preload.json')
    return existsSync(join(root, 'main/hosts/electron/preload.ts')) ? undefined : 'no preload yet'
  const folder = join(root, dirname(project))
  return globSync('**/*.{ts,tsx}', { cwd: folder, exclude: ['node_modules'] }).length > 0 ? undefined : 'no files yet'
}

const wanted = process.argv.slice(2)
const chosen = wanted.length === 0 ? steps : steps.filter((step) => wanted.some((name) => step.name.startsWith(name)))
if (chosen.length === 0) {
  console.error(`Nothing is called ${wanted.join(', ')}. Use: types, lint, format, dead, duplicates, lock, tidy.`)
  process.exitCode = 2
} else finish(await runSteps(chosen))
