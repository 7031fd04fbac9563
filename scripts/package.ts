// npm run package [-- --linux dir]: builds everything and packages the desktop app into release/.
// With LABDESK_E2E=1 the packaged app lets a test attach (the inspect fuse on); a release never does. Without Electron's binary it
// packages the stand-in, for tests of the package only, and says so.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { finish, root, runSteps } from './steps.ts'

interface BuilderConfig {
  electronDist?: string
  electronFuses?: Record<string, boolean> | null
  [key: string]: unknown
}

const config = parse(readFileSync(join(root, 'electron-builder.yml'), 'utf8')) as BuilderConfig
const installed = join(root, 'node_modules/electron/dist')
const standin = join(root, 'test/standin')
const electron = resolve(
  root,
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? (existsSync(installed) ? installed : standin),
)
config.electronDist = electron
if (electron === standin) {
  config.electronFuses = null // fuses are bits in Electron's binary, which is not here
  console.log("Electron's binary is not installed: packaging the test stand-in instead. Do not ship this package.")
} else if (process.env['LABDESK_E2E'] === '1') {
  config.electronFuses = { ...config.electronFuses, enableNodeCliInspectArguments: true }
}

const generated = join(root, 'out/electron-builder.json')
const wanted = process.argv.slice(2)
const targets = wanted.length > 0 ? wanted : ['--linux', 'dir']
const built = await runSteps([{ name: 'build', command: ['node', 'scripts/build.ts'], live: true }])
if (built[0]?.state === 'passed') {
  writeFileSync(generated, JSON.stringify(config, null, 2))
  finish([
    ...built,
    ...(await runSteps([
      {
        name: 'package',
        command: ['electron-builder', ...targets, '--config', generated, '--publish', 'never'],
        live: true,
      },
    ])),
  ])
} else finish(built)
