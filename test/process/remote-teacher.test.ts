import { connect } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { allowedConnections, allowHost, blockedAttempts, isPrivateAddress } from '../../main/compute/offline-guard.ts'
import { hostOf } from '../../main/compute/remote-client.ts'
import { openRemoteSession } from '../../main/compute/remote-session.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { RemoteTeacher } from '../../main/contract/workspace.ts'
import { createChatTemplate } from '../../main/domain/chat-template.ts'
import { type RemoteServer, type RemoteServerOptions, startRemoteServer } from '../support/remote-server.ts'
import { createTestEngine } from '../support/test-engine.ts'

const servers: RemoteServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())))
afterAll(() => allowHost(null))

async function start(options: RemoteServerOptions): Promise<{ server: RemoteServer; teacher: RemoteTeacher }> {
  const server = await startRemoteServer(options)
  servers.push(server)
  return { server, teacher: { url: server.url, model: 'big-model' } }
}
const open = (teacher: RemoteTeacher) => openRemoteSession(teacher, { sequences: 2, firstWaitMs: 5 })
const request = { prompt: '', maxTokens: 50, temperature: 0.5, seed: 7, grammar: 'root ::= line\nline ::= [a-z]+' }

describe('a remote session', () => {
  it.each([
    ['llama-server', 2048, { grammar: request.grammar }],
    ['vllm', 4096, { guided_grammar: request.grammar, structured_outputs: { grammar: request.grammar } }],
    ['other', 8192, {}],
  ] as const)(
    'of %s sends the turns of the prompt, and the grammar where it is taken',
    async (kind, context, given) => {
      const { server, teacher } = await start({ kind, answer: () => 'hello' })
      const session = await open(teacher)
      expect(session.reply.contextTokens).toBe(context)
      const turns = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Say\n hello <|x|>' },
      ] as const
      const prompt = createChatTemplate(session.reply.chat).renderPrompt(turns)
      const completion = await session.complete({ ...request, prompt, stops: [] })
      expect(completion).toMatchObject({ text: 'hello', promptTokens: 100, evaluatedPromptTokens: 40, stop: 'end' })
      const { body } = server.asked[0]!
      expect(body).toMatchObject({ model: 'big-model', messages: turns, max_tokens: 50, seed: 7, ...given })
      if (kind === 'other') expect(JSON.stringify(body)).not.toContain('grammar')
      expect((await session.tokenize('twelve bytes')).length).toBe(kind === 'other' ? 4 : 12)
      await expect(session.score({ prompt: 'a', continuation: 'b' })).rejects.toMatchObject({ code: 'model-role' })
    },
  )
  it('keeps reasoning apart from the answer', async () => {
    const { teacher } = await start({ kind: 'other', answer: () => '<think>well, well</think>\n\nhello' })
    const thinking = { opening: '<think>', closing: '</think>', maxTokens: 20 }
    const answer = await (await open(teacher)).complete({ ...request, thinking })
    expect(answer).toMatchObject({ text: 'hello', reasoning: 'well, well' })
  })
  it('tries again while a server is busy, and gives up with what it said', async () => {
    const { server, teacher } = await start({ kind: 'vllm', answer: () => 'ok' })
    const session = await open(teacher)
    server.failures.push(503, 429)
    expect((await session.complete(request)).text).toBe('ok')
    expect(server.asked.length).toBe(3)
    server.failures.push(503, 503, 503, 503)
    await expect(session.complete(request)).rejects.toMatchObject({ code: 'worker-died', detail: /503/ })
    server.failures.push(400)
    await expect(session.complete(request)).rejects.toMatchObject({ code: 'bad-input' })
  })
  it('is called off while it waits, and while it is asked', async () => {
    const { server, teacher } = await start({ kind: 'vllm', answer: () => 'late', delayMs: 2000 })
    const session = await open(teacher)
    const abort = new AbortController()
    const pending = [1, 2, 3].map(() => session.complete(request, { signal: abort.signal }))
    setTimeout(() => abort.abort(), 50)
    const startedAt = performance.now()
    for (const { stop } of await Promise.all(pending)) expect(stop).toBe('cancelled')
    expect(performance.now() - startedAt).toBeLessThan(1500)
    expect(server.asked.length).toBeLessThan(3)
  })
  it('names a wrong key, a wrong model, a wrong address and a server that is gone', async () => {
    const { teacher } = await start({ kind: 'vllm', apiKey: 'secret' })
    await expect(open(teacher)).rejects.toMatchObject({ code: 'unauthorised' })
    await expect(open({ ...teacher, apiKey: 'secret', model: 'other' })).rejects.toMatchObject({
      code: 'model-missing',
      remedy: expect.stringContaining('big-model'),
    })
    const { teacher: wrong } = await start({ kind: 'other' })
    await expect(open({ ...wrong, url: `${wrong.url}/deeper` })).rejects.toMatchObject({ code: 'not-found' })
    await expect(open({ url: 'http://127.0.0.1:9', model: 'x' })).rejects.toMatchObject({ code: 'worker-died' })
  })
})

