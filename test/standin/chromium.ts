// Starts one headless Chromium for the whole app and speaks the DevTools protocol with it over one socket.
// Announces the endpoint on stderr as Electron does, so that Playwright can attach to the same browser.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Params = Record<string, unknown>
type EventHandler = (method: string, params: Params) => void

/** Host names under this one are served by the stand-in itself: that is how `app://` pages reach Chromium. */
export const schemeHost = 'standin.localhost'

/** One browser socket with flat sessions; session '' is the browser itself. */
export class Chromium {
  private readonly socket: WebSocket
  private readonly pending = new Map<number, { resolve(value: Params): void; reject(error: Error): void }>()
  private readonly handlers = new Map<string, EventHandler>()
  private lastId = 0

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.addEventListener('message', (event) => this.receive(JSON.parse(String(event.data)) as Reply))
  }

  /** Sends one command; rejects with Chromium's message. */
  send(method: string, params: Params = {}, sessionId = ''): Promise<Params> {
    this.lastId += 1
    const id = this.lastId
    this.socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }))
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }))
  }

  onEvent(sessionId: string, handler: EventHandler): void {
    this.handlers.set(sessionId, handler)
  }

  /** Ends the browser and waits until it has written what pages stored. */
  async close(): Promise<void> {
    if (this.socket.readyState !== WebSocket.OPEN) return
    const closed = new Promise((resolve) => this.socket.addEventListener('close', resolve))
    await this.send('Browser.close')
    await closed
  }

  private receive(reply: Reply): void {
    if (reply.id === undefined) {
      this.handlers.get(reply.sessionId ?? '')?.(reply.method ?? '', reply.params ?? {})
      return
    }
    const waiting = this.pending.get(reply.id)
    this.pending.delete(reply.id)
    if (reply.error) waiting?.reject(new Error(reply.error.message))
    else waiting?.resolve(reply.result ?? {})
  }
}

interface Reply {
  id?: number
  sessionId?: string
  method?: string
  params?: Params
  result?: Params
  error?: { message: string }
}

const candidates = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Starts Chromium; `profile` undefined means one that is deleted at exit. */
export async function startChromium(options: { profile: string | undefined; schemePort: number }): Promise<Chromium> {
  const program = process.env['STANDIN_CHROMIUM'] ?? candidates.find((file) => existsSync(file))
  if (!program) throw new Error(`no Chromium at ${candidates.join(', ')}; install it or set STANDIN_CHROMIUM`)
  const profile = options.profile ?? mkdtempSync(join(tmpdir(), 'standin-'))
  const child = spawn(
    program,
    [...chromiumFlags, ...displayFlags(), ...hostFlags(options.schemePort), `--user-data-dir=${profile}`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  process.on('exit', () => {
    child.kill('SIGKILL')
    if (!options.profile) rmSync(profile, { recursive: true, force: true, maxRetries: 3 })
  })
  const endpoint = await readEndpoint(child)
  const socket = new WebSocket(endpoint)
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`Chromium refused ${endpoint}`)))
  })
  const chromium = new Chromium(socket)
  await chromium.send('Target.setDiscoverTargets', { discover: true })
  process.stderr.write(`\nDevTools listening on ${endpoint}\n`)
  return chromium
}

const chromiumFlags = [
  '--remote-debugging-port=0',
  '--no-startup-window',
  '--no-first-run',
  '--no-default-browser-check',
  '--allow-file-access-from-files',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-sync',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
  '--password-store=basic',
]

function displayFlags(): string[] {
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return process.env['STANDIN_HEADED'] ? root : [...root, '--headless=new', '--hide-scrollbars']
}

function hostFlags(schemePort: number): string[] {
  return [`--host-resolver-rules=MAP *.${schemeHost} 127.0.0.1:${schemePort}`]
}

function readEndpoint(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length > 20_000) return
      said += chunk.toString()
      const found = /DevTools listening on (ws:\S+)/.exec(said)
      if (found?.[1]) resolve(found[1])
    })
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`Chromium ended with ${code}\n${said}`)))
  })
}
