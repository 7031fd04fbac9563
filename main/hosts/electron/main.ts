// The desktop app: one instance, one window, the engine in a process of its own. Thin: what the app does is the engine's, what it shows
// the renderer's. Quitting waits for the engine, within a bound.

import { onBlocked } from '../../compute/offline-guard.ts'
import '../node/runtime.ts'
import { join } from 'node:path'
import { app, BrowserWindow, dialog, ipcMain } from 'electron'
import type { ErrorFrame } from '../../contract/errors.ts'
import { defaultDataDir } from '../node/paths.ts'
import { answerDialogs } from './dialogs.ts'
import { EngineLink } from './engine-link.ts'
import { setMenu } from './menu.ts'
import { channels } from './messages.ts'
import { lockSession, pageOrigin, pinContents, registerScheme } from './page-scheme.ts'
import { openWindow } from './window.ts'

// Chromium itself would look for updates and resolve names; the page cannot, and neither shall it.
for (const [name, value] of [
  ['disable-background-networking'],
  ['disable-component-update'],
  ['disable-domain-reliability'],
  ['host-resolver-rules', 'MAP * ~NOTFOUND, EXCLUDE localhost'],
] as const)
  app.commandLine.appendSwitch(name, value)

if (!app.requestSingleInstanceLock()) app.quit()
else {
  registerScheme()
  app.enableSandbox()
  app.on('web-contents-created', (_event, contents) => pinContents(contents))
  app.on('window-all-closed', () => app.quit())
  await app.whenReady()
  run()
}

function run(): void {
  setMenu(app.getLocale().startsWith('ja') ? 'ja' : 'en')
  const engine = new EngineLink(dataDir(), {
    onFailed: giveUp,
    onRestarted: () => {
      for (const window of BrowserWindow.getAllWindows()) window.reload()
    },
    onLanguage: setMenu,
  })
  onBlocked((attempt) => engine.post({ kind: 'blocked', attempt }))
  lockSession(join(app.getAppPath(), 'out/renderer'), (attempt) => engine.post({ kind: 'blocked', attempt }))
  answerDialogs()
  ipcMain.on(channels.hello, ({ sender, senderFrame }) => {
    if (senderFrame?.url.startsWith(`${pageOrigin}/`)) sender.postMessage(channels.port, null, [engine.connect()])
  })
  closeBeforeQuit(engine)
  const window = openWindow()
  app.on('second-instance', () => {
    if (window.isMinimized()) window.restore()
    window.focus()
  })
}

/** A test's own profile holds its data too; otherwise every host shares one folder. */
function dataDir(): string {
  const hasOwnProfile = app.commandLine.hasSwitch('user-data-dir') && !process.env['LABDESK_DATA']
  return hasOwnProfile ? join(app.getPath('userData'), 'data') : defaultDataDir()
}

function closeBeforeQuit(engine: EngineLink): void {
  let isClosed = false
  app.on('before-quit', (event) => {
    if (isClosed) return
    event.preventDefault()
    void engine.close().then(() => {
      isClosed = true
      app.quit()
    })
  })
}

function giveUp({ code, message, remedy }: ErrorFrame): void {
  console.error(`labdesk: ${code}: ${message}\n  ${remedy}`)
  dialog.showErrorBox('Labdesk', `${message}\n\n${remedy}`)
  app.exit(1)
}
