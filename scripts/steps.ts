// Runs named commands one after another and reports each in one line; a failing one prints all it said.
// Owns no knowledge of what the commands do; never stops at the first failure, so that one run shows everything.
import { spawn } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'

/** The repository's root. */
export const root = resolve(import.meta.dirname, '..')
const binaries = join(root, 'node_modules/.bin')

/** One command: a name for people, the program (a tool of node_modules/.bin, or a path) and its arguments. */
export interface Step {
  name: string
  command: string[]
  /** Why it cannot run here; printed in place of running it. */
  skip?: string | undefined
  /** Shows output as it comes (long steps); otherwise only on failure. */
  live?: boolean
  env?: Record<string, string>
}

/** What became of one step. */
export interface StepOutcome {
  name: string
  state: 'passed' | 'failed' | 'skipped'
  seconds: number
}

/** Runs every step in order; returns the outcomes, failures included. */
export async function runSteps(steps: Step[]): Promise<StepOutcome[]> {
  const outcomes: StepOutcome[] = []
  for (const step of steps) {
    if (step.skip) {
      console.log(`skipped  ${step.name}: ${step.skip}`)
      outcomes.push({ name: step.name, state: 'skipped', seconds: 0 })
      continue
    }
    if (step.live) console.log(`\n--- ${step.name}: ${step.command.join(' ')}`)
    const start = performance.now()
    const { code, output } = await runCommand(step)
    const seconds = (performance.now() - start) / 1000
    const state = code === 0 ? 'passed' : 'failed'
    if (state === 'failed' && !step.live) console.log(output.trimEnd())
    console.log(`${state.padEnd(8)} ${step.name} (${seconds.toFixed(1)} s)`)
    outcomes.push({ name: step.name, state, seconds })
  }
  return outcomes
}

function runCommand(step: Step): Promise<{ code: number; output: string }> {
  const [tool = '', ...args] = step.command
  const program = tool === 'node' ? process.execPath : tool.includes('/') ? tool : join(binaries, tool)
  const child = spawn(program, args, {
    cwd: root,
    stdio: step.live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    // Tools find this project's Node first, however the script was started.
    env: { ...process.env, PATH: `${binaries}${delimiter}${process.env['PATH']}`, ...step.env },
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return new Promise((done) => {
    child.on('error', (error) =>
      done({ code: 1, output: `${output}${program} could not be started: ${error.message}\n` }),
    )
    child.on('close', (code) => done({ code: code ?? 1, output }))
  })
}

/** Prints the closing line and sets the exit code. */
export function finish(outcomes: StepOutcome[]): void {
  const failed = outcomes.filter((outcome) => outcome.state === 'failed')
  const skipped = outcomes.filter((outcome) => outcome.state === 'skipped')
  const total = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0)
  const parts = [`${outcomes.length - failed.length - skipped.length} passed`]
  if (skipped.length > 0) parts.push(`${skipped.length} skipped (${skipped.map((outcome) => outcome.name).join(', ')})`)
  if (failed.length > 0) parts.push(`${failed.length} FAILED (${failed.map((outcome) => outcome.name).join(', ')})`)
  console.log(`\n${parts.join(', ')} in ${total.toFixed(0)} s`)
  process.exitCode = failed.length > 0 ? 1 : 0
}
