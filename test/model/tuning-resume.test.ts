// A tuning that is paused, or whose trainer or host is killed at random moments, ends exactly as one that was left alone.
// Set LABDESK_KILLS for more kills of each kind than the default.

import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobId, TuningId } from '../../main/contract/ids.ts'
import { createRandom } from '../../main/domain/random.ts'
import { createLlamaHost } from '../../main/compute/llama.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'
import { openTuningLab, planOf, type TuningLab } from '../support/tuning-lab.ts'

const killCount = Number(process.env.LABDESK_KILLS ?? 3)
const random = createRandom(process.env.LABDESK_KILL_SEED ?? 'kills')
const timeoutMs = 60_000 + killCount * 60_000

/** All that a run leaves behind and that must not depend on what befell it; durations and ids do. */
async function traceOf(engine: TestEngine, tuningId: TuningId) {
  const steps = await engine.call('tuning.steps', { tuningId })
  const checkpoints = await engine.call('tuning.checkpoints', { tuningId })
  const evaluations = await engine.call('evaluation.list', {})
  return {
    steps: steps.map(({ ms: _ms, ...step }) => step),
    checkpoints: checkpoints.map(({ phase, step, epoch, validationLoss, score, isBest }) => [
      phase,
      step,
      epoch,
      validationLoss,
      score,
      isBest,
    ]),
    evaluations: evaluations
      .filter((evaluation) => evaluation.checkpointId !== null)
      .map(({ phase, examName, correct, total }) => [phase, examName, correct, total]),
  }
}

async function startIn(lab: TuningLab): Promise<{ tuningId: TuningId; jobId: JobId }> {
  return lab.engine.call('tuning.start', planOf(lab, { examIds: [lab.exams.choice.id, lab.exams.skill.id] }))
}

