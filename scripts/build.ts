// npm run build: compiles the app into out/ when its sources changed; `--force` always. Owns out/stamp, the sources' digest.
// Invariant: the stamp is written last, so an interrupted build is made again.
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finish, root, runSteps } from './steps.ts'

const stampFile = join(root, 'out/stamp')

/** Digest of every file the build reads: path, size and time of change. */
function sourcesDigest(): string {
  const hash = createHash('sha256')
  const files = globSync(['main/**/*', 'renderer/**/*', 'package-lock.json', 'electron.vite.config.ts'], { cwd: root })
  for (const file of files.sort()) {
    const { size, mtimeMs } = statSync(join(root, file))
    hash.update(`${file}\0${size}\0${mtimeMs}\0`)
  }
  return hash.digest('hex')
}

/** Whether out/ was built from the sources as they are now. */
export function isBuildFresh(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourcesDigest()
}

/** Builds unless out/ is fresh; false when the build failed. */
export async function build(options: { force: boolean }): Promise<boolean> {
  if (!options.force && isBuildFresh()) return true
  rmSync(join(root, 'out'), { recursive: true, force: true })
  const digest = sourcesDigest()
  const outcomes = await runSteps([{ name: 'build', command: ['electron-vite', 'build', '--logLevel', 'warn'] }])
  const passed = outcomes.every((outcome) => outcome.state === 'passed')
  if (passed) writeFileSync(stampFile, digest)
  else finish(outcomes)
  return passed
}

if (import.meta.main) await build({ force: process.argv.includes('--force') })
