// npm run soak:kill: runs the demo headless and kills -9 the host, the llama worker and the trainer at seeded random moments, ten times
// each, starting the command again whenever the host died. Then proves that nothing was lost or doubled: every slot once, and every
// resumed loss curve equal, bit for bit, to an uninterrupted run of the same plan on the same frozen dataset (one thread).
// Usage: node scripts/soak-kill.ts [kills of each] [seed]

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { JobId } from '../main/contract/ids.ts'
import type { TuningRun } from '../main/contract/tuning.ts'
import { createRandom } from '../main/domain/random.ts'
import { createEngine, type Engine } from '../main/engine.ts'
import { root } from './steps.ts'

const wanted = Number(process.argv[2] ?? 10)
const random = createRandom(`soak ${process.argv[3] ?? 1}`)
const targets = ['host', 'llama worker', 'trainer'] as const
type Target = (typeof targets)[number]
interface Host {
  process: ChildProcess
  ended: Promise<'done' | 'stopped'>
}

const startedAtMs = Date.now()
const kills: Record<Target, number> = { host: 0, 'llama worker': 0, trainer: 0 }
// A run on a quick machine may end before it has met every death; then another one does.
for (let run = 1; targets.some((target) => kills[target] < wanted); run++) {
  const dataDir = mkdtempSync(join(tmpdir(), 'labdesk-soak-'))
  await runUnderFire(dataDir)
  say(`run ${run} is complete; killed so far: ${JSON.stringify(kills)}`)
  await prove(dataDir)
  rmSync(dataDir, { recursive: true, force: true })
}
say('every run completed, nothing lost or doubled')

async function runUnderFire(dataDir: string): Promise<void> {
  let host = startHost(dataDir)
  for (;;) {
    const ended = await Promise.race([host.ended, wait(500 + random.next() * 6000)])
    if (ended === 'done') return
    if (ended === 'stopped') {
      host = startHost(dataDir)
      continue
    }
    const alive = targets.filter((one) => kills[one] < wanted && pidOf(host, one) !== null)
    const chosen = alive[Math.floor(random.next() * alive.length)]
    const pid = chosen && pidOf(host, chosen)
    if (!chosen || !pid) continue
    process.kill(pid, 'SIGKILL')
    kills[chosen] += 1
    say(`killed the ${chosen} (${kills[chosen]} of ${wanted})`)
  }
}

function startHost(dataDir: string): Host {
  const command = ['main/hosts/cli/main.ts', 'demo', 'run', '--data', dataDir]
  const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  let words = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-3000)
  })
  const ended = new Promise<'done' | 'stopped'>((resolve, reject) => {
    child.on('exit', (code, signal) => {
      if (code === 0) resolve('done')
      else if (signal === 'SIGKILL') resolve('stopped')
      else reject(new Error(`the demo ended with ${code ?? signal} and not because it was killed:\n${words}`))
    })
  })
  return { process: child, ended }
}

/** The host, or its child whose command line tells what it is. */
function pidOf(host: Host, target: Target): number | null {
  const hostPid = host.process.pid ?? null
  if (hostPid === null || host.process.exitCode !== null) return null
  if (target === 'host') return hostPid
  const mark = target === 'trainer' ? 'labdesk-trainer' : 'compute/worker'
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const parent = /^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      if (Number(parent) === hostPid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(mark))
        return Number(name)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' && (thrown as NodeJS.ErrnoException).code !== 'ESRCH')
        throw thrown
    }
  }
  return null
}

async function prove(dataDir: string): Promise<void> {
  const engine = await createEngine({ dataDir, host: 'cli' })
  try {
    await engine.call('settings.set', { threads: 1 })
    await proveSlots(engine)
    for (const tuning of await engine.call('tuning.list', {})) await proveCurve(engine, tuning)
  } finally {
    await engine.close()
  }
}

async function proveSlots(engine: Engine): Promise<void> {
  const slots: number[] = []
  for (let offset = 0; ; offset += 500) {
    const { rows, total } = await engine.call('sample.list', { offset, limit: 500 })
    slots.push(...rows.map((row) => row.slot))
    if (slots.length >= total) break
  }
  const runs = await engine.call('generation.list', {})
  const attempted = runs.flatMap((run) => run.funnel).reduce((sum, leaf) => sum + leaf.attempted, 0)
  if (runs.length !== 1 || new Set(slots).size !== slots.length || slots.length !== attempted) {
    throw new Error(
      `slots: ${slots.length} rows, ${new Set(slots).size} different, ${attempted} attempted, ${runs.length} runs`,
    )
  }
  say(`${slots.length} slots, each exactly once`)
}

async function proveCurve(engine: Engine, tuning: TuningRun): Promise<void> {
  const interrupted = await engine.call('tuning.steps', { tuningId: tuning.id })
  const again = await engine.call('tuning.start', {
    ...tuning.plan,
    name: `${tuning.plan.name}, uninterrupted`,
    examIds: tuning.plan.examIds,
  })
  await settled(engine, again.jobId)
  const whole = await engine.call('tuning.steps', { tuningId: again.tuningId })
  const differing = whole.findIndex((step, index) => !Object.is(step.loss, interrupted[index]?.loss))
  if (whole.length !== interrupted.length || differing >= 0) {
    throw new Error(
      `"${tuning.plan.name}": ${interrupted.length} steps against ${whole.length}, first difference at ${differing}`,
    )
  }
  say(`"${tuning.plan.name}": ${whole.length} losses equal bit for bit to an uninterrupted run`)
}

async function settled(engine: Engine, jobId: JobId): Promise<void> {
  for (;;) {
    const job = await engine.call('job.get', { jobId })
    if (job.state === 'done') return
    if (job.state !== 'queued' && job.state !== 'running')
      throw new Error(`${job.title}: ${job.state} ${job.error?.message ?? ''}`)
    await wait(500)
  }
}

function wait(ms: number): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), ms))
}

function say(line: string): void {
  console.log(`${((Date.now() - startedAtMs) / 1000).toFixed(0).padStart(5)} s  ${line}`)
}
