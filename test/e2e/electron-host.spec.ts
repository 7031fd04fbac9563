// The desktop host: what the page can reach, what is refused and shown, what survives the engine's death, and a clean end.

import { execFileSync } from 'node:child_process'
import type { ElectronApplication, Page } from '@playwright/test'
import type { Model } from '../../main/contract/models.ts'
import type { OfflineProof, ProjectSummary } from '../../main/contract/workspace.ts'
import { expect, test } from './launch.ts'

/** One call of the engine through the window's own bridge, beside whatever the page itself asks. */
async function call<Output>(page: Page, method: string, input: unknown = {}): Promise<Output> {
  return page.evaluate(
    async ({ method: name, input: value }) => {
      const bridge = (window as unknown as { labdesk: Record<string, (argument: unknown) => void> }).labdesk
      const id = Math.floor(1e9 + Math.random() * 1e9) // far from the page's own calls
      const answered = new Promise((resolve, reject) => {
        bridge['onMessage']?.((raw: unknown) => {
          const frame = raw as { kind: string; id?: number; output?: unknown; error?: { message: string } }
          if (frame.id === id && frame.kind === 'ok') resolve(frame.output)
          if (frame.id === id && frame.kind === 'fail') reject(new Error(frame.error?.message))
        })
      })
      bridge['post']?.({ kind: 'call', id, method: name, input: value })
      return answered
    },
    { method, input },
  ) as Promise<Output>
}

/** The app's page, once its bridge is there. */
async function openPage(app: ElectronApplication): Promise<Page> {
  const page = await app.firstWindow()
  await page.waitForFunction(() => 'labdesk' in window && document.readyState === 'complete')
  return page
}

/** Kills the app's child process whose command line contains `entry`. */
async function killChild(app: ElectronApplication, entry: string): Promise<void> {
  const pid = app.process().pid
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' }).split('\n')
  const found = children.find((line) => line.includes(entry))
  expect(found, `a child process of ${entry}`).toBeDefined()
  process.kill(Number.parseInt(found ?? '', 10), 'SIGKILL')
}

test('the page is a sandboxed origin of its own with one bridge and no Node', async ({ launchApp }) => {
  const page = await openPage(await launchApp())
  const seen = await page.evaluate(() => ({
    require: typeof (globalThis as { require?: unknown }).require,
    process: typeof (globalThis as { process?: unknown }).process,
    bridge: Object.keys((window as unknown as { labdesk: object }).labdesk).sort(),
  }))
  expect(seen).toEqual({
    require: 'undefined',
    process: 'undefined',
    bridge: ['chooseFile', 'chooseFolder', 'onClose', 'onMessage', 'pathOf', 'platform', 'post', 'saveFile'],
  })
})

test('the engine answers over the bridge, and errors keep their words', async ({ launchApp }) => {
  const page = await openPage(await launchApp())
  const projects = await call<ProjectSummary[]>(page, 'project.list')
  expect(projects.map((project) => project.name)).toEqual(['Demo'])
  await expect(call(page, 'model.add', { path: '/nowhere.gguf' })).rejects.toThrow('There is no file /nowhere.gguf')
})

test('requests that would leave the machine are refused, and those of the app itself are listed', async ({
  launchApp,
}) => {
  const app = await launchApp()
  const page = await openPage(app)
  const loaded = await page.evaluate(async () => {
    const image = new Image()
    const ended = new Promise((resolve) => {
      image.onload = () => resolve('loaded')
      image.onerror = () => resolve('refused')
    })
    image.src = 'http://192.0.2.1/pixel.png'
    const fetched = fetch('http://192.0.2.1/data').then(
      () => 'loaded',
      () => 'refused',
    )
    return [await ended, await fetched]
  })
  expect(loaded).toEqual(['refused', 'refused'])
  const fromMain = await app.evaluate(() =>
    fetch('http://192.0.2.1/main').then(
      () => 'loaded',
      () => 'refused',
    ),
  )
  expect(fromMain).toBe('refused')
  const proof = await call<OfflineProof>(page, 'workspace.offline')
  expect(proof.host).toBe('electron')
  expect(proof.measures.length).toBeGreaterThan(3)
  expect(proof.blockedRequests.map((request) => request.url)).toContain('tcp://192.0.2.1:80')
})

test('the page cannot be led elsewhere', async ({ launchApp }) => {
  const app = await launchApp()
  const page = await openPage(app)
  await page.evaluate(() => {
    window.open('http://192.0.2.1/')
    location.href = 'http://192.0.2.1/'
  })
  await page.waitForTimeout(300)
  expect(
    await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.webContents.getURL()),
    ),
  ).toEqual(['app://labdesk/index.html'])
})

test('a model answers through a worker that the main process forks, and a killed worker is replaced', async ({
  launchApp,
}) => {
  const app = await launchApp()
  const page = await openPage(app)
  const model = (await call<Model[]>(page, 'model.list')).find((one) => one.roles.includes('student'))
  const ask = () =>
    call<{ text: string }>(page, 'chat.send', {
      chatId: 'e2e',
      modelId: model?.id,
      turns: [{ role: 'user', content: 'Write the words in alphabetical order: spoon, apple, map' }],
      maxTokens: 12,
    })
  const { text } = await ask()
  expect(text.length).toBeGreaterThan(0)
  await killChild(app, 'worker/llama')
  expect((await ask()).text).toBe(text)
})

test('an engine that is killed comes back, and the page reconnects', async ({ launchApp }) => {
  const app = await launchApp()
  const page = await openPage(app)
  await call(page, 'settings.set', { threads: 1 })
  const reloaded = page.waitForEvent('load')
  await killChild(app, 'engine-process')
  await reloaded
  expect(await call(page, 'settings.get')).toMatchObject({ threads: 1 })
})

test('quitting ends the engine and leaves the data folder free for the next start', async ({ launchApp }) => {
  const first = await launchApp()
  await call(await openPage(first), 'settings.set', { language: 'ja' })
  await first.close()
  const second = await launchApp()
  expect(await call(await openPage(second), 'settings.get')).toMatchObject({ language: 'ja' })
  const labels = await second.evaluate(({ Menu }) => Menu.getApplicationMenu()?.items.map((item) => item.label))
  expect(labels).toEqual(['ファイル', '編集', '表示'])
})
