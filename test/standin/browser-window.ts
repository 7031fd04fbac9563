// BrowserWindow: a Chromium window for one webContents, with bounds, visibility and the order of close events.
import { resolve } from 'node:path'
import { app, openWindows } from './app.ts'
import { CancellableEvent, KnownEmitter, onlyKnownOptions, unknownPart } from './known.ts'
import { WebContents } from './web-contents.ts'

interface Bounds {
  x: number
  y: number
  width: number
  height: number
}

interface WebPreferences {
  preload?: string
  sandbox?: boolean
  contextIsolation?: boolean
  nodeIntegration?: boolean
}

type WindowOptions = Partial<Bounds> & { show?: boolean; title?: string; webPreferences?: WebPreferences }

let nextId = 1

export class BrowserWindow extends KnownEmitter {
  readonly id = nextId++
  readonly webContents: WebContents
  private bounds: Bounds
  private visible: boolean
  private minimized = false
  private maximized = false
  private fullScreen = false
  private closed = false

  constructor(options: WindowOptions = {}) {
    super('BrowserWindow', windowEvents)
    if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
    checkOptions(options)
    this.bounds = { x: options.x ?? 0, y: options.y ?? 0, width: options.width ?? 800, height: options.height ?? 600 }
    this.visible = options.show !== false
    const preload = options.webPreferences?.preload
    this.webContents = new WebContents({
      appPath: app.getAppPath(),
      preload: preload === undefined ? undefined : resolve(preload),
      chromium: app.chromium,
      size: () => ({ width: this.bounds.width, height: this.bounds.height }),
      askToClose: () => this.close(),
    })
    this.webContents.on('standin-ready-to-show', () => this.emit('ready-to-show'))
    this.webContents.on('render-process-gone', (_event: object, details: object) =>
      app.emit('render-process-gone', {}, this.webContents, details),
    )
    openWindows.add(this)
    app.emit('browser-window-created', {}, this)
    app.emit('web-contents-created', {}, this.webContents)
  }

  static getAllWindows(): BrowserWindow[] {
    return [...openWindows] as BrowserWindow[]
  }

  static fromWebContents(contents: WebContents | null): BrowserWindow | null {
    return BrowserWindow.getAllWindows().find((window) => window.webContents.id === contents?.id) ?? null
  }

  static fromId(id: number): BrowserWindow | null {
    return BrowserWindow.getAllWindows().find((window) => window.id === id) ?? null
  }

  static getFocusedWindow(): BrowserWindow | null {
    return BrowserWindow.getAllWindows().find((window) => window.isVisible()) ?? null
  }

  loadURL(address: string): Promise<void> {
    return this.webContents.loadURL(address)
  }

  loadFile(file: string): Promise<void> {
    return this.webContents.loadFile(file)
  }

  reload(): void {
    this.webContents.reload()
  }

  show(): void {
    this.visible = true
    this.emit('show')
  }

  hide(): void {
    this.visible = false
    this.emit('hide')
  }

  isVisible(): boolean {
    return this.visible
  }

  focus(): void {
    this.emit('focus')
  }

  isFocused(): boolean {
    return this.visible
  }

  minimize(): void {
    this.minimized = true
    this.emit('minimize')
  }

  isMinimized(): boolean {
    return this.minimized
  }

  maximize(): void {
    this.maximized = true
    this.emit('maximize')
  }

  unmaximize(): void {
    this.maximized = false
    this.emit('unmaximize')
  }

  isMaximized(): boolean {
    return this.maximized
  }

  restore(): void {
    this.minimized = false
    this.emit('restore')
  }

  setFullScreen(full: boolean): void {
    this.fullScreen = full
    this.emit(full ? 'enter-full-screen' : 'leave-full-screen')
  }

  isFullScreen(): boolean {
    return this.fullScreen
  }

  getBounds(): Bounds {
    return { ...this.bounds }
  }

  getNormalBounds(): Bounds {
    return this.getBounds()
  }

  getSize(): [number, number] {
    return [this.bounds.width, this.bounds.height]
  }

  setSize(width: number, height: number): void {
    this.setBounds({ width, height })
  }

  setBounds(change: Partial<Bounds>): void {
    this.bounds = { ...this.bounds, ...change }
    void this.applyBounds()
    this.emit('resize')
  }