describe('a tuning at one thread', () => {
  let undisturbed: Awaited<ReturnType<typeof traceOf>>
  const opened: TestEngine[] = []

  beforeAll(async () => {
    const lab = await openTuningLab()
    opened.push(lab.engine)
    const { tuningId, jobId } = await startIn(lab)
    expect((await lab.engine.settled(jobId)).state).toBe('done')
    undisturbed = await traceOf(lab.engine, tuningId)
  }, timeoutMs)
  afterAll(async () => {
    for (const engine of opened) await engine.dispose()
  }, 60_000)

  test(
    'paused and resumed again and again ends the same',
    async () => {
      const lab = await openTuningLab()
      opened.push(lab.engine)
      const { tuningId, jobId } = await startIn(lab)
      for (let pauses = 0; pauses < killCount; pauses++) {
        await waitForSteps(lab.engine, 3 + random.int(8))
        const job = await lab.engine.call('job.get', { jobId })
        if (job.state !== 'running') break
        await lab.engine.call('job.pause', { jobId })
        expect((await lab.engine.settled(jobId)).state).toBe('paused')
        await lab.engine.call('job.resume', { jobId })
      }
      expect((await lab.engine.settled(jobId)).state).toBe('done')
      expect(await traceOf(lab.engine, tuningId)).toEqual(undisturbed)
    },
    timeoutMs,
  )

  test(
    'whose latest checkpoint was damaged goes on from the one before, ends the same, and keeps the damaged one',
    async () => {
      const lab = await openTuningLab()
      opened.push(lab.engine)
      const { tuningId, jobId } = await startIn(lab)
      await waitForSteps(lab.engine, 5)
      await lab.engine.call('job.pause', { jobId })
      expect((await lab.engine.settled(jobId)).state).toBe('paused')
      const phase = dirname(latestManifest(lab.engine.dataDir))
      for (const name of readdirSync(phase).filter((file) => file.endsWith('.f32'))) truncateSync(join(phase, name), 10)
      await lab.engine.call('job.resume', { jobId })
      expect(await lab.engine.settled(jobId)).toMatchObject({ state: 'done', error: null })
      expect(await traceOf(lab.engine, tuningId)).toEqual(undisturbed)
      expect(existsSync(join(dirname(phase), `damaged-${basename(phase)}`))).toBe(true)
    },
    timeoutMs,
  )

  test(
    'is paused within seconds in the middle of a step of hours, and ends the same',
    async () => {
      const lab = await openTuningLab()
      opened.push(lab.engine)
      const open = lab.engine.lab.openTrainer.bind(lab.engine.lab)
      const { tuningId, jobId } = await new Promise<{ tuningId: TuningId; jobId: JobId }>((stepping, fail) => {
        lab.engine.lab.openTrainer = async (options) => {
          const trainer = await open(options)
          const step = trainer.step.bind(trainer)
          trainer.step = (rate, packs) => {
            started.then(stepping, fail)
            return step(rate, Array.from({ length: 20_000 }, () => packs).flat())
          }
          return trainer
        }
        const started = startIn(lab)
      })
      await lab.engine.call('job.pause', { jobId })
      const askedAtMs = performance.now()
      expect(await lab.engine.settled(jobId)).toMatchObject({ state: 'paused', error: null })
      expect(performance.now() - askedAtMs).toBeLessThan(15_000)
      lab.engine.lab.openTrainer = open
      await lab.engine.call('job.resume', { jobId })
      expect(await lab.engine.settled(jobId)).toMatchObject({ state: 'done', error: null })
      expect(await traceOf(lab.engine, tuningId)).toEqual(undisturbed)
    },
    timeoutMs,
  )

  test(
    'with its trainer killed at random moments ends the same',
    async () => {
      const lab = await openTuningLab()
      opened.push(lab.engine)
      let kills = 0
      const open = lab.engine.lab.openTrainer.bind(lab.engine.lab)
      lab.engine.lab.openTrainer = async (options) => {
        const trainer = await open(options)
        if (kills < killCount && trainer.pid) {
          const { pid } = trainer
          kills += 1
          setTimeout(() => killNow(pid), random.int(250))
        }
        return trainer
      }
      const { tuningId, jobId } = await startIn(lab)
      let job = await lab.engine.settled(jobId)
      for (let tries = 0; job.state === 'failed' && job.error?.code === 'worker-died' && tries < killCount; tries++) {
        await lab.engine.call('job.resume', { jobId })
        job = await lab.engine.settled(jobId)
      }
      expect(job).toMatchObject({ state: 'done', error: null })
      expect(kills).toBe(killCount)
      expect(await traceOf(lab.engine, tuningId)).toEqual(undisturbed)
    },
    timeoutMs,
  )

  test(
    'with its llama worker killed at random moments ends the same',
    async () => {
      const lab = await openTuningLab()
      opened.push(lab.engine)
      const { tuningId, jobId } = await startIn(lab)
      for (let kills = 0; kills < killCount; kills++) {
        await new Promise((resolve) => setTimeout(resolve, 300 + random.int(1500)))
        const { pid } = lab.engine.lab.llama
        if (pid !== null) killNow(pid)
      }
      expect(await lab.engine.settled(jobId)).toMatchObject({ state: 'done', error: null })
      expect(await traceOf(lab.engine, tuningId)).toEqual(undisturbed)
    },
    timeoutMs,
  )

  test(
    'whose whole host process is killed at random moments ends the same after a restart',
    async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'labdesk-kill-'))
      try {
        const words: string[] = []
        for (let kills = 0; kills < killCount && !words.includes('done'); kills++)
          words.push(await runChild(dataDir, 400 + random.int(1600)))
        expect(words).toContain('')
        expect(await runChild(dataDir, null)).toBe('done')
        const engine = await createTestEngine({ dataDir, llama: createLlamaHost() })
        opened.push(engine)
        const [run] = await engine.call('tuning.list', {})
        expect(run).toBeDefined()
        if (run) expect(await traceOf(engine, run.id)).toEqual(undisturbed)
      } finally {
        if (opened.every((engine) => engine.dataDir !== dataDir)) rmSync(dataDir, { recursive: true, force: true })
      }
    },
    timeoutMs,
  )
})

/** The newest checkpoint's manifest under a data folder. */
function latestManifest(dataDir: string): string {
  const found = globSync('projects/*/runs/**/checkpoint.json', { cwd: dataDir }).map((name) => join(dataDir, name))
  const [latest] = found.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)
  if (!latest) throw new Error(`no checkpoint under ${dataDir}`)
  return latest
}

/** Waits until that many more steps were told. */
function waitForSteps(engine: TestEngine, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0
    const stop = engine.onEvent((event) => {
      if (event.kind === 'tuning.step') seen += event.steps.length
      const isOver = event.kind === 'job' && event.job.state !== 'running' && event.job.state !== 'queued'
      if (seen < count && !isOver) return
      stop()
      resolve()
    })
  })
}

/** Runs the host until it ends by itself (its last word) or is killed with all it cannot clean up. */
function runChild(dataDir: string, killAfterMs: number | null): Promise<string> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/tuning-child.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const timer = killAfterMs === null ? null : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  return new Promise((resolve) => {
    child.once('close', () => {
      if (timer) clearTimeout(timer)
      resolve(output.trim().split('\n').at(-1)?.trim() ?? '')
    })
  })
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (thrown) {
    // It had ended by itself in the meantime.
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}
