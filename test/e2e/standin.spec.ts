// The stand-in behaves as Electron where the product relies on it. All but the last group is written to pass on Electron itself too.
import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ElectronApplication, Page } from '@playwright/test'
import { electronFolder, expect, onStandin, root, startApp, test } from './launch.ts'

interface FixtureApi {
  add(a: number, b: number): number
  invoke(channel: string, value?: unknown): Promise<unknown>
  send(channel: string, value: unknown): void
  each(values: number[], visit: (value: number) => unknown): unknown[]
  later(value: string): Promise<{ value: string; again(times: number): string }>
  throws(): void
  onMenu(listener: (what: string) => void): void
  askPort(value: unknown): Promise<unknown>
  askUtility(value: unknown): Promise<unknown>
  firstFromUtility(): unknown
  unknown(): void
}

declare global {
  interface Window {
    fixture: FixtureApi
  }
}

const app = join(root, 'test/standin/fixture')

/** The app most tests share; those that end it start their own. */
let electron: ElectronApplication
let page: Page

test.beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'labdesk-standin-'))
  ;({ electron, page } = await open(() => startApp(dataDir, { app })))
})

test.afterAll(() => electron.close())

async function open(
  launch: () => Promise<ElectronApplication>,
): Promise<{ electron: ElectronApplication; page: Page }> {
  const started = await launch()
  const first = await started.firstWindow()
  await first.getByText('Hello').waitFor()
  // Text is there before the page has finished loading, which is when the app starts its utility process.
  await expect.poll(() => started.evaluate(() => 'utility' in globalThis)).toBe(true)
  return { electron: started, page: first }
}

const exitOf = (ended: ElectronApplication): Promise<number | null> =>
  new Promise((done) => ended.process().on('exit', (code) => done(code)))

test.describe('a window', () => {
  test('loads its page from the app scheme with the policy the app sends', async () => {
    await expect(page.getByText('2 + 3 = 5')).toBeVisible()
    const url = await electron.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getURL())
    expect(url).toBe('fixture://app/index.html')
    const blocked = await page.evaluate(() =>
      fetch('https://example.invalid/').then(
        () => 'sent',
        () => 'refused',
      ),
    )
    expect(blocked).toBe('refused')
  })

  test('gives the scheme handler method, body and address of a request', async () => {
    const seen = await page.evaluate(
      async () => (await fetch('/request?a=1', { method: 'POST', body: 'text' })).json() as Promise<unknown>,
    )
    expect(seen).toEqual({ url: 'fixture://app/request?a=1', method: 'POST', body: 'text' })
  })

  test('keeps Node and the preload out of the page', async () => {
    const seen = await page.evaluate(() => ({
      require: typeof (globalThis as Record<string, unknown>)['require'],
      process: typeof (globalThis as Record<string, unknown>)['process'],
      frozen: Object.isFrozen(window.fixture),
      leaked: Object.keys(window).filter((key) => key.toLowerCase().includes('standin')),
    }))
    expect(seen).toEqual({ require: 'undefined', process: 'undefined', frozen: true, leaked: [] })
  })

  test('has the size the app asked for', async () => {
    const window = await electron.browserWindow(page)
    expect(await window.evaluate((one) => one.getBounds())).toMatchObject({ width: 900, height: 600 })
    expect(await window.evaluate((one) => one.isVisible())).toBe(true)
  })

  test('neither opens windows nor leaves its page when the app forbids it', async () => {
    expect(await page.evaluate(() => window.open('fixture://app/other.html') === null)).toBe(true)
    await expect
      .poll(() => electron.evaluate(() => (globalThis as Record<string, unknown>)['refused']))
      .toContain('/other.html')
    await page.evaluate(() => {
      location.href = 'https://example.invalid/'
    })
    await page.waitForTimeout(300)
    await expect(page.getByText('Hello')).toBeVisible()
    expect(electron.windows()).toHaveLength(1)
  })

  test('has the requests cancelled that the app filters', async () => {
    const fetched = await page.evaluate(() =>
      Promise.all(
        ['/blocked.txt', '/request'].map((path) =>
          fetch(path).then(
            (reply) => reply.status,
            () => 'cancelled',
          ),
        ),
      ),
    )
    expect(fetched).toEqual(['cancelled', 200])
  })

  test('is refused the permissions the app refuses', async () => {
    expect(await page.evaluate(() => Notification.requestPermission())).toBe('denied')
  })

  test('reports a crashed page to the app', async ({ launchApp }) => {
    const { electron, page } = await open(() => launchApp({ app }))
    const window = await electron.browserWindow(page)
    const reason = await window.evaluate(
      (one) =>
        new Promise((done) => {
          one.webContents.once('render-process-gone', (_event: object, details: { reason: string }) =>
            done(details.reason),
          )
          one.webContents.forcefullyCrashRenderer()
        }),
    )
    expect(['crashed', 'killed']).toContain(reason)
  })
})

