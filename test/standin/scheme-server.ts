// How pages of the app's own schemes reach Chromium: `app://host/path` is loaded as `http://host.app.standin.localhost/path`, which
// Chromium resolves to this loopback server, which asks the handler given to protocol.handle. Addresses are mapped back for the app.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { schemeHost } from './chromium.ts'
import { unknownPart } from './known.ts'

export type SchemeHandler = (request: Request) => Response | Promise<Response>

interface SchemePrivileges {
  scheme: string
  privileges?: Record<string, boolean>
}

const handlers = new Map<string, SchemeHandler>()
const privileged = new Set<string>()
let ready = false

/** The app is ready: schemes can no longer be registered. */
export function lockSchemes(): void {
  ready = true
}

/** Starts the server; it does not keep the process alive. */
export async function startSchemeServer(): Promise<number> {
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error('electron stand-in: protocol handler failed', error)
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  return (server.address() as AddressInfo).port
}

/** The protocol module of every session. */
export const protocol = {
  registerSchemesAsPrivileged(schemes: SchemePrivileges[]): void {
    if (ready) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
    for (const { scheme, privileges } of schemes)
      if (privileges?.['standard'] && privileges['secure']) privileged.add(scheme)
  },
  handle(scheme: string, handler: SchemeHandler): void {
    if (handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`)
    if (!privileged.has(scheme))
      throw unknownPart(`protocol.handle('${scheme}') without registering it as standard and secure`)
    handlers.set(scheme, handler)
  },
  unhandle(scheme: string): void {
    if (!handlers.delete(scheme)) throw new Error(`Failed to unregister protocol: ${scheme}`)
  },
  isProtocolHandled: (scheme: string): boolean => handlers.has(scheme),
}

/** The address Chromium loads for one of the app's. */
export function toChromium(address: string): string {
  const found = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i.exec(address)
  const [, scheme = '', host, rest] = found ?? []
  return handlers.has(scheme) ? `http://${host}.${scheme}.${schemeHost}${rest || '/'}` : address
}

/** The app's address for one of Chromium's. */
export function fromChromium(address: string): string {
  const url = URL.parse(address)
  if (!url?.hostname.endsWith(`.${schemeHost}`)) return address
  const [scheme = '', ...host] = url.hostname
    .slice(0, -schemeHost.length - 1)
    .split('.')
    .reverse()
  return `${scheme}://${host.reverse().join('.')}${url.pathname}${url.search}${url.hash}`
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const address = fromChromium(`http://${request.headers.host}${request.url}`)
  const handler = handlers.get(address.slice(0, address.indexOf(':')))
  if (!handler) {
    response.writeHead(404).end()
    return
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, fromChromium(String(value))]],
  )
  const body = chunks.length > 0 ? Buffer.concat(chunks) : null
  const reply = await handler(new Request(address, { method: request.method ?? 'GET', headers, body }))
  response.writeHead(reply.status, Object.fromEntries(replyHeaders(reply)))
  if (reply.body) Readable.fromWeb(reply.body as Parameters<typeof Readable.fromWeb>[0]).pipe(response)
  else response.end()
}

/** A policy that names a scheme (`app:`) must name the hosts that carry it here. */
function replyHeaders(reply: Response): [string, string][] {
  return [...reply.headers].map(([name, value]) => {
    if (name !== 'content-security-policy') return [name, value]
    const hosts = value.replace(
      /(^|[\s;])([a-z][a-z0-9+.-]*):(\/\/[^\s;]*)?(?=[\s;]|$)/g,
      (all, before: string, scheme: string) =>
        handlers.has(scheme) ? `${before}http://*.${scheme}.${schemeHost}` : all,
    )
    return [name, hosts]
  })
}
