// npm test: every check and every test, with the reason for each part that cannot run on this machine.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { builtTrainer } from '../main/compute/trainer-build.ts'
import { finish, root, runSteps, type Step } from './steps.ts'

const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) =>
  existsSync(file),
)
const electron = existsSync(join(root, 'node_modules/electron/dist'))

const before: Step[] = [
  { name: 'check', command: ['node', 'scripts/check.ts'], live: true },
  { name: 'build', command: ['node', 'scripts/build.ts'] },
  { name: 'build native', command: ['node', 'scripts/build-native.ts'] },
]
const outcomes = await runSteps(before)
if (!builtTrainer(root))
  console.log('no trainer: the tests that need it will say so and skip (install cmake and g++ or clang)')
outcomes.push(
  ...(await runSteps([
    { name: 'unit, process, model and native tests', command: ['vitest', 'run'], live: true },
    {
      name: 'windows (Playwright)',
      command: ['playwright', 'test'],
      live: true,
      skip: chromium || electron ? undefined : 'neither Chromium nor Electron is installed (apt-get install chromium)',
    },
  ])),
)
finish(outcomes)
