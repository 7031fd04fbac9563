// webContents: one Chromium page over CDP, with the preload in a real isolated world and messages in batches, in order.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Chromium } from './chromium.ts'
import { encode, decode } from './clone.ts'
import { ipcMain } from './ipc-main.ts'
import { CancellableEvent, KnownEmitter, unknownPart } from './known.ts'
import {
  consoleMessage,
  type NavigatedFrame,
  type PausedRequest,
  resourceTypes,
  webContentsEvents,
  type WorldContext,
} from './page-events.ts'
import { type FromPage, pageWorldSource, preloadWorldSource, type ToPage } from './page-preload.ts'
import { type MessagePortMain, PortTable } from './ports.ts'
import { fromChromium, toChromium } from './scheme-server.ts'
import { askPermissions, filterRequest, session } from './session.ts'

type Params = Record<string, unknown>

/** What a page needs from its window. */
export interface PageOwner {
  appPath: string
  size(): { width: number; height: number }
  preload: string | undefined
  chromium: Promise<Chromium>
  askToClose(): void
}

const worldName = 'Electron Isolated Context'
let nextId = 1

export class WebContents extends KnownEmitter {
  readonly id = nextId++
  readonly session = session.defaultSession
  readonly ready: Promise<void>
  targetId = ''
  private readonly owner: PageOwner
  private readonly ports: PortTable
  private browser: Chromium | undefined = undefined
  private sessionId = ''
  private queue: ToPage[] = []
  private flushing = false
  private world: number | undefined = undefined
  private mainFrameId = ''
  private url = ''
  private title = ''
  private ownNavigation = ''
  private loading: { resolve(): void; reject(error: Error): void } | undefined = undefined
  private shown = false
  private destroyed = false
  private crashed = false
  private openHandler:
    | ((details: { url: string; frameName: string; disposition: string }) => { action: string })
    | undefined = undefined

  constructor(owner: PageOwner) {
    super('webContents', webContentsEvents)
    this.owner = owner
    this.ports = new PortTable((frame) => this.post(frame), 2)
    this.ready = this.open()
    this.ready.catch((error: unknown) => console.error('electron stand-in: a window could not be opened', error))
  }

  private async open(): Promise<void> {
    this.browser = await this.owner.chromium
    const target = await this.browser.send('Target.createTarget', {
      url: 'about:blank',
      newWindow: true,
      ...this.owner.size(),
    })
    this.targetId = String(target['targetId'])
    const attached = await this.browser.send('Target.attachToTarget', { targetId: this.targetId, flatten: true })
    this.sessionId = String(attached['sessionId'])
    this.browser.onEvent(this.sessionId, (method, params) => this.onPageEvent(method, params))
    const secret = `standin-${randomBytes(8).toString('hex')}`
    const binding = `standin${randomBytes(8).toString('hex')}`
    const openBinding = `${binding}open`
    const { platform, arch, versions } = process
    const preload = this.owner.preload ? readFileSync(this.owner.preload, 'utf8') : ''
    const worldSource = preloadWorldSource({ secret, binding, environment: { platform, arch, versions }, preload })
    await Promise.all([
      this.command('Page.enable'),
      this.command('Runtime.enable'),
      this.command('Runtime.addBinding', { name: binding, executionContextName: worldName }),
      this.command('Runtime.addBinding', { name: openBinding }),
      this.command('Page.addScriptToEvaluateOnNewDocument', { source: pageWorldSource(secret, openBinding) }),
      this.command('Page.addScriptToEvaluateOnNewDocument', { source: worldSource, worldName }),
      this.command('Fetch.enable', { patterns: [{ urlPattern: '*' }] }),
    ])
    this.mainFrameId = this.targetId
  }

  /** One DevTools command to this page. */
  command(method: string, params: Params = {}): Promise<Params> {
    if (!this.browser) throw new Error('electron stand-in: the page is not open yet')
    return this.browser.send(method, params, this.sessionId)
  }

