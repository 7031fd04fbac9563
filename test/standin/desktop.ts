// What an app asks of the desktop: dialogs, menus, shell, theme, clipboard, screen, power. There is no desktop here, so a dialog
// that the test did not answer throws, and what is handed to the desktop is written to stderr.
import { app, openWindows } from './app.ts'
import { BrowserWindow } from './browser-window.ts'
import { KnownEmitter, onlyKnown, onlyKnownOptions, unknownPart } from './known.ts'

const unanswered = (name: string) => async (): Promise<never> => {
  throw new Error(`electron stand-in: dialog.${name} was called and the test has not replaced it with an answer`)
}

const handOver = (what: string): void => {
  process.stderr.write(`electron stand-in: ${what}\n`)
}

export const dialog = onlyKnown('dialog', {
  showOpenDialog: unanswered('showOpenDialog'),
  showSaveDialog: unanswered('showSaveDialog'),
  showMessageBox: unanswered('showMessageBox'),
  showErrorBox: (title: string, content: string): void => handOver(`error box "${title}": ${content}`),
})

export const shell = onlyKnown('shell', {
  openExternal: async (url: string): Promise<void> => handOver(`open ${url} in the browser`),
  openPath: async (path: string): Promise<string> => {
    handOver(`open ${path}`)
    return ''
  },
  showItemInFolder: (path: string): void => handOver(`show ${path} in its folder`),
  beep: (): void => handOver('beep'),
})

interface ItemOptions {
  id?: string
  label?: string
  role?: string
  type?: 'normal' | 'separator' | 'submenu' | 'checkbox' | 'radio'
  enabled?: boolean
  visible?: boolean
  checked?: boolean
  accelerator?: string
  click?: (item: MenuItem, window: BrowserWindow | undefined, event: object) => void
  submenu?: ItemOptions[] | Menu
}

const itemOptions = [
  'id',
  'label',
  'role',
  'type',
  'enabled',
  'visible',
  'checked',
  'accelerator',
  'click',
  'submenu',
  'toolTip',
]

const focused = (): BrowserWindow | undefined => BrowserWindow.getFocusedWindow() ?? undefined
const evaluate = (code: string): unknown => focused()?.webContents.executeJavaScript(code)

// Roles with what they do; an undefined one is accepted in a menu but cannot be clicked here.
const roles: Record<string, (() => unknown) | undefined> = {
  close: () => focused()?.close(),
  copy: () => evaluate("document.execCommand('copy')"),
  cut: () => evaluate("document.execCommand('cut')"),
  delete: () => evaluate("document.execCommand('delete')"),
  minimize: () => focused()?.minimize(),
  quit: () => app.quit(),
  redo: () => evaluate("document.execCommand('redo')"),
  reload: () => focused()?.reload(),
  selectall: () => evaluate("document.execCommand('selectAll')"),
  togglefullscreen: () => focused()?.setFullScreen(!focused()?.isFullScreen()),
  undo: () => evaluate("document.execCommand('undo')"),
  about: undefined,
  appmenu: undefined,
  editmenu: undefined,
  filemenu: undefined,
  forcereload: undefined,
  front: undefined,
  help: undefined,
  hide: undefined,
  hideothers: undefined,
  paste: undefined,
  resetzoom: undefined,
  services: undefined,
  toggledevtools: undefined,
  unhide: undefined,
  viewmenu: undefined,
  window: undefined,
  windowmenu: undefined,
  zoomin: undefined,
  zoomout: undefined,
}

/** One line of a menu; `click()` does what a user's click does. */
export class MenuItem {
  readonly id: string | undefined
  readonly label: string
  readonly role: string | undefined
  readonly type: string
  readonly accelerator: string | undefined
  readonly submenu: Menu | undefined
  enabled: boolean
  visible: boolean
  checked: boolean
  private readonly onClick: ItemOptions['click']

