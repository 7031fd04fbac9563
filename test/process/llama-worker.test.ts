import { mkdirSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createLlamaHost } from '../../main/compute/llama.ts'
import { openLastingSession } from '../../main/compute/lasting-session.ts'
import type { CompletionRequest, LlamaHost, SessionRequest } from '../../main/compute/llama-protocol.ts'
import { forkWorker, type WorkerProcess } from '../../main/compute/worker-process.ts'
import { writeTinyGguf } from '../support/tiny-gguf.ts'

const folder = mkdtempSync(join(tmpdir(), 'llama-worker-'))
const good = writeTinyGguf(join(folder, 'good.gguf'))
const hosts: LlamaHost[] = []
const newHost = (...options: Parameters<typeof createLlamaHost>) => {
  const host = createLlamaHost(...options)
  hosts.push(host)
  return host
}
afterEach(() => Promise.all(hosts.splice(0).map((host) => host.close())))

const request = (modelPath: string): SessionRequest => ({
  modelPath,
  contextTokens: 256,
  sequences: 2,
  threads: 1,
  gpu: 'off',
})
const endless: CompletionRequest = {
  prompt: '<s>x',
  maxTokens: 200,
  temperature: 1,
  seed: 1,
  grammar: 'root ::= [a-z]+',
}
const isRunning = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
const until = async (condition: () => boolean) => {
  for (let tries = 0; tries < 200 && !condition(); tries++) await new Promise((resolve) => setTimeout(resolve, 25))
  expect(condition()).toBe(true)
}

describe('a model file that cannot be used', () => {
  const host = createLlamaHost()
  afterAll(() => host.close())
  const file = (name: string, make: (path: string) => void) => {
    const path = join(folder, name)
    make(path)
    return path
  }
  const bytes = readFileSync(good)
  const truncated = (share: number) => (path: string) => {
    writeFileSync(path, bytes)
    truncateSync(path, Math.floor(bytes.length * share))
  }
  it.each([
    ['that is missing', join(folder, 'nowhere.gguf'), 'model-missing'],
    ['that is a folder', file('folder.gguf', (path) => mkdirSync(path)), 'bad-gguf'],
    ['that is empty', file('empty.gguf', (path) => writeFileSync(path, '')), 'bad-gguf'],
    ['of another program', file('text.gguf', (path) => writeFileSync(path, 'hello, I am a text file')), 'bad-gguf'],
    ['cut off in its header', file('header.gguf', truncated(0.004)), 'bad-gguf'],
    ['cut off in its metadata', file('metadata.gguf', truncated(0.01)), 'bad-gguf'],
    ['cut off in its tensors', file('tensors.gguf', truncated(0.6)), 'bad-gguf'],
    [
      'with a wild count',
      file('count.gguf', (path) =>
        writeFileSync(path, Buffer.concat([bytes.subarray(0, 8), Buffer.alloc(16, 0x7f), bytes.subarray(24)])),
      ),
      'bad-gguf',
    ],
    [
      'of an unknown architecture',
      writeTinyGguf(join(folder, 'odd.gguf'), { architecture: 'wizard' }),
      'unsupported-architecture',
    ],
  ])('%s is refused by name, and the next one works', async (_, path, code) => {
    await expect(host.openSession(request(path))).rejects.toMatchObject({ code, remedy: expect.stringMatching(/\w/) })
    const session = await host.openSession(request(good))
    expect((await session.complete({ ...endless, maxTokens: 3 })).outputTokens).toBeGreaterThan(0)
    await session.dispose()
  })
})

describe('the supervisor', () => {
  it('starts no process before the first session and ends it after the last', async () => {
    const host = newHost({ idleMs: 20 })
    expect(host.pid).toBeNull()
    const [one, two] = await Promise.all([host.openSession(request(good)), host.openSession(request(good))])
    const pid = host.pid!
    await one.dispose()
    await two.complete({ ...endless, maxTokens: 2 })
    await two.dispose()
    await until(() => !isRunning(pid))
    expect(host.pid).toBeNull()
    const third = await host.openSession(request(good))
    expect((await third.complete({ ...endless, maxTokens: 2 })).outputTokens).toBe(2)
  })
  it('rejects everything pending when the worker is killed, and opens anew when asked', async () => {
    const host = newHost()
    const session = await host.openSession(request(good))
    const pending = [1, 2, 3].map((seed) => session.complete({ ...endless, seed }))
    process.kill(host.pid!, 'SIGKILL')
    for (const result of await Promise.allSettled(pending)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'worker-died' } })
    }
    await expect(session.complete(endless)).rejects.toMatchObject({ code: 'worker-died' })
    const again = await host.openSession(request(good))
    expect((await again.complete({ ...endless, maxTokens: 2 })).outputTokens).toBe(2)
  })
  it('gives up on a worker that dies at every start, with a remedy', async () => {
    const host = newHost({ spawn: () => forkWorker(new URL('./no-such-file.ts', import.meta.url)) })
    let message = ''
    for (let tries = 0; tries < 8; tries++) {
      await host.openSession(request(good)).catch((error: Error) => (message = error.message))
    }
    expect(message).toMatch(/6 times without answering/)
  })
  it('ends a worker that stops answering within the bound when closed', async () => {
    const worker: { process?: WorkerProcess } = {}
    const host = newHost({
      spawn: () => (worker.process = forkWorker(new URL('../../main/compute/worker/llama.ts', import.meta.url))),
    })
    await host.openSession(request(good))
    const pid = host.pid!
    process.kill(pid, 'SIGSTOP')
    const startedAt = performance.now()
    await host.close()
    expect(isRunning(pid)).toBe(false)
    expect(performance.now() - startedAt).toBeLessThan(4000)
  })
  it('is not called on again after closing', async () => {
    const host = newHost()
    await host.close()
    await expect(host.openSession(request(good))).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('a lasting session', () => {
  it('answers every request although its worker is killed again and again', async () => {
    const host = newHost()
    const session = await openLastingSession(host, request(good))
    const expected = await session.complete({ ...endless, maxTokens: 60 })
    for (let kills = 0; kills < 4; kills++) {
      const pending = [1, 2, 3, 4].map((seed) => session.complete({ ...endless, maxTokens: 60, seed }))
      await new Promise((resolve) => setTimeout(resolve, 30 * kills))
      if (host.pid !== null) process.kill(host.pid, 'SIGKILL')
      const answers = await Promise.all(pending)
      expect(answers[0]?.text).toBe(expected.text)
    }
  })
  it('passes on errors that are not the death of its worker', async () => {
    const session = await openLastingSession(newHost(), request(good))
    await expect(session.complete({ ...endless, grammar: 'root ::= (' })).rejects.toMatchObject({ code: 'bad-input' })
    await expect(openLastingSession(newHost(), request(join(folder, 'nowhere.gguf')))).rejects.toMatchObject({
      code: 'model-missing',
    })
  })
  it('gives up when the worker dies at every start', async () => {
    const host = newHost({ spawn: () => forkWorker(new URL('./no-such-file.ts', import.meta.url)) })
    await expect(openLastingSession(host, request(good))).rejects.toMatchObject({ code: 'worker-died' })
  })
})
