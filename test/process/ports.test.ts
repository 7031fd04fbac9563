// One scenario over every way to reach the engine: in this process, a MessagePort, a WebSocket, and the local socket of a second terminal.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { EngineApi, EngineEvent, MethodInput } from '../../main/contract/api.ts'
import { AppError } from '../../main/contract/errors.ts'
import { connectEngine, type Port, serveEngine } from '../../main/contract/rpc.ts'
import { knock, openDoor } from '../../main/hosts/node/local-socket.ts'
import { startWebHost } from '../../main/hosts/web/web-host.ts'
import type { Lab } from '../../main/pipelines/lab.ts'
import { writeTestGguf } from '../support/gguf-files.ts'
import { writeMiniRenderer } from '../support/mini-renderer.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

/** A client's view, and how its connection breaks. */
interface Client {
  api: EngineApi
  breakOff: () => void
}
type Connect = (engine: TestEngine) => Promise<Client>

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

function messagePort(port: MessagePort): Port {
  return {
    post: (frame) => port.postMessage(frame),
    onMessage: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.on('close', listener),
  }
}

function webSocketPort(socket: WebSocket): Port {
  return {
    post: (frame) => socket.send(JSON.stringify(frame)),
    onMessage: (listener) => void socket.on('message', (bytes) => listener(JSON.parse(String(bytes)))),
    onClose: (listener) => void socket.on('close', listener),
  }
}

const connections: Record<string, Connect> = {
  'in this process': async (engine) => ({ api: engine, breakOff: () => undefined }),
  'a MessagePort': async (engine) => {
    const { port1, port2 } = new MessageChannel()
    serveEngine(engine, messagePort(port1))
    cleanups.push(() => port1.close())
    return { api: connectEngine(messagePort(port2)), breakOff: () => port1.close() }
  },
  'a WebSocket': async (engine) => {
    const host = await startWebHost({ engine, rendererDir: writeMiniRenderer(join(engine.dataDir, 'web')) })
    cleanups.push(() => host.close())
    const entered = await fetch(host.newLink(), { redirect: 'manual' })
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? ''
    const socket = new WebSocket(`${host.origin.replace('http', 'ws')}/ws`, {
      headers: { cookie, origin: host.origin },
    })
    await new Promise((resolve) => socket.once('open', resolve))
    return { api: connectEngine(webSocketPort(socket)), breakOff: () => socket.terminate() }
  },
  'a local socket': async (engine) => {
    const door = await openDoor(engine, engine.dataDir, (line) => expect.fail(line))
    cleanups.push(() => door.close())
    const client = await knock(engine.dataDir)
    if (!client) throw new Error('nobody opened')
    cleanups.push(() => client.leave())
    return { api: client.engine, breakOff: () => client.leave() }
  },
}

const job = (lab: Lab) => lab.jobs.start({ kind: 'export', title: 'A slow export', subject: 's' })

async function open(connect: Connect): Promise<{ engine: TestEngine; client: Client; events: EngineEvent[] }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'labdesk-ports-'))
  const engine = await createTestEngine({
    dataDir,
    extraJobHandlers: () => ({
      export: async ({ signal, progress }) => {
        for (let done = 0; !signal.aborted; done++) {
          progress({ done, total: 1e6, label: 'counting', ratePerSecond: null, etaSeconds: null })
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      },
    }),
  })
  cleanups.push(async () => {
    await engine.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  const client = await connect(engine)
  const events: EngineEvent[] = []
  client.api.onEvent((event) => events.push(event))
  return { engine, client, events }
}

describe.each(Object.entries(connections))('over %s', (_, connect) => {
  test('values go there and back as they are', async () => {
    const { client, engine } = await open(connect)
    const path = writeTestGguf(join(engine.dataDir, 'Füchse 狐.gguf'))
    const added = await client.api.call('model.add', { path })
    expect(added.path).toBe(path)
    expect(await client.api.call('model.list', {})).toEqual([added])
    expect(await client.api.call('model.remove', { modelId: added.id })).toBeNull()
  })

  test('errors arrive with code, message and remedy', async () => {
    const { client } = await open(connect)
    const failed = client.api.call('model.add', { path: '/nowhere.gguf' })
    await expect(failed).rejects.toBeInstanceOf(AppError)
    await expect(failed).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no file /nowhere.gguf',
      remedy: 'Check the path and try again.',
    })
    const bad = client.api.call('settings.set', { threads: 'many' } as unknown as MethodInput<'settings.set'>)
    await expect(bad).rejects.toMatchObject({ code: 'bad-input', remedy: expect.stringContaining('threads') })
  })

  test('answers to many calls at once find their callers', async () => {
    const { client } = await open(connect)
    const names = Array.from({ length: 40 }, (_, n) => n)
    const answers = await Promise.all(names.map((n) => client.api.call('settings.set', { threads: n + 1 })))
    expect(answers.map((settings) => settings.threads)).toEqual(names.map((n) => n + 1))
  })

  test('a job is followed by events and steered by calls', async () => {
    const { client, engine, events } = await open(connect)
    const { id } = job(engine.lab)
    await expect.poll(() => events.some((event) => event.kind === 'job' && event.job.progress.done > 5)).toBe(true)
    await client.api.call('job.pause', { jobId: id })
    await expect.poll(() => events.some((event) => event.kind === 'job' && event.job.state === 'paused')).toBe(true)
    expect((await client.api.call('job.get', { jobId: id })).state).toBe('paused')
    const log = await client.api.call('job.events', { jobId: id })
    expect(log.map((event) => event.number)).toEqual(log.map((_, index) => index + 1))
    await client.api.call('job.cancel', { jobId: id })
  })
})

const remote = Object.entries(connections).filter(([name]) => name !== 'in this process')

test.each(remote)('%s that breaks fails the open calls, and the job goes on', async (_, connect) => {
  const { client, engine } = await open(connect)
  const { id } = job(engine.lab)
  const pending = client.api.call('workspace.hardware', {})
  client.breakOff()
  await expect(pending).rejects.toMatchObject({ code: 'worker-died' })
  await expect(client.api.call('workspace.hardware', {})).rejects.toMatchObject({ code: 'worker-died' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(engine.lab.jobs.get(id).state).toBe('running')
})
