// The packaged app finds what it needs inside its package: the engine, SQLite's binary, the prompts and the trainer.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, root, test } from './launch.ts'

const folder = join(root, 'release/linux-unpacked')

test.skip(process.platform !== 'linux', 'the package is tested on Linux only')

test('opens its window from the package', async ({ launchApp }) => {
  test.setTimeout(240_000)
  const packaging = spawnSync(process.execPath, [join(root, 'scripts/package.ts'), '--linux', 'dir'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, LABDESK_E2E: '1' },
  })
  expect(packaging.status, packaging.stdout + packaging.stderr).toBe(0)
  expect(existsSync(join(folder, 'resources/app.asar.unpacked/native/build/labdesk-trainer'))).toBe(true)
  const app = await launchApp({ executable: join(folder, 'labdesk') })
  const page = await app.firstWindow()
  // The demo's models are listed once the engine has read them out of the package and kept them in its database.
  await page.getByRole('navigation').getByText('Models').click()
  await expect(page.getByText('Labdesk demo teacher')).toBeVisible({ timeout: 60_000 })
  expect(await app.evaluate(({ app: electronApp }) => electronApp.isPackaged)).toBe(true)
})
