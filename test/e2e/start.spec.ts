// npm start: the desktop app where Electron's binary is, else the same app for the browser, with a clear message and no download.
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, root, test } from './launch.ts'

interface Started {
  child: ChildProcess
  /** What it has said so far, both streams. */
  said(): string
}

function start(flags: string[], env: Record<string, string | undefined>): Started {
  const child = spawn(process.execPath, [join(root, 'scripts/start.ts'), ...flags], {
    cwd: root,
    env: {
      ...process.env,
      DISPLAY: undefined,
      WAYLAND_DISPLAY: undefined,
      ELECTRON_OVERRIDE_DIST_PATH: undefined,
      ...env,
    },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
  return { child, said: () => text }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => child.on('exit', (code) => done(code)))

test("starts Electron with the app and the user's flags where the binary is installed", async ({ dataDir }) => {
  const fake = join(dataDir, 'electron')
  writeFileSync(fake, '#!/bin/sh\necho "started with $@"\n')
  chmodSync(fake, 0o755)
  const { child, said } = start([`--user-data-dir=${dataDir}`], { ELECTRON_EXEC_PATH: fake })
  expect(await ended(child)).toBe(0)
  expect(said()).toContain(`started with ${root} --user-data-dir=${dataDir}`)
})

test('serves the same app to the browser where it is not, and ends when told to', async ({ dataDir, webBrowser }) => {
  const { child, said } = start(['--web', '--data-dir', dataDir], {})
  await expect.poll(said, { timeout: 60_000 }).toMatch(/http:\/\/127\.0\.0\.1:\d+\S+/)
  const [link = ''] = /http:\/\/127\.0\.0\.1:\d+\S+/.exec(said()) ?? []
  const page = await webBrowser.newPage()
  await page.goto(link)
  await expect(page.getByRole('navigation').first()).toBeVisible()
  await page.close()
  child.kill('SIGTERM')
  expect(await ended(child)).toBe(0)
})