  private onPageEvent(method: string, params: Params): void {
    if (method === 'Runtime.executionContextCreated') this.onWorld(params['context'] as WorldContext)
    else if (method === 'Runtime.executionContextDestroyed' && params['executionContextId'] === this.world)
      this.onWorldGone()
    else if (method === 'Runtime.executionContextsCleared') this.onWorldGone()
    else if (method === 'Runtime.bindingCalled') this.onBinding(String(params['name']), String(params['payload']))
    else if (method === 'Runtime.consoleAPICalled') this.emit('console-message', consoleMessage(params))
    else if (method === 'Page.domContentEventFired' && this.url) this.emit('dom-ready')
    else if (method === 'Page.loadEventFired' && this.url) this.onLoaded()
    else if (method === 'Page.frameNavigated') this.onNavigated(params['frame'] as NavigatedFrame)
    else if (method === 'Fetch.requestPaused') void this.onRequest(params as unknown as PausedRequest)
    else if (method === 'Inspector.targetCrashed') this.onCrash()
  }

  private onWorld(context: WorldContext): void {
    if (context.name !== worldName || context.auxData?.frameId !== this.mainFrameId) return
    this.world = context.id
    void this.flush()
  }

  private onWorldGone(): void {
    if (this.world === undefined) return
    this.world = undefined
    this.queue = []
    this.ports.closeAll()
  }

  private onNavigated(frame: NavigatedFrame): void {
    if (frame.parentId) return
    this.url = frame.url === 'about:blank' ? '' : fromChromium(frame.url)
    if (this.url) this.emit('did-navigate', {}, this.url, 200, '')
  }

  private onLoaded(): void {
    this.emit('did-finish-load')
    this.loading?.resolve()
    this.loading = undefined
    if (this.shown) return
    this.shown = true
    this.emit('standin-ready-to-show')
  }