test.describe('messages', () => {
  test('copies values as structured clone does', async () => {
    const seen = await page.evaluate(async () => {
      const value: Record<string, unknown> = {
        date: new Date(5),
        map: new Map([['k', new Set([1, 2])]]),
        nothing: undefined,
        nan: Number.NaN,
        zero: -0,
        big: 10n,
        bytes: new Uint8Array([1, 2, 255]),
        floats: new Float32Array([1.5]),
        buffer: new ArrayBuffer(4),
        nested: { list: [1, [2, { x: null }]] },
      }
      value['self'] = value
      const back = (await window.fixture.invoke('echo', value)) as typeof value
      return [
        back['date'] instanceof Date && back['date'].getTime() === 5,
        (back['map'] as Map<string, Set<number>>).get('k')?.has(2),
        'nothing' in back && back['nothing'] === undefined,
        Number.isNaN(back['nan']),
        Object.is(back['zero'], -0),
        back['big'] === 10n,
        back['bytes'] instanceof Uint8Array && back['bytes'][2] === 255,
        (back['floats'] as Float32Array)[0] === 1.5,
        (back['buffer'] as ArrayBuffer).byteLength === 4,
        JSON.stringify(back['nested']) === '{"list":[1,[2,{"x":null}]]}',
        back['self'] === back,
      ]
    })
    expect(seen).toEqual(Array.from({ length: 11 }, () => true))
  })

  test("fails with Electron's words", async () => {
    const words = (channel: string): Promise<string> =>
      page.evaluate(
        (name) =>
          window.fixture.invoke(name).then(
            () => 'no error',
            (error: Error) => error.message,
          ),
        channel,
      )
    expect(await words('fail')).toBe("Error invoking remote method 'fail': TypeError: no such thing")
    expect(await words('missing')).toBe(
      "Error invoking remote method 'missing': Error: No handler registered for 'missing'",
    )
    expect(await words('unclonable')).toContain('An object could not be cloned.')
    expect(await words('sender')).toBe('no error')
  })

  test('says which page sent them', async () => {
    expect(await page.evaluate(() => window.fixture.invoke('sender'))).toBe('fixture://app/index.html')
  })

  test('carries functions, promises and errors over contextBridge', async () => {
    const seen = await page.evaluate(async () => {
      const later = await window.fixture.later('ab')
      let thrown = ''
      try {
        window.fixture.throws()
      } catch (error) {
        thrown = (error as Error).message
      }
      return [window.fixture.each([1, 2], (value) => value * 10), later.value, later.again(2), thrown]
    })
    expect(seen).toEqual([[10, 20], 'ab', 'abab', 'from the preload'])
  })

  test('wait in a port that is given away before anybody listens', async () => {
    await expect
      .poll(() => page.evaluate(() => window.fixture.firstFromUtility()))
      .toEqual({ fromUtility: 'sent before the port was given away' })
  })

  test('travel over a port to the main process and to a utility process', async () => {
    await expect.poll(() => page.evaluate(() => window.fixture.askPort(21))).toEqual({ answer: 42 })
    await expect.poll(() => page.evaluate(() => window.fixture.askUtility([1]))).toEqual({ fromUtility: [1] })
  })

  test('close the port of a page that reloads', async () => {
    await page.reload()
    await page.getByText('Hello').waitFor()
    await expect
      .poll(() => electron.evaluate(() => (globalThis as Record<string, unknown>)['order']))
      .toContain('port closed')
  })
})

