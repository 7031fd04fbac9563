// The typed client of the engine: over the desktop bridge where there is one, else over a WebSocket that reconnects by itself.
// Knows frames and connections only. A call made while the connection is away waits a bounded time, then fails with a remedy.

import type { EngineApi, EngineEvent, MethodInput, MethodName } from '../main/contract/api.ts'
import { AppError } from '../main/contract/errors.ts'
import { connectEngine, type Frame, type Port } from '../main/contract/rpc.ts'

/** What the desktop preload exposes; absent in the web host. */
export interface Bridge extends Port {
  platform: string
  /** Native dialogs; null when the user closes them. */
  chooseFolder(): Promise<string | null>
  chooseFile(): Promise<string | null>
  saveFile(suggestedName: string): Promise<string | null>
  /** Where a chosen or dropped file lies; empty when it lies on no disk. */
  pathOf(file: File): string
}

declare global {
  interface Window {
    labdesk?: Bridge
  }
}

/** State of the connection to the engine. */
export type Link = 'connecting' | 'open' | 'lost'

/** The engine as the screens see it. */
export interface EngineClient extends EngineApi {
  link(): Link
  /** Calls the listener on every change of the connection; returns the unsubscriber. */
  onLink(listener: (link: Link) => void): () => void
  /** Native dialogs, in the desktop app only. */
  readonly bridge: Bridge | null
}

const firstRetryMs = 250
const lastRetryMs = 8000
const callPatienceMs = 15_000

/** Connects to whichever engine this page was opened by. */
export function openEngine(): EngineClient {
  const client = new ReconnectingClient(window.labdesk ?? null)
  if (window.labdesk) client.attach(window.labdesk)
  else dial(client, firstRetryMs)
  return client
}

function dial(client: ReconnectingClient, retryMs: number): void {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
  const socket = new WebSocket(`${scheme}://${location.host}/ws`)
  let wasOpen = false
  socket.addEventListener('open', () => {
    wasOpen = true
    client.attach(socketPort(socket))
  })
  socket.addEventListener('close', () => {
    client.detach()
    const nextMs = wasOpen ? firstRetryMs : Math.min(retryMs * 2, lastRetryMs)
    setTimeout(() => dial(client, nextMs), nextMs)
  })
}

function socketPort(socket: WebSocket): Port {
  return {
    post: (frame: Frame) => socket.send(JSON.stringify(frame)),
    onMessage: (listener) => socket.addEventListener('message', ({ data }) => listener(JSON.parse(String(data)))),
    onClose: (listener) => socket.addEventListener('close', listener),
  }
}

/** One client for the life of the page, over however many connections that takes. */
class ReconnectingClient implements EngineClient {
  readonly bridge: Bridge | null
  private current: EngineApi | null = null
  private state: Link = 'connecting'
  private readonly linkListeners = new Set<(link: Link) => void>()
  private readonly eventListeners = new Set<(event: EngineEvent) => void>()

  constructor(bridge: Bridge | null) {
    this.bridge = bridge
  }

  attach(port: Port): void {
    const engine = connectEngine(port)
    port.onClose(() => this.detach())
    engine.onEvent((event) => {
      for (const listener of this.eventListeners) listener(event)
    })
    this.current = engine
    this.change('open')
  }

  detach(): void {
    this.current = null
    this.change('lost')
  }

  link(): Link {
    return this.state
  }

  onLink(listener: (link: Link) => void): () => void {
    this.linkListeners.add(listener)
    return () => this.linkListeners.delete(listener)
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    this.eventListeners.add(listener)
    return () => this.eventListeners.delete(listener)
  }

  async call<Name extends MethodName>(name: Name, input: MethodInput<Name>) {
    const engine = this.current ?? (await this.opened())
    return engine.call(name, input)
  }

  private change(link: Link): void {
    if (this.state === link) return
    this.state = link
    for (const listener of this.linkListeners) listener(link)
  }

  private opened(): Promise<EngineApi> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop()
        reject(
          new AppError({
            code: 'worker-died',
            message: 'The engine does not answer.',
            remedy: 'Wait for the connection to return, or start Labdesk again; jobs go on or can be resumed.',
          }),
        )
      }, callPatienceMs)
      const stop = this.onLink(() => {
        if (!this.current) return
        clearTimeout(timer)
        stop()
        resolve(this.current)
      })
    })
  }
}
