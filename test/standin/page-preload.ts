// The preload's isolated world: ipcRenderer, contextBridge and a sandboxed preload's `process` and `require`, over a CDP binding.
// `preloadWorld` runs inside pages from its source text, so it names nothing outside itself but types.
import { decode, encode, type Encoded } from './clone.ts'
import { bridgeHalf } from './page-bridge.ts'

/** What the preload's world sends to the main process. */
export type FromPage =
  | { t: 'send'; channel: string; v: Encoded[]; ports: number[] }
  | { t: 'invoke'; id: number; channel: string; v: Encoded[] }
  | { t: 'port'; id: number; v: Encoded; ports: number[] }
  | { t: 'port-close'; id: number }
  | { t: 'preload-error'; v: Encoded }

/** What the main process sends to the preload's world. */
export type ToPage =
  | { t: 'message'; channel: string; v: Encoded[]; ports: number[] }
  | { t: 'reply'; id: number; v?: Encoded; error?: string }
  | { t: 'port'; id: number; v: Encoded; ports: number[] }
  | { t: 'port-close'; id: number }

/** What of the main process's `process` a sandboxed preload may see. */
export interface PreloadEnvironment {
  platform: string
  arch: string
  versions: Record<string, string | undefined>
}

interface WorldOptions {
  secret: string
  binding: string
  environment: PreloadEnvironment
  encode(value: unknown): Encoded
  decode(encoded: Encoded): unknown
  bridgeHalf: typeof bridgeHalf
  preload(require: unknown, process: unknown, module: unknown, exports: unknown): void
}

