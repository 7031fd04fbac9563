import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../main/domain/random.ts'
import { openReadOnly } from '../../main/store/open.ts'

const script = join(import.meta.dirname, '../support/generation-job.ts')
const newFolder = () => mkdtempSync(join(tmpdir(), 'generation-kill-'))

interface Run {
  child: ChildProcess
  said: string[]
  ended: Promise<void>
}
function run(dataDir: string): Run {
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => said.push(...text.trim().split('\n')))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text))
  return { child, said, ended: new Promise((resolve) => child.once('exit', () => resolve())) }
}
const workerOf = ({ said }: Run) =>
  Number(said.findLast((line) => line.startsWith('worker '))?.slice('worker '.length) ?? 0)
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

interface Slot {
  slot: number
  leaf: string
  state: string
}
/** Whole candidates in slot order, each with the number of its outcomes. */
function slotsIn(dataDir: string): Slot[] {
  const projects = join(dataDir, 'projects')
  const folder = existsSync(projects)
    ? readdirSync(projects, { withFileTypes: true }).find((entry) => entry.isDirectory())
    : null
  if (!folder) return []
  const db = openReadOnly(join(projects, folder.name, 'project.sqlite'))
  try {
    return db
      .prepare<[], Slot>(
        `select candidates.*, (select count(*) from stage_outcomes where candidate_number = candidates.number) as outcomes
         from candidates order by slot`,
      )
      .all()
  } finally {
    db.close()
  }
}

describe('a generation that is killed', () => {
  it('host or worker, at random moments, goes on behind the last slot written: none lost, none doubled, none changed', async () => {
    const dataDir = newFolder()
    const random = createRandom(4711)
    const kills = { host: 0, worker: 0 }
    let said: string[] = []
    let written: Slot[] = []
    for (let start = 0; start < 12 && said.at(-1) !== 'done'; start++) {
      const running = run(dataDir)
      said = running.said
      let isOver = false
      void running.ended.then(() => (isOver = true))
      while (!isOver && workerOf(running) === 0) await pause(5)
      // Kills stop after a while, so that the run can end.
      if (kills.host < 4 && !isOver) {
        await pause(random.int(1500))
        if (random.next() < 0.6 && !isOver) {
          process.kill(workerOf(running), 'SIGKILL')
          kills.worker += 1
          await pause(random.int(2000))
        }
        if (running.child.kill('SIGKILL') && !isOver) kills.host += 1
      }
      await running.ended
      const now = slotsIn(dataDir)
      expect(now.slice(0, written.length).length).toBe(written.length)
      for (const slot of written) expect(now.find((other) => other.slot === slot.slot)).toEqual(slot)
      written = now
    }
    expect(said.at(-1)).toBe('done')
    expect(kills.host).toBeGreaterThan(1)
    for (const { leaf, firstSlot, quota } of [
      { leaf: 'compositional_skills/writing/verses', firstSlot: 0, quota: 40 },
      { leaf: 'knowledge/nature/birds', firstSlot: 160, quota: 8 },
    ]) {
      const own = written.filter((slot) => slot.leaf === leaf)
      const accepted = own.filter((slot) => slot.state === 'passed').length
      expect(own.map((slot) => slot.slot)).toEqual(own.map((_, index) => firstSlot + index))
      // Ended by the quota exactly at its last slot, or by the attempts.
      if (own.length < quota * 4) expect([accepted, own.at(-1)?.state]).toEqual([quota, 'passed'])
      else expect(own.length).toBe(quota * 4)
    }
  }, 180_000)
})
