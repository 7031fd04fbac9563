// A generation under fire: its host and its worker are killed at random moments and started again, until it is done. Says what the store
// holds between the deaths, and which calls were made twice.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../main/domain/random.ts'
import { openReadOnly } from '../../main/store/open.ts'

const script = join(import.meta.dirname, 'generation-job.ts')

/** A whole candidate with the number of its outcomes. */
export interface WrittenSlot {
  slot: number
  leaf: string
  state: string
}

interface Run {
  child: ChildProcess
  said: string[]
  ended: Promise<void>
}

export interface Fire {
  dataDir: string
  quotas: [skill: number, knowledge: number]
  random: Random
  /** Deaths of the host; the worker dies about half as often beside them. */
  hostKills: number
  /** Milliseconds between a start and the death of it, at most. */
  longestMs: number
  /** Told after each death what is written. */
  onDeath?: (slots: WrittenSlot[]) => void
}
export interface Survival {
  kills: { host: number; worker: number }
  slots: WrittenSlot[]
  /** Calls asked for more than once: those under way when somebody died. */
  repeatedCalls: number
  calls: number
  last: string
}

/** Kills and starts again until the job says it is done, or gives up after far too many starts. */
export async function generateUnderFire(fire: Fire): Promise<Survival> {
  const { dataDir, random, hostKills, longestMs } = fire
  const kills = { host: 0, worker: 0 }
  let last = ''
  for (let start = 0; start < hostKills + 12 && last !== 'done'; start++) {
    const running = run(fire)
    let isOver = false
    void running.ended.then(() => (isOver = true))
    while (!isOver && workerOf(running) === 0) await pause(5)
    // Kills stop after a while, so that the run can end.
    if (kills.host < hostKills && !isOver) {
      await pause(random.int(longestMs))
      if (random.next() < 0.5 && !isOver) {
        process.kill(workerOf(running), 'SIGKILL')
        kills.worker += 1
        await pause(random.int(longestMs))
      }
      if (running.child.kill('SIGKILL') && !isOver) kills.host += 1
    }
    await running.ended
    last = running.said.at(-1) ?? ''
    fire.onDeath?.(slotsIn(dataDir))
  }
  const asked = readFileSync(join(dataDir, 'calls.log'), 'utf8').trim().split('\n')
  return {
    kills,
    slots: slotsIn(dataDir),
    calls: asked.length,
    repeatedCalls: asked.length - new Set(asked).size,
    last,
  }
}

function run({ dataDir, quotas }: Fire): Run {
  const child = spawn(process.execPath, [script, dataDir, ...quotas.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text))
  return { child, said, ended: new Promise((resolve) => child.once('exit', () => resolve())) }
}
const workerOf = ({ said }: Run) =>
  Number(said.findLast((line) => line.startsWith('worker '))?.slice('worker '.length) ?? 0)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Whole candidates in slot order, each with the number of its outcomes. */
function slotsIn(dataDir: string): WrittenSlot[] {
  const projects = join(dataDir, 'projects')
  const folder = existsSync(projects)
    ? readdirSync(projects, { withFileTypes: true }).find((entry) => entry.isDirectory())
    : null
  if (!folder) return []
  const db = openReadOnly(join(projects, folder.name, 'project.sqlite'))
  try {
    return db
      .prepare<[], WrittenSlot>(
        `select candidates.*, (select count(*) from stage_outcomes where candidate_number = candidates.number) as outcomes
         from candidates order by slot`,
      )
      .all()
  } finally {
    db.close()
  }
}
