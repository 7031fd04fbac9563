// The app over http and WebSocket on loopback: for a machine without a screen, and where Electron's binary is missing. Listens on
// 127.0.0.1 only. Invariant: nothing but the page that tells to use the link is answered to a request without a session.

import { createReadStream, existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { EngineApi } from '../../contract/api.ts'
import { AppError } from '../../contract/errors.ts'
import { type Port, serveEngine } from '../../contract/rpc.ts'
import { findPageFile, pageHeaders } from '../node/page.ts'
import { Access } from './access.ts'

/** A document of 5 million characters fits; nothing larger is sent by the app. */
const maxFrameBytes = 32 << 20
/** A client that does not read is dropped; it fetches what it missed when it comes back. */
const maxUnreadBytes = 64 << 20
const maxClients = 16
const pingMs = 30_000

export interface WebHostOptions {
  engine: EngineApi
  /** The built renderer. */
  rendererDir: string
  /** 0 chooses a free one. */
  port?: number
}

export interface WebHost {
  origin: string
  /** A link that opens the app once. */
  newLink(): string
  close(): Promise<void>
}

/** Starts serving `engine`, which stays the caller's to close. @throws AppError `not-found` without a built renderer, `conflict` when the port is taken */
export async function startWebHost({ engine, rendererDir, port = 0 }: WebHostOptions): Promise<WebHost> {
  if (!existsSync(join(rendererDir, 'index.html')))
    throw new AppError({
      code: 'not-found',
      message: `The window's files are not built (${rendererDir}).`,
      remedy: 'Run "npm run build", then start again.',
    })
  const server = createServer()
  await listen(server, port)
  const access = new Access((server.address() as AddressInfo).port)
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: maxFrameBytes })
  server.on('request', (request, response) => answer(request, response, { access, rendererDir }))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // From here on Node watches this socket no more: without a listener a reset by the other side would end the process.
    socket.on('error', () => socket.destroy())
    const refusal = whyRefused(request, access, sockets.clients.size)
    if (refusal) socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\n\r\n`)
    else sockets.handleUpgrade(request, socket, head, (client) => serveEngine(engine, socketPort(client)))
  })
  const ping = setInterval(() => {
    for (const client of sockets.clients) client.ping()
  }, pingMs)
  return {
    origin: access.origin,
    newLink: () => access.newLink(),
    close: () =>
      new Promise((done) => {
        clearInterval(ping)
        for (const client of sockets.clients) client.terminate()
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE'
      const message = isTaken ? `Port ${port} is in use.` : `Port ${port} cannot be used: ${error.message}`
      fail(new AppError({ code: 'conflict', message, remedy: 'Choose another port with --port, or none.' }))
    })
    server.listen(port, '127.0.0.1', done)
  })
}

function whyRefused(request: IncomingMessage, access: Access, clientCount: number): string | null {
  if (!access.isHostOurs(request)) return '421 Misdirected Request'
  if (!access.isOriginOurs(request)) return '403 Forbidden'
  if (!access.hasSession(request)) return '401 Unauthorized'
  if (URL.parse(request.url ?? '/', access.origin)?.pathname !== '/ws') return '404 Not Found'
  return clientCount >= maxClients ? '503 Service Unavailable' : null
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { access, rendererDir }: { access: Access; rendererDir: string },
): void {
  const headers = pageHeaders(`ws://${request.headers.host ?? ''}`)
  const say = (status: number, text: string, more: Record<string, string> = {}) => {
    response.writeHead(status, { ...headers, 'content-type': 'text/plain; charset=utf-8', ...more }).end(text)
  }
  if (!access.isHostOurs(request)) return say(421, 'This address is not served here.')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return say(405, 'Only GET is answered here.', { allow: 'GET' })
  const url = URL.parse(request.url ?? '/', access.origin)
  if (!url) return say(400, 'This is not an address.')
  const token = url.searchParams.get('token')
  if (token !== null && request.method === 'GET') {
    const cookie = access.redeem(token)
    if (cookie) return say(303, '', { location: '/', 'set-cookie': cookie })
  }
  if (!access.hasSession(request)) return say(401, useTheLink)
  const file = findPageFile(rendererDir, url.pathname)
  if (!file) return say(404, 'There is nothing here.')
  response.writeHead(200, { ...headers, 'content-type': file.contentType })
  if (request.method === 'HEAD') response.end()
  else
    createReadStream(file.path)
      .on('error', () => response.destroy())
      .pipe(response)
}

const useTheLink =
  'Labdesk: this link was used already, or is not complete.\n' +
  'Open the link that Labdesk printed in its terminal; press Enter there for a new one.\n'

/** The contract's port over a WebSocket: one JSON text a message. */
function socketPort(client: WebSocket): Port {
  // What went wrong shows as `close`.
  client.on('error', () => client.terminate())
  return {
    post(frame) {
      if (client.readyState !== client.OPEN) return
      if (client.bufferedAmount > maxUnreadBytes) client.terminate()
      else client.send(JSON.stringify(frame))
    },
    onMessage(listener) {
      client.on('message', (bytes, isBinary) => {
        const frame = isBinary ? undefined : parse(String(bytes))
        if (frame === undefined) client.close(1003, 'Frames are JSON texts.')
        else listener(frame)
      })
    },
    onClose: (listener) => void client.on('close', listener),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not JSON: the caller closes the connection
  }
}