  private onCrash(): void {
    this.crashed = true
    this.onWorldGone()
    this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 })
  }

  private onBinding(name: string, payload: string): void {
    if (name.endsWith('open')) this.onWindowOpen((JSON.parse(payload) as { url: string }).url)
    else for (const frame of JSON.parse(payload) as FromPage[]) this.onFrame(frame)
  }

  /** Nothing opens (see page-preload.ts), so a handler that would allow a window cannot be served. */
  private onWindowOpen(url: string): void {
    if (!this.openHandler) throw unknownPart(`window.open('${url}') without setWindowOpenHandler`)
    const details = { url: fromChromium(url), frameName: '', disposition: 'foreground-tab' }
    const { action } = this.openHandler(details)
    if (action !== 'deny') throw unknownPart(`setWindowOpenHandler action '${action}'`)
  }

  private async onRequest({ requestId, request, resourceType, frameId }: PausedRequest): Promise<void> {
    const url = fromChromium(request.url)
    const mainDocument = resourceType === 'Document' && frameId === this.mainFrameId
    if (mainDocument && url !== this.ownNavigation && url !== this.url && this.willNavigate(url)) {
      await this.command('Fetch.failRequest', { requestId, errorReason: 'Aborted' }).catch(() => undefined)
      return
    }
    const type = mainDocument ? 'mainFrame' : (resourceTypes[resourceType] ?? 'other')
    const details = {
      id: nextId++,
      url,
      method: request.method,
      resourceType: type,
      webContentsId: this.id,
      timestamp: Date.now(),
    }
    const { cancel, redirectURL } = await filterRequest(details)
    const blocked = cancel ? { requestId, errorReason: 'BlockedByClient' } : undefined
    const passed = redirectURL ? { requestId, url: toChromium(redirectURL) } : { requestId }
    // The page may be gone by now; then there is nothing left to answer.
    await (blocked ? this.command('Fetch.failRequest', blocked) : this.command('Fetch.continueRequest', passed)).catch(
      () => undefined,
    )
  }

  /** Whether the app refused to let the page go to `url`. */
  private willNavigate(url: string): boolean {
    const event = Object.assign(new CancellableEvent(), { url, isMainFrame: true, isSameDocument: false })
    this.emit('will-navigate', event, url)
    return event.defaultPrevented
  }

  private onFrame(frame: FromPage): void {
    if (frame.t === 'port' || frame.t === 'port-close') this.ports.receive(frame)
    else if (frame.t === 'preload-error') {
      const error = decode(frame.v)
      console.error(`Unable to load preload script: ${this.owner.preload}`, error)
      this.emit('preload-error', {}, this.owner.preload, error)
    } else {
      const values = frame.v.map((one) => decode(one))
      const ports = frame.t === 'send' ? frame.ports.map((id) => this.ports.take(id)) : []
      const event = {
        type: 'frame',
        processId: 1,
        frameId: 1,
        sender: this,
        senderFrame: this.mainFrame,
        ports,
        reply: this.send.bind(this),
      }
      if (frame.t === 'invoke') void this.answer(frame.id, frame.channel, { event, values })
      else ipcMain.emit(frame.channel, event, ...values)
    }
  }

  private async answer(id: number, channel: string, call: { event: object; values: unknown[] }): Promise<void> {
    try {
      this.post({ t: 'reply', id, v: encode(await ipcMain.answer(channel, call.event, call.values)) })
    } catch (error) {
      console.error(`Error occurred in handler for '${channel}':`, error)
      this.post({ t: 'reply', id, error: String(error) })
    }
  }

  private post(frame: ToPage): void {
    this.queue.push(frame)
    if (this.queue.length === 1) setImmediate(() => void this.flush())
  }

  /** One evaluation in flight: under load frames travel in batches, and their order is kept. */
  private async flush(): Promise<void> {
    if (this.flushing || this.world === undefined || this.queue.length === 0) return
    this.flushing = true
    const text = JSON.stringify(this.queue)
    this.queue = []
    try {
      await this.command('Runtime.callFunctionOn', {
        executionContextId: this.world,
        functionDeclaration: 'function(text){globalThis.__standinReceive(text)}',
        arguments: [{ value: text }],
        silent: true,
      })
    } catch (error) {
      // A world that ended under way takes its messages with it, as in Electron.
      if (this.world !== undefined && !this.destroyed) console.error('electron stand-in: messages were lost', error)
    }
    this.flushing = false
    void this.flush()
  }

  send(channel: string, ...values: unknown[]): void {
    this.post({ t: 'message', channel, v: values.map((one) => encode(one)), ports: [] })
  }

  postMessage(channel: string, value: unknown, transfer: MessagePortMain[] = []): void {
    const v = [encode(value)]
    this.post({ t: 'message', channel, v, ports: transfer.map((port) => this.ports.give(port)) })
  }

  async loadURL(address: string): Promise<void> {
    await this.ready
    this.ownNavigation = address.replace(/^([a-z]+:\/\/[^/]+)$/, '$1/')
    const url = toChromium(address)
    await this.applyPermissions(url)
    const loaded = new Promise<void>((resolve, reject) => {
      this.loading = { resolve, reject }
    })
    const { errorText } = await this.command('Page.navigate', { url })
    if (errorText) {
      const reason = String(errorText).replace('net::', '')
      this.emit('did-fail-load', {}, -2, reason, address, true)
      throw new Error(`${reason} (-2) loading '${address}'`)
    }
    await loaded
  }

  private async applyPermissions(url: string): Promise<void> {
    const { origin } = new URL(url)
    if (!origin.startsWith('http')) return
    for (const { name, granted } of await askPermissions(this, fromChromium(url)))
      await this.browser?.send('Browser.setPermission', {
        permission: { name },
        setting: granted ? 'granted' : 'denied',
        origin,
      })
  }

  loadFile(file: string): Promise<void> {
    return this.loadURL(pathToFileURL(resolve(this.owner.appPath, file)).href)
  }

  get mainFrame(): { url: string; origin: string; routingId: number; parent: null; top: null } {
    const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/]*/i.exec(this.url)?.[0] ?? 'null'
    return { url: this.url, origin, routingId: 1, parent: null, top: null }
  }

  getURL(): string {
    return this.url
  }

  getTitle(): string {
    return this.title
  }

  isDestroyed(): boolean {
    return this.destroyed
  }

  isCrashed(): boolean {
    return this.crashed
  }

  isLoading(): boolean {
    return this.loading !== undefined
  }

  reload(): void {
    this.crashed = false
    void this.command('Page.reload')
  }

  forcefullyCrashRenderer(): void {
    // Chromium answers this command never: the page that should is gone.
    this.command('Page.crash').catch(() => undefined)
  }

  setWindowOpenHandler(handler: WebContents['openHandler']): void {
    this.openHandler = handler
  }

  setIgnoreMenuShortcuts(): void {}

  async executeJavaScript(code: string): Promise<unknown> {
    await this.ready
    const { result, exceptionDetails } = (await this.command('Runtime.evaluate', {
      expression: code,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    })) as { result: { value: unknown }; exceptionDetails?: { exception?: { description?: string } } }
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'Script failed to execute')
    return result.value
  }

  close(): void {
    this.owner.askToClose()
  }

  /** Called by the window once the page is gone. */
  markDestroyed(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.onWorldGone()
    this.emit('destroyed')
  }

  setTitle(title: string): void {
    this.title = title
    this.emit('page-title-updated', new CancellableEvent(), title, true)
  }
}
