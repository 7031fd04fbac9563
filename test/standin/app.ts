// app: readiness, paths, the single-instance lock and the order in which an Electron app quits.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Chromium, startChromium } from './chromium.ts'
import { CancellableEvent, KnownEmitter, onlyKnown } from './known.ts'
import { lockSchemes, startSchemeServer } from './scheme-server.ts'

/** What quitting does to a window. */
interface OpenWindow {
  close(): void
  destroy(): void
}

/** Every window that is not closed. */
export const openWindows = new Set<OpenWindow>()
/** Processes that end with the app. */
export const utilityChildren = new Set<{ kill(): unknown }>()

const boot = globalThis.standinBoot
const manifest = readManifest()

function readManifest(): { name?: string; productName?: string; version?: string } {
  try {
    return JSON.parse(readFileSync(join(boot.appPath, 'package.json'), 'utf8')) as { name?: string }
  } catch {
    return {} // a bare main file has no manifest; Electron then calls itself Electron
  }
}

const switchValue = (name: string): string | undefined => {
  const prefix = `--${name}=`
  return boot.argv.find((word) => word.startsWith(prefix))?.slice(prefix.length)
}

const commandLine = onlyKnown('app.commandLine', {
  /** Chromium is started with the stand-in's own switches; the app's are not passed on. */
  appendSwitch(): void {},
  hasSwitch: (name: string): boolean => boot.argv.includes(`--${name}`) || switchValue(name) !== undefined,
  getSwitchValue: (name: string): string => switchValue(name) ?? '',
})

class App extends KnownEmitter {
  readonly isPackaged = boot.packaged
  readonly commandLine = commandLine
  readonly chromium: Promise<Chromium>
  name = manifest.productName ?? manifest.name ?? 'Electron'
  private readonly paths: Record<string, string> = {}
  private readonly started: Promise<void>
  private ready = false
  private quitting = false
  private lock: { server: Server; file: string } | undefined = undefined

  constructor() {
    super('app', appEvents)
    this.chromium = this.startBrowser()
    this.started = this.start()
  }

  private async startBrowser(): Promise<Chromium> {
    while (this.otherInstance() !== undefined) await wait(20) // its Chromium owns the profile; this one is about to quit
    const userData = switchValue('user-data-dir')
    const profile = userData === undefined ? undefined : join(userData, 'chromium')
    return startChromium({ profile, schemePort: await startSchemeServer() })
  }

  private async start(): Promise<void> {
    try {
      await this.chromium
    } catch (error) {
      console.error('electron stand-in: Chromium could not be started:', error)
      process.exit(1)
    }
    this.ready = true
    lockSchemes()
    this.emit('ready', {}, {})
  }

  whenReady(): Promise<void> {
    return this.started
  }

  isReady(): boolean {
    return this.ready
  }

  getName(): string {
    return this.name
  }

  setName(name: string): void {
    this.name = name
  }

  getVersion(): string {
    return manifest.version ?? '0.0.0'
  }

  getAppPath(): string {
    return boot.appPath
  }

  getLocale(): string {
    return switchValue('lang') ?? 'en-US'
  }

  getSystemLocale(): string {
    return this.getLocale()
  }

  getPreferredSystemLanguages(): string[] {
    return [this.getLocale()]
  }

  getPath(name: string): string {
    const configured = process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config')
    const userData = switchValue('user-data-dir') ?? join(configured, this.name)
    const known: Record<string, string> = {
      home: homedir(),
      appData: configured,
      userData,
      sessionData: userData,
      temp: tmpdir(),
      logs: join(userData, 'logs'),
      crashDumps: join(userData, 'Crashpad'),
      exe: boot.argv[0] ?? '',
      module: boot.argv[0] ?? '',
      desktop: join(homedir(), 'Desktop'),
      documents: join(homedir(), 'Documents'),
      downloads: join(homedir(), 'Downloads'),
    }
    const path = this.paths[name] ?? known[name]
    if (path === undefined) throw new Error(`Failed to get '${name}' path`)
    if (['userData', 'sessionData', 'logs'].includes(name)) mkdirSync(path, { recursive: true })
    return path
  }

