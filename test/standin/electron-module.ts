// The `electron` module of the main process. An import of a name that is not here fails by that name; so does reading one.
import { app } from './app.ts'
import { BrowserWindow, contentsModule } from './browser-window.ts'
import {
  clipboard,
  dialog,
  Menu,
  MenuItem,
  nativeTheme,
  Notification,
  powerSaveBlocker,
  screen,
  shell,
} from './desktop.ts'
import { ipcMain } from './ipc-main.ts'
import { onlyKnown } from './known.ts'
import { MessageChannelMain } from './ports.ts'
import { net, session } from './session.ts'
import { utilityProcess } from './utility-process.ts'

const webContents = onlyKnown('webContents module', contentsModule)
const { protocol } = session.defaultSession

const electron = onlyKnown('electron', {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  ipcMain,
  Menu,
  MenuItem,
  MessageChannelMain,
  nativeTheme,
  net,
  Notification,
  powerSaveBlocker,
  protocol,
  screen,
  session,
  shell,
  utilityProcess,
  webContents,
})

export {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  electron as default,
  // What require('electron') returns.
  electron as 'module.exports',
  ipcMain,
  Menu,
  MenuItem,
  MessageChannelMain,
  nativeTheme,
  net,
  Notification,
  powerSaveBlocker,
  protocol,
  screen,
  session,
  shell,
  utilityProcess,
  webContents,
}