  constructor(options: ItemOptions) {
    onlyKnownOptions('MenuItem', options, itemOptions)
    this.role = options.role?.toLowerCase()
    if (this.role !== undefined && !(this.role in roles)) throw unknownPart(`menu role '${options.role}'`)
    this.id = options.id
    this.label = options.label ?? options.role ?? ''
    this.submenu = Array.isArray(options.submenu) ? Menu.buildFromTemplate(options.submenu) : options.submenu
    this.type = options.type ?? (this.submenu ? 'submenu' : 'normal')
    this.accelerator = options.accelerator
    this.enabled = options.enabled ?? true
    this.visible = options.visible ?? true
    this.checked = options.checked ?? false
    this.onClick = options.click
  }

  click(): void {
    if (!this.enabled) return
    if (this.type === 'checkbox') this.checked = !this.checked
    if (this.role !== undefined) {
      const act = roles[this.role]
      if (!act) throw unknownPart(`a click on menu role '${this.role}'`)
      act()
    } else this.onClick?.(this, focused(), {})
  }
}

export class Menu {
  static applicationMenu: Menu | null = null
  readonly items: MenuItem[] = []

  static buildFromTemplate(template: (ItemOptions | MenuItem)[]): Menu {
    const menu = new Menu()
    for (const one of template) menu.append(one instanceof MenuItem ? one : new MenuItem(one))
    return menu
  }

  static setApplicationMenu(menu: Menu | null): void {
    Menu.applicationMenu = menu
  }

  static getApplicationMenu(): Menu | null {
    return Menu.applicationMenu
  }

  append(item: MenuItem): void {
    this.items.push(item)
  }

  getMenuItemById(id: string): MenuItem | null {
    for (const item of this.items) {
      const found = item.id === id ? item : item.submenu?.getMenuItemById(id)
      if (found) return found
    }
    return null
  }

  popup(): never {
    throw unknownPart('Menu.popup')
  }
}

class NativeTheme extends KnownEmitter {
  private source = 'system'

  constructor() {
    super('nativeTheme', ['updated'])
    app.on('browser-window-created', (_event: object, window: BrowserWindow) => void this.apply(window))
  }

  get themeSource(): string {
    return this.source
  }

  set themeSource(source: string) {
    if (!['system', 'light', 'dark'].includes(source))
      throw new Error(`Error processing argument: themeSource '${source}'`)
    this.source = source
    for (const window of openWindows) void this.apply(window as BrowserWindow)
    this.emit('updated')
  }

  get shouldUseDarkColors(): boolean {
    return this.source === 'dark'
  }

  private async apply(window: BrowserWindow): Promise<void> {
    await window.webContents.ready
    if (this.source === 'system') return
    const features = [{ name: 'prefers-color-scheme', value: this.source }]
    await window.webContents.command('Emulation.setEmulatedMedia', { features })
  }
}

export const nativeTheme = new NativeTheme()

let clipboardText = ''
export const clipboard = onlyKnown('clipboard', {
  readText: (): string => clipboardText,
  writeText: (text: string): void => {
    clipboardText = text
  },
})

const display = {
  id: 1,
  scaleFactor: 1,
  bounds: { x: 0, y: 0, width: 1920, height: 1080 },
  workArea: { x: 0, y: 0, width: 1920, height: 1080 },
  workAreaSize: { width: 1920, height: 1080 },
}
export const screen = onlyKnown('screen', {
  getPrimaryDisplay: () => display,
  getAllDisplays: () => [display],
  getDisplayMatching: () => display,
})

const blockers = new Set<number>()
let lastBlocker = 0
export const powerSaveBlocker = onlyKnown('powerSaveBlocker', {
  start(): number {
    lastBlocker += 1
    blockers.add(lastBlocker)
    return lastBlocker
  },
  stop: (id: number): boolean => blockers.delete(id),
  isStarted: (id: number): boolean => blockers.has(id),
})

/** Says that the desktop shows none, as on a desktop without a notification service. */
export class Notification {
  constructor() {
    throw unknownPart('Notification (isSupported() said false)')
  }

  static isSupported(): boolean {
    return false
  }
}