test.describe('an app', () => {
  test('answers dialogs and menus as the test tells it', async () => {
    await electron.evaluate(({ dialog }) => {
      dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: ['/x/y.gguf'] })
    })
    expect(await page.evaluate(() => window.fixture.invoke('pick'))).toEqual(['/x/y.gguf'])
    const chosen = page.evaluate(() => new Promise((done) => window.fixture.onMenu(done)))
    await electron.evaluate(({ Menu }) => Menu.getApplicationMenu()?.getMenuItemById('new')?.click())
    expect(await chosen).toBe('new')
  })

  test('hands links to the desktop', async () => {
    await electron.evaluate(({ shell }) => {
      shell.openExternal = (url) => {
        Object.assign(globalThis, { opened: url })
        return Promise.resolve()
      }
    })
    await page.evaluate(() => window.fixture.send('open', 'https://example.invalid/1'))
    await expect
      .poll(() => electron.evaluate(() => (globalThis as Record<string, unknown>)['opened']))
      .toBe('https://example.invalid/1')
  })

  test('talks to a utility process and hears its exit code', async ({ launchApp }) => {
    const { electron } = await open(() => launchApp({ app }))
    const seen = await electron.evaluate(
      () =>
        new Promise((done) => {
          const { utility } = globalThis as unknown as { utility: Electron.UtilityProcess }
          utility.once('message', (answer) => {
            utility.once('exit', (code) => done([[...answer.echo], answer.argument, answer.type, code]))
            utility.postMessage({ kind: 'exit', code: 3 })
          })
          utility.postMessage(new Map([['a', 1]]))
        }),
    )
    expect(seen).toEqual([[['a', 1]], 'word', 'utility', 3])
  })

  test('tells the first instance about the second', async ({ launchApp, dataDir }) => {
    const { electron } = await open(() => launchApp({ app }))
    const told = electron.evaluate(
      ({ app }) => new Promise<string[]>((done) => app.once('second-instance', (_event, argv) => done(argv))),
    )
    const second = spawn(join(electronFolder(), 'electron'), [app, `--user-data-dir=${dataDir}`, '--extra'], {
      stdio: 'ignore',
    })
    const code = await new Promise((done) => second.on('exit', done))
    expect(code).toBe(0)
    expect(await told).toContain('--extra')
  })

  test('quits in order when its last window closes', async ({ launchApp }) => {
    const { electron, page } = await open(() => launchApp({ app }))
    const exit = exitOf(electron)
    const order = await electron.evaluate(({ BrowserWindow, app }) => {
      const seen = (globalThis as unknown as { order: string[] }).order
      return new Promise((done) => {
        app.on('window-all-closed', () => setTimeout(() => app.quit(), 200))
        app.once('will-quit', () => done(seen.filter((one) => one !== 'port closed')))
        BrowserWindow.getAllWindows()[0]?.close()
      })
    })
    expect(order).toEqual(['close', 'closed', 'window-all-closed', 'before-quit', 'will-quit'])
    expect(await exit).toBe(0)
    expect(page.isClosed()).toBe(true)
  })

  test('stays open when its window refuses to close', async ({ launchApp }) => {
    const { electron } = await open(() => launchApp({ app }))
    const left = await electron.evaluate(({ app, BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0]
      window?.once('close', (event) => event.preventDefault())
      app.quit()
      return BrowserWindow.getAllWindows().length
    })
    expect(left).toBe(1)
  })

  test('keeps what a page stored for its next start', async ({ launchApp }) => {
    const first = await open(() => launchApp({ app }))
    await first.page.evaluate(() => localStorage.setItem('theme', 'dark'))
    await first.page.waitForTimeout(200)
    await first.electron.close()
    const second = await open(() => launchApp({ app }))
    expect(await second.page.evaluate(() => localStorage.getItem('theme'))).toBe('dark')
  })
})

test.describe('what the stand-in does not know', () => {
  test.skip(!onStandin, 'Electron itself is installed')

  test('throws by name', async () => {
    const errors = await electron.evaluate((electronModule) => {
      const { app, BrowserWindow, dialog, session, utilityProcess } = electronModule
      const window = BrowserWindow.getAllWindows()[0] as unknown as Record<string, () => void>
      const attempts: (() => unknown)[] = [
        () => (electronModule as Record<string, unknown>)['Tray'],
        () => (app as unknown as Record<string, () => void>)['setBadgeCount']?.(),
        () => app.on('gpu-process-crashed' as 'ready', () => undefined),
        () => window['setKiosk']?.(),
        () => (window['webContents'] as unknown as { print(): void }).print(),
        () => session.fromPartition('x'),
        () => new BrowserWindow({ kiosk: true }),
        () => new BrowserWindow({ webPreferences: { sandbox: false } }),
        () => utilityProcess.fork('x.js', [], { stdin: 'pipe' } as object),
        () => electronModule.Menu.buildFromTemplate([{ role: 'magic' as 'quit' }]),
        () => dialog.showMessageBoxSync({ message: '' }),
      ]
      return attempts.map((attempt) => {
        try {
          attempt()
          return 'passed silently'
        } catch (error) {
          return (error as Error).message.replace(/^electron stand-in: (.*) is not implemented.*$/, '$1')
        }
      })
    })
    expect(errors).toEqual([
      'electron.Tray',
      'app.setBadgeCount',
      "app event 'gpu-process-crashed'",
      'BrowserWindow.setKiosk',
      'webContents.print',
      "session.fromPartition('x')",
      "BrowserWindow option 'kiosk'",
      'BrowserWindow that is not sandboxed and context-isolated',
      "utilityProcess.fork option 'stdin'",
      "menu role 'magic'",
      'dialog.showMessageBoxSync',
    ])
    const inPreload = await page.evaluate(() => {
      try {
        window.fixture.unknown()
        return 'passed silently'
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(inPreload).toContain('ipcRenderer.sendSync is not implemented')
  })

  test('an unanswered dialog throws', async ({ launchApp }) => {
    const own = await open(() => launchApp({ app }))
    const words = await own.page.evaluate(() =>
      window.fixture.invoke('pick').then(
        () => '',
        (error: Error) => error.message,
      ),
    )
    expect(words).toContain('dialog.showOpenDialog was called and the test has not replaced it')
  })
})
