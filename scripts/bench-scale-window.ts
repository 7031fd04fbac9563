// The window side of bench-scale: the web host as a user starts it, Chromium without a display, round trips as the window sees them, and
// what Chromium's trace says of the frames while a list scrolls. Ends only what it started itself.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Browser, chromium, type Page } from 'playwright-core'
import { root } from './steps.ts'

/** The app in a browser over one data folder. */
export interface Window {
  page: Page
  /** From the start of the host's process to its link, and from there to the first screen with its counts. */
  startMs: { engine: number; screen: number }
  close(): Promise<void>
}

/** Starts host and browser; the clock runs from the start of the host. */
export async function openWindow(dataDir: string, countShown: string): Promise<Window> {
  const browser = await startChromium()
  const startedAt = performance.now()
  const host = spawn(process.execPath, [join(root, 'main/hosts/web/main.ts'), '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const link = await readLink(host)
  const linkedAt = performance.now()
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(link)
  await page.getByTestId('screen-overview').getByText(countShown).first().waitFor()
  return {
    page,
    startMs: { engine: linkedAt - startedAt, screen: performance.now() - linkedAt },
    async close() {
      await browser.close()
      const ended = new Promise((resolve) => host.once('exit', resolve))
      host.kill('SIGTERM')
      await ended
    },
  }
}

function startChromium(): Promise<Browser> {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((file) => existsSync(file))
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run']
  return chromium.launch({ args: [...sandbox, ...quiet], ...(executablePath ? { executablePath } : {}) })
}

function readLink(host: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    host.once('exit', (code) => reject(new Error(`the web host ended with ${code}`)))
    if (!host.stdout) return reject(new Error('the web host has no output'))
    createInterface({ input: host.stdout }).on('line', (line) => {
      const [link] = /http:\/\/\S+/.exec(line) ?? []
      if (link) resolve(link)
    })
  })
}

/** Milliseconds of every `sample.list` from the window's question to its answer, from now on. Call before the page connects anew. */
export function watchRoundTrips(page: Page): number[] {
  const times: number[] = []
  page.on('websocket', (socket) => {
    const asked = new Map<number, number>()
    socket.on('framesent', ({ payload }) => {
      const frame = JSON.parse(String(payload)) as { id?: number; method?: string }
      if (frame.method === 'sample.list' && frame.id !== undefined) asked.set(frame.id, performance.now())
    })
    socket.on('framereceived', ({ payload }) => {
      const id = Number(/"id":(\d+)/.exec(String(payload).slice(0, 60))?.[1] ?? -1)
      const at = asked.get(id)
      if (at === undefined) return
      asked.delete(id)
      times.push(performance.now() - at)
    })
  })
  return times
}

/** Figures of the frames drawn while a list scrolled, milliseconds. */
export interface Frames {
  drawn: number
  dropped: number
  /** From one drawn frame to the next. */
  gaps: number[]
  /** Processor time of the main thread between them: scripts, style, layout, paint. */
  work: number[]
}

interface TraceEvent {
  name: string
  ph: string
  pid: number
  tid: number
  ts: number
  dur?: number
  /** Processor time of the thread: what others do beside it does not count. */
  tdur?: number
  args: { name?: string; frame_reporter?: { state?: string } }
}
const categories = [
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'disabled-by-default-devtools.timeline.frame',
  'cc',
  'benchmark',
]

/** Traces while something moves in the page. */
export async function traceFrames(page: Page, move: () => Promise<unknown>): Promise<Frames> {
  const browser = page.context().browser()
  if (!browser) throw new Error('the page has no browser')
  const session = await browser.newBrowserCDPSession()
  const events: TraceEvent[] = []
  session.on('Tracing.dataCollected', ({ value }) => {
    events.push(...(value as unknown as TraceEvent[]))
  })
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: categories } })
  await move()
  const ended = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()))
  await session.send('Tracing.end')
  await ended
  await session.detach()
  return framesOf(events.sort((a, b) => a.ts - b.ts))
}

function framesOf(events: readonly TraceEvent[]): Frames {
  const draws = events.filter(({ name }) => name === 'DrawFrame')
  const [first] = draws
  const last = draws.at(-1)
  if (!first || !last)
    throw new Error(
      `no frame was drawn: ${JSON.stringify([...Map.groupBy(events, (e) => e.name)].map(([n, l]) => `${n} ${l.length}`))}`,
    )
  const { pid } = first
  const main = events.find(
    (event) => event.name === 'thread_name' && event.pid === pid && event.args.name === 'CrRendererMain',
  )
  const tasks = events.filter(
    ({ name, ph, ...event }) => name === 'RunTask' && ph === 'X' && event.pid === pid && event.tid === main?.tid,
  )
  const gaps: number[] = []
  const work: number[] = []
  let at = 0
  for (let draw = 1; draw < draws.length; draw++) {
    const [from, to] = [draws[draw - 1]!.ts, draws[draw]!.ts]
    gaps.push((to - from) / 1000)
    let busy = 0
    for (; at < tasks.length && tasks[at]!.ts < to; at++)
      if (tasks[at]!.ts >= from) busy += (tasks[at]!.tdur ?? tasks[at]!.dur ?? 0) / 1000
    work.push(busy)
  }
  const dropped = events.filter(
    ({ name, pid: own, ts, args }) =>
      name === 'PipelineReporter' &&
      own === pid &&
      ts >= first.ts &&
      ts <= last.ts &&
      args.frame_reporter?.state === 'STATE_DROPPED',
  ).length
  return { drawn: draws.length, dropped, gaps, work }
}

/** Scrolls a list like a wheel that is turned for five seconds, 3,000 pixels a second. */
export async function scrollList(page: Page, testId: string): Promise<void> {
  const box = await page.getByTestId(testId).boundingBox()
  if (!box) throw new Error(`${testId} is not shown`)
  const session = await page.context().newCDPSession(page)
  const place = { x: box.x + box.width / 3, y: box.y + box.height / 2 }
  await session.send('Input.synthesizeScrollGesture', {
    ...place,
    yDistance: -15_000,
    speed: 3000,
    gestureSourceType: 'mouse',
  })
  await session.detach()
}

/** Frames of a page in which nothing moves but a mark, five seconds long: what this machine draws at best. */
export function traceIdle(page: Page): Promise<Frames> {
  return traceFrames(page, () => page.evaluate(moveMark))
}

/** Runs in the page. */
const moveMark = `(async () => {
  const mark = document.body.appendChild(document.createElement('i'))
  mark.style.cssText = 'position:fixed;top:0;left:0;width:4px;height:4px;background:red;z-index:9'
  const until = performance.now() + 5000
  for (let at = 0; performance.now() < until; at++) {
    mark.style.left = at % 400 + 'px'
    await new Promise(requestAnimationFrame)
  }
  mark.remove()
})()`
