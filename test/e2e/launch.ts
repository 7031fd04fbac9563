// How end-to-end tests start things: an Electron app on the real binary where it is installed and on test/standin elsewhere,
// and Chromium for the web host. Each test gets a data folder of its own, deleted afterwards.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { _electron, type Browser, chromium, type ElectronApplication, test as base } from '@playwright/test'

/** The repository's root. */
export const root = resolve(import.meta.dirname, '../..')

/** Flags that keep Chromium quiet on a closed network; as root it has no sandbox. */
export const chromiumFlags = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
]

/** Folder of Electron's executable: ELECTRON_OVERRIDE_DIST_PATH, the installed binary, or the stand-in. */
export function electronFolder(): string {
  const chosen = process.env['ELECTRON_OVERRIDE_DIST_PATH']
  if (chosen) return resolve(root, chosen)
  const installed = join(dirname(createRequire(import.meta.url).resolve('electron/package.json')), 'dist')
  return existsSync(installed) ? installed : join(root, 'test/standin')
}

/** Whether windows are the stand-in's. */
export const onStandin = electronFolder() === join(root, 'test/standin')

/** What to start, and how. */
export interface LaunchOptions {
  /** Folder or main file of the app; the product by default. */
  app?: string
  args?: string[]
  env?: Record<string, string>
  /** A packaged executable in place of Electron and an app. */
  executable?: string
}

interface Fixtures {
  /** A fresh folder for the app's data. */
  dataDir: string
  /** Starts an Electron app over `dataDir`; still running ones are closed after the test. */
  launchApp(options?: LaunchOptions): Promise<ElectronApplication>
  /** Chromium for the web host. */
  webBrowser: Browser
}

/** Starts an Electron app over a data folder; the caller closes it. */
export function startApp(
  dataDir: string,
  { app = root, args = [], env = {}, executable }: LaunchOptions,
): Promise<ElectronApplication> {
  process.env['ELECTRON_OVERRIDE_DIST_PATH'] = electronFolder()
  return _electron.launch({
    args: [...(executable ? [] : [app]), `--user-data-dir=${dataDir}`, ...args],
    env: { ...(process.env as Record<string, string>), ...env },
    ...(executable ? { executablePath: executable } : {}),
  })
}

/** Playwright with the app's fixtures. */
export const test = base.extend<Fixtures>({
  dataDir: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'labdesk-e2e-'))
    await use(folder)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  },
  launchApp: async ({ dataDir }, use) => {
    const running: ElectronApplication[] = []
    await use(async (options = {}) => {
      const launched = await startApp(dataDir, options)
      running.push(launched)
      return launched
    })
    for (const app of running) await app.close().catch(() => undefined) // a test may have ended it already
  },
  webBrowser: async ({}, use) => {
    const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => existsSync(file))
    const browser = await chromium.launch({ args: chromiumFlags, ...(executablePath ? { executablePath } : {}) })
    await use(browser)
    await browser.close()
  },
})

export { expect } from '@playwright/test'
