// After npm install: builds the native trainer where there is a compiler. Never fails the install: the app builds it at the first
// run, or says what is missing. Runs on any Node, because npm may start it before this project's own Node is in place.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const own = join(root, 'node_modules/.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
const later = 'The first run tries again; until then everything but tuning works.'

if (!existsSync(own))
  console.log(`The native trainer was not built: Node 24 (devDependency "node") is not installed. ${later}`)
else {
  const { status } = spawnSync(own, [join(root, 'scripts/build-native.ts')], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (status !== 0) console.log(`The native trainer was not built (see above). ${later}`)
}