  setPath(name: string, path: string): void {
    this.paths[name] = path
  }

  enableSandbox(): void {
    if (this.ready) throw new Error('app.enableSandbox() can only be called before app is ready')
  }

  setAppUserModelId(): void {}

  setAboutPanelOptions(): void {}

  focus(): void {}

  /** The id of a live process that holds this profile's lock. */
  private otherInstance(): number | undefined {
    try {
      const pid = Number(readFileSync(`${this.lockFile()}.pid`, 'utf8'))
      process.kill(pid, 0)
      return pid === process.pid ? undefined : pid
    } catch {
      return undefined // no lock, or its owner is gone
    }
  }

  private lockFile(): string {
    const name = createHash('sha256').update(this.getPath('userData')).digest('hex').slice(0, 16)
    return join(tmpdir(), `standin-${name}.lock`)
  }

  requestSingleInstanceLock(extra: unknown = null): boolean {
    if (this.lock) return true
    const file = this.lockFile()
    if (this.otherInstance() !== undefined) {
      connect(file).end(JSON.stringify({ argv: boot.argv, folder: process.cwd(), extra }))
      return false
    }
    rmSync(file, { force: true })
    writeFileSync(`${file}.pid`, String(process.pid))
    const server = createServer((socket) => {
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk.toString()
      })
      socket.on('end', () => {
        const second = JSON.parse(text) as { argv: string[]; folder: string; extra: unknown }
        this.emit('second-instance', {}, second.argv, second.folder, second.extra)
      })
    })
    this.lock = { server: server.listen(file).unref(), file }
    return true
  }

  hasSingleInstanceLock(): boolean {
    return this.lock !== undefined
  }

  releaseSingleInstanceLock(): void {
    if (!this.lock) return
    this.lock.server.close()
    rmSync(this.lock.file, { force: true })
    rmSync(`${this.lock.file}.pid`, { force: true })
    this.lock = undefined
  }

  /** before-quit, then every window's close and closed, then will-quit, then quit; any of the first may refuse. */
  quit(): void {
    if (this.quitting || this.refused('before-quit')) return
    this.quitting = true
    for (const window of openWindows) window.close()
    if (openWindows.size > 0 || this.refused('will-quit')) {
      this.quitting = false
      return
    }
    this.exit(0)
  }

  private refused(event: string): boolean {
    const cancellable = new CancellableEvent()
    this.emit(event, cancellable)
    return cancellable.defaultPrevented
  }

  /** Asks nobody. */
  exit(code = 0): void {
    this.quitting = true
    for (const window of openWindows) window.destroy()
    this.emit('quit', {}, code)
    for (const child of utilityChildren) child.kill()
    void this.leave(code)
  }

  /** The browser writes what pages stored before the process ends, as Electron does; a dead browser is not waited for. */
  private async leave(code: number): Promise<void> {
    // What was written to the first instance's socket must leave before this process does.
    if (this.otherInstance() !== undefined) await wait(100)
    else await Promise.race([this.chromium.then((chromium) => chromium.close()), wait(1000)]).catch(() => undefined)
    this.releaseSingleInstanceLock()
    process.exit(code)
  }

  /** A window is gone; the last one ends the app unless it listens and decides otherwise. */
  windowClosed(): void {
    if (openWindows.size > 0 || this.quitting) return
    if (this.listenerCount('window-all-closed') > 0) this.emit('window-all-closed')
    else this.quit()
  }
}

const appEvents = [
  'before-quit',
  'browser-window-created',
  'child-process-gone',
  'quit',
  'ready',
  'render-process-gone',
  'second-instance',
  'web-contents-created',
  'will-quit',
  'window-all-closed',
  // Not sent here: macOS's own, and what needs a real network stack or GPU process.
  'activate',
  'certificate-error',
  'open-file',
  'open-url',
  'select-client-certificate',
]

export const app = new App()

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())