describe('the way out', () => {
  it.each(['10.1.2.3', '172.31.0.1', '192.168.1.20', '127.0.0.5', '100.64.1.1', 'fd00::1', '::1', '::ffff:10.0.0.1'])(
    '%s is the user’s own network',
    (address) => expect(isPrivateAddress(address)).toBe(true),
  )
  it.each(['8.8.8.8', '172.32.0.1', '192.169.0.1', '2001:db8::1', '::ffff:8.8.8.8', 'example.org'])(
    '%s is not',
    (address) => expect(isPrivateAddress(address)).toBe(false),
  )
  it('leads to a public address only when the user confirmed it', () => {
    expect(() => hostOf({ url: 'https://8.8.8.8', model: 'x' })).toThrow(/not an address of your own network/)
    expect(hostOf({ url: 'https://8.8.8.8', model: 'x', isPublicAllowed: true })).toEqual({
      host: '8.8.8.8',
      port: 443,
    })
    for (const url of ['ftp://10.0.0.1', 'nonsense', 'http://user:word@10.0.0.1', 'http://10.0.0.1?a'])
      expect(() => hostOf({ url, model: 'x' })).toThrow(/address of the remote teacher/)
  })
  it('is one host and one port, and its connections are counted', async () => {
    const tried = (host: string, port: number) =>
      new Promise<string>((resolve) => {
        const socket = connect(port, host)
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.message))
        // Nobody answers at an address of the documentation: what is not refused at once was let through.
        setTimeout(() => socket.destroy(new Error('let through')), 100)
      })
    allowHost({ host: '192.0.2.44', port: 8000 })
    const before = { blocked: blockedAttempts().count, allowed: allowedConnections().count }
    expect(await tried('192.0.2.44', 8000)).not.toMatch(/was refused/)
    expect(await tried('192.0.2.44', 8001)).toMatch(/was refused/)
    expect(await tried('192.0.2.45', 8000)).toMatch(/was refused/)
    allowHost(null)
    expect(await tried('192.0.2.44', 8000)).toMatch(/was refused/)
    expect(blockedAttempts().count).toBe(before.blocked + 3)
    expect(allowedConnections().count).toBe(before.allowed + 1)
  })
})

describe('the setting', () => {
  it('is off; once set, its model generates, the proof names its host, and switching it off takes it back', async () => {
    const { server, teacher } = await start({ kind: 'llama-server' })
    const engine = await createTestEngine()
    try {
      expect((await engine.call('settings.get', {})).remoteTeacher).toBeNull()
      expect((await engine.call('workspace.offline', {})).allowedHost).toBeNull()
      const found = await engine.call('settings.testRemoteTeacher', teacher)
      expect(found).toMatchObject({ server: 'llama-server', models: ['big-model'], contextTokens: 2048 })
      expect((await engine.call('workspace.offline', {})).allowedHost).toBeNull()
      await engine.call('settings.set', { remoteTeacher: teacher })
      const [model] = await engine.call('model.list', {})
      expect(model).toMatchObject({ architecture: 'remote', isMissing: false })
      const leaf = 'compositional_skills/writing/verses' as LeafPath
      const seeds = [1, 2, 3, 4, 5].map((number) => ({ question: `Write line ${number}.`, answer: `Line ${number}.` }))
      await engine.call('taxonomy.save', {
        path: leaf,
        branch: 'compositional_skills',
        taskDescription: 'Verse.',
        seeds,
      })
      const leaves = [{ leaf, quota: 3 }]
      const { jobId, generationId } = await engine.call('generation.start', {
        teacherId: model!.id,
        leaves,
        parallel: 2,
      })
      expect(await engine.settled(jobId)).toMatchObject({ state: 'done' })
      const run = await engine.call('generation.get', { generationId })
      expect(run.funnel[0]).toMatchObject({ accepted: 3, droppedBy: [] })
      expect(run.parseFailureCount).toBe(0)
      const { allowedHost } = await engine.call('workspace.offline', {})
      expect(allowedHost?.host).toBe(server.url.replace('http://', ''))
      expect(allowedHost?.connectionCount).toBeGreaterThan(0)
      await engine.call('settings.set', { remoteTeacher: null })
      expect(await engine.call('model.list', {})).toEqual([])
      const public_ = { url: 'http://8.8.8.8', model: 'x' }
      await expect(engine.call('settings.set', { remoteTeacher: public_ })).rejects.toMatchObject({ code: 'bad-input' })
      expect((await engine.call('settings.get', {})).remoteTeacher).toBeNull()
    } finally {
      await engine.dispose()
    }
  })
})
