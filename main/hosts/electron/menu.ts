// The application menu, in the language of the settings. Everything the app itself does is in its window; this is the platform's part.

import { app, Menu, type MenuItemConstructorOptions } from 'electron'
import type { Settings } from '../../contract/workspace.ts'

const words = {
  en: {
    file: 'File',
    quit: 'Quit',
    edit: 'Edit',
    undo: 'Undo',
    redo: 'Redo',
    cut: 'Cut',
    copy: 'Copy',
    paste: 'Paste',
    selectAll: 'Select All',
    view: 'View',
    reload: 'Reload',
    zoomIn: 'Zoom In',
    zoomOut: 'Zoom Out',
    resetZoom: 'Actual Size',
    fullScreen: 'Full Screen',
    devTools: 'Developer Tools',
  },
  ja: {
    file: 'ファイル',
    quit: '終了',
    edit: '編集',
    undo: '元に戻す',
    redo: 'やり直す',
    cut: '切り取り',
    copy: 'コピー',
    paste: '貼り付け',
    selectAll: 'すべて選択',
    view: '表示',
    reload: '再読み込み',
    zoomIn: '拡大',
    zoomOut: '縮小',
    resetZoom: '実際のサイズ',
    fullScreen: '全画面表示',
    devTools: '開発者ツール',
  },
} satisfies Record<Settings['language'], Record<string, string>>

/** Replaces the application menu. */
export function setMenu(language: Settings['language']): void {
  const say = words[language]
  const separator: MenuItemConstructorOptions = { type: 'separator' }
  const view: MenuItemConstructorOptions[] = [
    { role: 'reload', label: say.reload },
    separator,
    { role: 'resetZoom', label: say.resetZoom },
    { role: 'zoomIn', label: say.zoomIn },
    { role: 'zoomOut', label: say.zoomOut },
    separator,
    { role: 'togglefullscreen', label: say.fullScreen },
  ]
  if (!app.isPackaged) view.push({ role: 'toggleDevTools', label: say.devTools })
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([
      { label: say.file, submenu: [{ role: 'quit', label: say.quit }] },
      {
        label: say.edit,
        submenu: [
          { role: 'undo', label: say.undo },
          { role: 'redo', label: say.redo },
          separator,
          { role: 'cut', label: say.cut },
          { role: 'copy', label: say.copy },
          { role: 'paste', label: say.paste },
          { role: 'selectAll', label: say.selectAll },
        ],
      },
      { label: say.view, submenu: view },
    ]),
  )
}