function preloadWorld({ secret, binding, environment, encode, decode, bridgeHalf, preload }: WorldOptions): void {
  type Listener = (event: object, ...values: unknown[]) => void
  const world = globalThis as unknown as Record<string, unknown>
  const sendText = world[binding] as (text: string) => void
  delete world[binding]
  const bridge = bridgeHalf({ secret, me: 'preload', peer: 'page', encode, decode })
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const ports = new Map<number, MessagePort>()
  const listeners = new Map<string, { listener: Listener; once: boolean }[]>()
  let queue: FromPage[] = []
  let lastId = 0
  let nextPort = 1

  /** Frames of one task leave together, in order. */
  function send(frame: FromPage): void {
    queue.push(frame)
    if (queue.length > 1) return
    queueMicrotask(() => {
      const batch = queue
      queue = []
      sendText(JSON.stringify(batch))
    })
  }

  function sharePort(id: number, port: MessagePort): void {
    ports.set(id, port)
    port.addEventListener('message', (event) =>
      send({ t: 'port', id, v: encode(event.data), ports: event.ports.map(givePort) }),
    )
    port.addEventListener('close', () => {
      if (ports.delete(id)) send({ t: 'port-close', id })
    })
    port.start()
  }

  function givePort(port: MessagePort): number {
    const id = nextPort
    nextPort += 2
    sharePort(id, port)
    return id
  }

  function takePort(id: number): MessagePort {
    const { port1, port2 } = new MessageChannel()
    sharePort(id, port2)
    return port1
  }

  function emit(channel: string, event: object, values: unknown[]): void {
    for (const one of listeners.get(channel) ?? []) {
      if (one.once) ipcRenderer.off(channel, one.listener)
      one.listener(event, ...values)
    }
  }

  function receive(frame: ToPage): void {
    if (frame.t === 'message') {
      const event = { sender: ipcRenderer, ports: frame.ports.map(takePort) }
      emit(
        frame.channel,
        event,
        frame.v.map((one) => decode(one)),
      )
    } else if (frame.t === 'reply') {
      const waiting = pending.get(frame.id)
      pending.delete(frame.id)
      if (frame.error !== undefined) waiting?.reject(new Error(frame.error))
      else waiting?.resolve(decode(frame.v ?? null))
    } else if (frame.t === 'port') ports.get(frame.id)?.postMessage(decode(frame.v), frame.ports.map(takePort))
    else {
      ports.get(frame.id)?.close()
      ports.delete(frame.id)
    }
  }

  const guarded = <T extends object>(name: string, target: T): T =>
    new Proxy(target, {
      get(object, key) {
        if (key in object || typeof key === 'symbol' || key === 'then' || key === 'toJSON')
          return Reflect.get(object, key)
        throw new Error(
          `electron stand-in: ${name}.${key} is not implemented (add to test/standin what Electron does there)`,
        )
      },
    })

  function listen(channel: string, listener: Listener, once: boolean): typeof ipcRenderer {
    listeners.set(channel, [...(listeners.get(channel) ?? []), { listener, once }])
    return ipcRenderer
  }
  function ignore(channel: string, listener: Listener): typeof ipcRenderer {
    const kept = [...(listeners.get(channel) ?? [])]
    const at = kept.findIndex((one) => one.listener === listener)
    if (at >= 0) kept.splice(at, 1)
    listeners.set(channel, kept)
    return ipcRenderer
  }

  const ipcRenderer = guarded('ipcRenderer', {
    on: (channel: string, listener: Listener) => listen(channel, listener, false),
    addListener: (channel: string, listener: Listener) => listen(channel, listener, false),
    once: (channel: string, listener: Listener) => listen(channel, listener, true),
    off: (channel: string, listener: Listener) => ignore(channel, listener),
    removeListener: (channel: string, listener: Listener) => ignore(channel, listener),
    removeAllListeners: (channel: string) => {
      listeners.delete(channel)
      return ipcRenderer
    },
    listenerCount: (channel: string) => listeners.get(channel)?.length ?? 0,
    send: (channel: string, ...values: unknown[]) =>
      send({ t: 'send', channel, v: values.map((one) => encode(one)), ports: [] }),
    postMessage: (channel: string, value: unknown, transfer: MessagePort[] = []) =>
      send({ t: 'send', channel, v: [encode(value)], ports: transfer.map(givePort) }),
    invoke: async (channel: string, ...values: unknown[]) => {
      const v = values.map((one) => encode(one))
      lastId += 1
      const id = lastId
      try {
        return await new Promise((resolve, reject) => {
          pending.set(id, { resolve, reject })
          send({ t: 'invoke', id, channel, v })
        })
      } catch (error) {
        throw new Error(`Error invoking remote method '${channel}': ${(error as Error).message}`)
      }
    },
  })

  const electron = guarded('preload electron', {
    ipcRenderer,
    contextBridge: guarded('contextBridge', {
      exposeInMainWorld: (key: string, api: unknown) => bridge.expose(key, api),
    }),
    // As Electron answers for a file that lies on no disk; where others lie, Chromium does not say.
    webUtils: guarded('webUtils', { getPathForFile: () => '' }),
  })
  const process = guarded('preload process', {
    type: 'renderer',
    sandboxed: true,
    contextIsolated: true,
    env: {},
    argv: [],
    ...environment,
  })
  const require = (name: string): unknown => {
    if (name === 'electron' || name === 'electron/renderer') return electron
    if (['events', 'timers', 'url'].includes(name))
      throw new Error(`electron stand-in: require('${name}') in a preload is not implemented`)
    throw new Error(`module not found: ${name}`)
  }
  world['__standinReceive'] = (text: string) => {
    for (const frame of JSON.parse(text) as ToPage[]) receive(frame)
  }
  const module = { exports: {} }
  try {
    preload(require, process, module, module.exports)
  } catch (error) {
    send({ t: 'preload-error', v: encode(error) })
    console.error('Unable to load preload script', error)
  }
}

/** window.open and links to new windows ask the app, which refuses: Electron would not open anything, Chromium would first. */
function refuseWindows(ask: (text: string) => void): void {
  window.open = (url) => {
    ask(JSON.stringify({ url: new URL(String(url ?? 'about:blank'), location.href).href }))
    return null
  }
  document.addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest?.('a[target]')
    if (!(link instanceof HTMLAnchorElement) || link.target === '_self' || event.defaultPrevented) return
    event.preventDefault()
    ask(JSON.stringify({ url: link.href }))
  })
}

/** Script for the page's own world. */
export function pageWorldSource(secret: string, openBinding: string): string {
  const half = `(${bridgeHalf})({secret:${JSON.stringify(secret)},me:'page',peer:'preload',encode,decode})`
  const windows = `const ask=globalThis.${openBinding};delete globalThis.${openBinding};(${refuseWindows})(ask)`
  return `if(window===top){const encode=${encode},decode=${decode};${half};${windows}}`
}

/** Script for the preload's isolated world. */
export function preloadWorldSource(options: {
  secret: string
  binding: string
  environment: PreloadEnvironment
  preload: string
}): string {
  const { preload, ...plain } = options
  const script = `function(require,process,module,exports){${preload}\n}`
  return `if(window===top){const encode=${encode},decode=${decode};(${preloadWorld})({...${JSON.stringify(plain)},encode,decode,bridgeHalf:${bridgeHalf},preload:${script}})}`
}
