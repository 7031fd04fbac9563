// The web host's doors: who gets in, who does not, and what is never served.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { startWebHost, type WebHost } from '../../main/hosts/web/web-host.ts'
import { writeMiniRenderer } from '../support/mini-renderer.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let host: WebHost
let port = 0
let cookie = ''
beforeAll(async () => {
  engine = await createTestEngine()
  host = await startWebHost({ engine, rendererDir: writeMiniRenderer(join(engine.dataDir, 'web')) })
  port = Number(new URL(host.origin).port)
})
afterAll(async () => {
  await host.close()
  await engine.dispose()
})
beforeEach(async () => {
  cookie = await enter()
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

/** A request whose path is sent as it is, and whose headers may be anything. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    sent.on('error', reject).end()
  })
}
const pathOf = (link: string) => link.slice(host.origin.length)

/** Opens a session the way a browser does; answers with its cookie. */
async function enter(): Promise<string> {
  const { status, headers } = await ask(pathOf(host.newLink()))
  expect(status).toBe(303)
  expect(headers.location).toBe('/')
  return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
}

/** How an attempt to open the WebSocket ends: `open`, or the status it was refused with. */
function dial(headers: Record<string, string>, path = '/ws'): Promise<string> {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
    socket.on('open', () => {
      socket.close()
      resolve('open')
    })
    socket.on('unexpected-response', (_request, response) => resolve(String(response.statusCode)))
    socket.on('error', (error) => resolve(error.message))
  })
}

describe('the one-time link', () => {
  test('opens a session whose cookie no script and no other site can use', async () => {
    const { headers } = await ask(pathOf(host.newLink()))
    expect(headers['set-cookie']?.[0]).toMatch(
      new RegExp(`^labdesk_${port}=[\\w-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
    )
  })

  test('is worth nothing the second time', async () => {
    const path = pathOf(host.newLink())
    expect((await ask(path)).status).toBe(303)
    const second = await ask(path)
    expect(second.status).toBe(401)
    expect(second.headers['set-cookie']).toBeUndefined()
    expect(second.body).toContain('press Enter there for a new one')
  })

  test('is not spent by a HEAD request, and an older link dies when a newer one is made', async () => {
    const old = pathOf(host.newLink())
    const link = pathOf(host.newLink())
    expect((await ask(link, {}, 'HEAD')).status).toBe(401)
    expect((await ask(old)).status).toBe(401)
    expect((await ask(link)).status).toBe(303)
  })

  test('a wrong token opens nothing', async () => {
    expect((await ask(`/?token=${'a'.repeat(43)}`)).status).toBe(401)
    expect((await ask('/?token=')).status).toBe(401)
  })
})

describe('pages', () => {
  test('are served to a session, with headers that let the page talk to this host only', async () => {
    const { status, headers, body } = await ask('/', { cookie })
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8'])
    expect(body).toContain('<title>Labdesk</title>')
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'")
    expect(headers['content-security-policy']).toContain(`connect-src 'self' ws://127.0.0.1:${port}`)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    expect((await ask('/assets/app.js', { cookie })).headers['content-type']).toContain('text/javascript')
  })

  test('are not served without a session or with an invented one', async () => {
    expect((await ask('/')).status).toBe(401)
    expect((await ask('/assets/app.js')).status).toBe(401)
    expect((await ask('/', { cookie: `labdesk_${port}=${'x'.repeat(43)}` })).status).toBe(401)
  })

  test.each([
    '/../secret.json',
    '/..%2fsecret.json',
    '/%2e%2e/secret.json',
    '/assets/../../secret.json',
    '/..%5csecret.json',
    '//etc/hosts.json',
    '/linked.json',
    '/assets',
    '/index.html%00.js',
    '/%zz',
  ])('nothing outside the folder is served: %s', async (path) => {
    const { status, body } = await ask(path, { cookie })
    expect(status).toBe(404)
    expect(body).not.toContain('secret')
  })

  test('nothing can be posted', async () => {
    expect((await ask('/', { cookie }, 'POST')).status).toBe(405)
  })

  test.each(['evil.example', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example'])(
    'a page whose name was made to point here gets nothing: Host %s',
    async (name) => {
      expect((await ask('/', { cookie, host: name })).status).toBe(421)
    },
  )
})

describe('the WebSocket', () => {
  const origin = () => host.origin

  test('opens for our page with a session', async () => {
    expect(await dial({ cookie, origin: origin() })).toBe('open')
  })

  test('is refused without a cookie, from another origin, under another name, and at another path', async () => {
    expect(await dial({ origin: origin() })).toBe('401')
    expect(await dial({ cookie })).toBe('403')
    expect(await dial({ cookie, origin: 'https://evil.example' })).toBe('403')
    expect(await dial({ cookie, origin: 'http://evil.example', host: 'evil.example' })).toBe('421')
    expect(await dial({ cookie, origin: `http://localhost:${port}` })).toBe('403')
    expect(await dial({ cookie, origin: origin() }, '/other')).toBe('404')
  })

  test('a client that sends something else than frames is hung up on; the next one is served', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { cookie, origin: origin() } })
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.send('not json')
    expect(await closed).toBe(1003)
    expect(await dial({ cookie, origin: origin() })).toBe('open')
  })

  test('a frame far beyond any document is refused', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { headers: { cookie, origin: origin() } })
    await new Promise((resolve) => socket.once('open', resolve))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.send('x'.repeat(33 << 20))
    expect(await closed).toBe(1009)
  })
})

test('a stranger who resets the connection of a refused upgrade does not end the host', async () => {
  const wire = connect(port, '127.0.0.1')
  await once(wire, 'connect')
  wire.write('GET /ws HTTP/1.1\r\nHost: elsewhere\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  wire.resetAndDestroy()
  await once(wire, 'close')
  expect(await dial({ cookie, origin: host.origin }, '//')).toBe('404')
  expect((await ask('/', { cookie })).status).toBe(200)
})

test('a name that no file can have is not found, and the host goes on', async () => {
  expect((await ask(`/${'a'.repeat(300)}.js`, { cookie })).status).toBe(404)
  expect((await ask('/', { cookie })).status).toBe(200)
})

test('without a built renderer the host says what to run', async () => {
  await expect(startWebHost({ engine, rendererDir: join(engine.dataDir, 'none') })).rejects.toMatchObject({
    code: 'not-found',
    remedy: expect.stringContaining('npm run build'),
  })
})

test('a port that is taken is named', async () => {
  const rendererDir = join(engine.dataDir, 'web/renderer')
  await expect(startWebHost({ engine, rendererDir, port })).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(String(port)),
  })
})
