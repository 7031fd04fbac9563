// Child processes as bench-train needs them: a quiet machine before, the peak of their memory (Linux), their output, and a time limit.
// Ends only what it started itself.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Peak resident memory (VmHWM) of a running process, bytes; undefined once it is gone. */
export function readPeakBytes(pid: number | undefined): number | undefined {
  try {
    const found = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return found ? Number(found[1]) * 1024 : undefined
  } catch {
    return undefined // the process ended between two looks
  }
}

/** Waits until others leave the processors alone, two minutes at most; returns whether they did. */
export async function waitForQuiet(): Promise<boolean> {
  for (let tries = 0; tries < 240; tries++) {
    const before = readTicks()
    await delay(500)
    const after = readTicks()
    if ((after.busy - before.busy) / Math.max(1, after.all - before.all) < quietShare) return true
  }
  return false
}

/** At most this share of all processors' time may go to others before a turn starts. */
const quietShare = 0.1

/** Clock ticks of all processors since the start of the machine; time stolen by other guests counts as busy. */
function readTicks(): { busy: number; all: number } {
  const ticks = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.trim().split(/\s+/).slice(1, 9).map(Number) ?? []
  const all = ticks.reduce((sum, value) => sum + value, 0)
  const [, , , idle = 0, waiting = 0] = ticks
  return { busy: all - idle - waiting, all }
}

export interface ChildRun {
  command: string[]
  /** Merged into this process's environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>
  cwd?: string
  limitMs: number
  /** Called with each piece of stderr; return true to end the process now. */
  onStderr?: (piece: string, pid: number | undefined) => boolean
}

export interface ChildEnd {
  stdout: string
  stderr: string
  /** `status 0`, `signal SIGABRT`, or why it could not start. */
  ended: string
  isEndedByUs: boolean
}

/** Runs a program without core dumps; never throws. */
export function runChild({ command, env, cwd, limitMs, onStderr }: ChildRun): Promise<ChildEnd> {
  const child = spawn('sh', ['-c', 'ulimit -c 0; exec "$0" "$@"', ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr, isEndedByUs] = ['', '', false]
  const endIt = (): void => {
    isEndedByUs = true
    child.kill('SIGKILL')
  }
  const timer = setTimeout(endIt, limitMs)
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr = (stderr + piece).slice(-20_000)
    if (!isEndedByUs && onStderr?.(piece, child.pid)) endIt()
  })
  return new Promise((resolve) => {
    const finish = (ended: string): void => {
      clearTimeout(timer)
      resolve({ stdout, stderr, ended, isEndedByUs })
    }
    child.on('error', (error) => finish(error.message))
    child.on('close', (code, signal) => finish(signal ? `signal ${signal}` : `status ${code}`))
  })
}
