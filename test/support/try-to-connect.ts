// A process that tries to leave the machine in every way Node offers and prints what came of it, as JSON.

import { blockedAttempts } from '../../main/compute/offline-guard.ts'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns'
import { resolve4 } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { connect, createServer } from 'node:net'

const outside = '192.0.2.1' // reserved for documentation: nobody answers there
type Way = (fail: (error: Error) => void, pass: () => void) => void

const ways: Record<string, Way> = {
  tcp: (fail, pass) => void connect(9, outside, pass).on('error', fail),
  tcpOptions: (fail, pass) => void connect({ host: outside, port: 9 }, pass).on('error', fail),
  tcp6: (fail, pass) => void connect(9, '2001:db8::1', pass).on('error', fail),
  named: (fail, pass) => void connect(9, 'example.org', pass).on('error', fail),
  http: (fail, pass) => void http.get(`http://${outside}/`, pass).on('error', fail),
  https: (fail, pass) => void https.get('https://example.org/', pass).on('error', fail),
  fetch: (fail, pass) => void fetch(`http://${outside}/x`).then(pass, (error: Error) => fail(error.cause as Error)),
  webSocket: (fail, pass) => {
    const socket = new WebSocket(`ws://${outside}/`)
    socket.onerror = () => fail(Object.assign(new Error('closed'), { code: 'ENETUNREACH' }))
    socket.onopen = pass
  },
  udp: (fail, pass) => {
    const socket = createSocket('udp4')
    socket.send('x', 9, outside, (error) => {
      socket.close()
      if (error) fail(error)
      else pass()
    })
  },
  lookup: (fail, pass) => lookup('example.org', (error) => (error ? fail(error) : pass())),
  resolve: (fail, pass) => void resolve4('example.org').then(pass, fail),
}

const outcomes: Record<string, string> = {}
for (const [name, way] of Object.entries(ways))
  outcomes[name] = await new Promise((resolve) =>
    way(
      (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message),
      () => resolve('passed'),
    ),
  )
const { count } = blockedAttempts()

const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const { port } = server.address() as { port: number }
for (const host of ['127.0.0.1', 'localhost'])
  outcomes[host] = await new Promise((resolve) =>
    connect(port, host, () => resolve('passed')).on('error', (error) => resolve(error.message)),
  )
server.close()
console.log(JSON.stringify({ outcomes, count, after: blockedAttempts() }))
