// The window's native dialogs: each answers with a path, or null when it was closed. Asked only by our own page.

import { BrowserWindow, dialog, ipcMain, type IpcMainInvokeEvent, type OpenDialogOptions } from 'electron'
import { AppError } from '../../contract/errors.ts'
import { channels } from './messages.ts'
import { pageOrigin } from './page-scheme.ts'

export function answerDialogs(): void {
  ipcMain.handle(channels.chooseFolder, (event) => choose(event, ['openDirectory', 'createDirectory']))
  ipcMain.handle(channels.chooseFile, (event) => choose(event, ['openFile']))
  ipcMain.handle(channels.saveFile, async (event, suggestedName: unknown) => {
    const { window } = requireOurs(event)
    const { filePath } = await dialog.showSaveDialog(window, { defaultPath: String(suggestedName).slice(0, 255) })
    return filePath || null
  })
}

async function choose(event: IpcMainInvokeEvent, properties: OpenDialogOptions['properties']): Promise<string | null> {
  const { window } = requireOurs(event)
  const { filePaths } = await dialog.showOpenDialog(window, { properties: properties ?? [] })
  return filePaths[0] ?? null
}

function requireOurs(event: IpcMainInvokeEvent): { window: BrowserWindow } {
  const window = BrowserWindow.fromWebContents(event.sender)
  if (window && event.senderFrame?.url.startsWith(`${pageOrigin}/`)) return { window }
  throw new AppError({
    code: 'unauthorised',
    message: 'Only the app itself may ask for this.',
    remedy: 'Close this window and open Labdesk again.',
  })
}
