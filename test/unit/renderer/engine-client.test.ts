import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Bridge, openEngine } from '../../../renderer/engine.ts'

/** A browser WebSocket whose other end is the test. */
class FakeSocket extends EventTarget {
  static made: FakeSocket[] = []
  readonly url: string
  readonly sent: { id: number; method: string }[] = []
  constructor(url: string) {
    super()
    this.url = url
    FakeSocket.made.push(this)
  }
  send(text: string): void {
    this.sent.push(JSON.parse(text) as { id: number; method: string })
  }
  open(): void {
    this.dispatchEvent(new Event('open'))
  }
  drop(): void {
    this.dispatchEvent(new Event('close'))
  }
  deliver(frame: unknown): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(frame) }))
  }
}
const latest = () => FakeSocket.made.at(-1) as FakeSocket

beforeEach(() => {
  FakeSocket.made = []
  vi.stubGlobal('WebSocket', FakeSocket)
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  delete window.labdesk
})

describe('the engine client over a WebSocket', () => {
  it('connects to the host that served the page and waits with calls until it is open', async () => {
    const engine = openEngine()
    const models = engine.call('model.list', {})
    expect(latest().url).toMatch(/\/ws$/)
    expect(latest().sent).toEqual([])
    latest().open()
    await vi.waitFor(() => expect(latest().sent).toHaveLength(1))
    latest().deliver({ kind: 'ok', id: latest().sent[0]?.id, output: [] })
    expect(await models).toEqual([])
  })

  it('fails the calls under way when the connection drops, with a remedy', async () => {
    const engine = openEngine()
    latest().open()
    const models = engine.call('model.list', {})
    await Promise.resolve()
    latest().drop()
    await expect(models).rejects.toMatchObject({ code: 'worker-died', remedy: expect.stringMatching(/\w/) })
    expect(engine.link()).toBe('lost')
  })

  it('reconnects by itself, waiting longer after each failure, and says so', async () => {
    const links: string[] = []
    const engine = openEngine()
    engine.onLink((link) => links.push(link))
    latest().open()
    latest().drop()
    await vi.advanceTimersByTimeAsync(250)
    expect(FakeSocket.made).toHaveLength(2)
    latest().drop()
    await vi.advanceTimersByTimeAsync(250)
    expect(FakeSocket.made).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(250)
    expect(FakeSocket.made).toHaveLength(3)
    latest().open()
    expect(links).toEqual(['open', 'lost', 'open'])
  })

  it('delivers events of every connection to the same listeners', async () => {
    const heard: string[] = []
    const engine = openEngine()
    engine.onEvent((event) => heard.push(event.kind))
    latest().open()
    latest().deliver({ kind: 'event', event: { kind: 'changed', what: 'models' } })
    latest().drop()
    await vi.advanceTimersByTimeAsync(250)
    latest().open()
    latest().deliver({ kind: 'event', event: { kind: 'changed', what: 'models' } })
    expect(heard).toEqual(['changed', 'changed'])
  })

  it('gives up a call after a bounded wait', async () => {
    const engine = openEngine()
    const models = engine.call('model.list', {})
    const refused = expect(models).rejects.toMatchObject({ message: 'The engine does not answer.' })
    await vi.advanceTimersByTimeAsync(15_000)
    await refused
  })
})

describe('the engine client over the desktop bridge', () => {
  it('speaks through the bridge, and offers its dialogs', async () => {
    const frames: unknown[] = []
    let answer: (frame: unknown) => void = () => undefined
    const bridge: Bridge = {
      platform: 'linux',
      post: (frame) => void frames.push(frame),
      onMessage: (listener) => void (answer = listener),
      onClose: () => undefined,
      chooseFolder: () => Promise.resolve('/a'),
      chooseFile: () => Promise.resolve(null),
      saveFile: () => Promise.resolve(null),
      pathOf: () => '',
    }
    window.labdesk = bridge
    const engine = openEngine()
    const models = engine.call('model.list', {})
    await Promise.resolve()
    expect(frames).toEqual([{ kind: 'call', id: 1, method: 'model.list', input: {} }])
    answer({ kind: 'ok', id: 1, output: [] })
    expect(await models).toEqual([])
    expect(engine.bridge).toBe(bridge)
    expect(FakeSocket.made).toEqual([])
  })
})