  private async applyBounds(): Promise<void> {
    await this.webContents.ready
    const { windowId } = await this.webContents.command('Browser.getWindowForTarget')
    const { width, height } = this.bounds
    await this.webContents.command('Browser.setWindowBounds', { windowId, bounds: { width, height } })
  }

  getTitle(): string {
    return this.webContents.getTitle()
  }

  setTitle(title: string): void {
    this.webContents.setTitle(title)
  }

  setBackgroundColor(): void {}

  setMenuBarVisibility(): void {}

  setProgressBar(): void {}

  setTitleBarOverlay(): void {}

  isDestroyed(): boolean {
    return this.closed
  }

  /** As the user's close button does: the app may refuse. */
  close(): void {
    const event = new CancellableEvent()
    this.emit('close', event)
    if (!event.defaultPrevented) this.destroy()
  }

  destroy(): void {
    if (this.closed) return
    const contents = this.webContents
    // The page may be gone already, or the browser with it.
    void contents.ready.then(() => contents.command('Page.close')).catch(() => undefined)
    this.markClosed()
  }

  /** The page has ended, whoever ended it. */
  markClosed(): void {
    if (this.closed) return
    this.closed = true
    openWindows.delete(this)
    this.webContents.markDestroyed()
    this.emit('closed')
    app.windowClosed()
  }
}

function checkOptions(options: WindowOptions): void {
  onlyKnownOptions('BrowserWindow', options, windowOptions)
  const preferences = options.webPreferences ?? {}
  onlyKnownOptions('BrowserWindow webPreferences', preferences, windowPreferences)
  if (preferences.contextIsolation === false || preferences.nodeIntegration === true || preferences.sandbox === false)
    throw unknownPart('BrowserWindow that is not sandboxed and context-isolated')
}

const windowEvents = [
  'close',
  'closed',
  'enter-full-screen',
  'focus',
  'hide',
  'leave-full-screen',
  'maximize',
  'minimize',
  'ready-to-show',
  'resize',
  'restore',
  'show',
  'unmaximize',
  // Not sent here: nobody drags these windows.
  'blur',
  'move',
  'moved',
  'page-title-updated',
  'resized',
  'responsive',
  'unresponsive',
]

const windowOptions = [
  'x',
  'y',
  'width',
  'height',
  'minWidth',
  'minHeight',
  'center',
  'show',
  'title',
  'icon',
  'backgroundColor',
  'autoHideMenuBar',
  'titleBarStyle',
  'titleBarOverlay',
  'trafficLightPosition',
  'useContentSize',
  'webPreferences',
]

const windowPreferences = [
  'preload',
  'sandbox',
  'contextIsolation',
  'nodeIntegration',
  'nodeIntegrationInWorker',
  'nodeIntegrationInSubFrames',
  'webSecurity',
  'allowRunningInsecureContent',
  'webviewTag',
  'spellcheck',
  'devTools',
  'navigateOnDragDrop',
  'safeDialogs',
  'backgroundThrottling',
  'v8CacheOptions',
  'enableWebSQL',
]

/** The webContents module. */
export const contentsModule = {
  getAllWebContents: (): WebContents[] => BrowserWindow.getAllWindows().map((window) => window.webContents),
  fromId: (id: number): WebContents | undefined =>
    contentsModule.getAllWebContents().find((contents) => contents.id === id),
  fromDevToolsTargetId: (target: string): WebContents | undefined =>
    contentsModule.getAllWebContents().find((contents) => contents.targetId === target),
  getFocusedWebContents: (): WebContents | null => BrowserWindow.getFocusedWindow()?.webContents ?? null,
}

/** Pages that end by themselves close their window; titles follow the page. */
void app.chromium.then(
  (chromium) =>
    chromium.onEvent('', (method, params) => {
      const info = params['targetInfo'] as { targetId: string; title: string } | undefined
      const owner = BrowserWindow.getAllWindows().find(
        (window) => window.webContents.targetId === (info?.targetId ?? params['targetId']),
      )
      if (method === 'Target.targetDestroyed') owner?.markClosed()
      if (method === 'Target.targetInfoChanged' && info && owner && info.title !== owner.getTitle())
        owner.webContents.setTitle(info.title)
    }),
  () => undefined, // reported where the app starts
)
