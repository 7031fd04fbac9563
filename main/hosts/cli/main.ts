// labdesk <noun> <verb>: JSON on stdout, progress and messages on stderr, honest exit codes. Opens the engine itself, or speaks to the
// Labdesk that has the data folder open already.

import '../node/runtime.ts'
import type { EngineApi, MethodInput, MethodName } from '../../contract/api.ts'
import { type AppError, toAppError } from '../../contract/errors.ts'
import type { JobId, ModelId } from '../../contract/ids.ts'
import type { Job } from '../../contract/jobs.ts'
import { checkTaxonomyFolder, createEngine } from '../../engine.ts'
import { knock, openDoor } from '../node/local-socket.ts'
import { defaultDataDir } from '../node/paths.ts'
import { describeFlags, type GlobalFlags, parseInput, parseWords, usageError } from './arguments.ts'
import { findMethod, listCommands, summaryOf, usage } from './commands.ts'
import { demoTable } from './demo-table.ts'
import { generateUsage, parseGenerate } from './generate.ts'
import { followJob } from './follow.ts'
import { createProgressView } from './progress.ts'

const exitCodes = { done: 0, failed: 1, usage: 2, stopped: 3 } as const
const view = createProgressView(process.stderr)

/** What Ctrl-C does now; without a job to pause it ends the program. */
let interrupt: (() => void) | null = null
let interrupts = 0

function onInterrupt(act: () => void): () => void {
  interrupt = act
  return () => {
    interrupt = null
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupts += 1
    if (interrupt && interrupts === 1) interrupt()
    else process.exit(exitCodes.stopped)
  })
// Whoever read the output has seen enough.
process.stdout.on('error', () => process.exit(exitCodes.done))

/** The engine for one command. */
interface Desk {
  engine: EngineApi
  leave: () => Promise<void>
}

async function openDesk(flags: GlobalFlags): Promise<Desk> {
  const dataDir = flags.data ?? defaultDataDir()
  const log = (line: string) => {
    if (flags.verbose) view.say(line)
  }
  let desk: Desk
  try {
    const engine = await createEngine({ dataDir, host: 'cli', log })
    const door = await openDoor(engine, dataDir, log)
    desk = {
      engine,
      leave: async () => {
        door.close()
        await engine.close()
      },
    }
  } catch (thrown) {
    const error = toAppError(thrown)
    const open = error.code === 'conflict' ? await knock(dataDir) : null
    if (!open) throw error
    desk = { engine: open.engine, leave: async () => open.leave() }
  }
  await chooseProject(desk, flags.project)
  return desk
}

async function chooseProject({ engine, leave }: Desk, wanted: string | undefined): Promise<void> {
  if (wanted === undefined) return
  try {
    const known = await engine.call('project.list', {})
    const found = known.find((project) => project.id === wanted || project.name === wanted)
    await engine.call('project.open', { id: found?.id ?? wanted })
  } catch (thrown) {
    await leave()
    throw thrown
  }
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}

/** Follows a job and answers with the exit code it deserves. */
async function follow(engine: EngineApi, jobId: JobId): Promise<{ job: Job; code: number }> {
  const job = await followJob(jobId, { engine, view, onInterrupt })
  if (job.error) tell(job.error)
  if (job.state === 'paused' || job.state === 'interrupted')
    view.say(`Stopped. Continue with: labdesk job resume ${job.id}`)
  const code = job.state === 'done' ? exitCodes.done : exitCodes.failed
  return { job, code: job.state === 'paused' || job.state === 'interrupted' ? exitCodes.stopped : code }
}

async function runDemo(engine: EngineApi, input: MethodInput<'demo.run'>): Promise<number> {
  const demo = (await engine.call('project.list', {})).find((project) => project.isDemo)
  if (demo && !demo.isOpen) await engine.call('project.open', { id: demo.id })
  const earlier = (await engine.call('job.list', {})).find((job) => job.kind === 'demo')
  const isLeft = earlier && earlier.state !== 'done' && earlier.state !== 'cancelled'
  if (isLeft) view.say(`Continuing the demo run of ${new Date(earlier.createdAtMs).toLocaleString()}.`)
  const jobId = isLeft
    ? (await engine.call('job.resume', { jobId: earlier.id })).id
    : (await engine.call('demo.run', input)).jobId
  const { job, code } = await follow(engine, jobId)
  const report = job.state === 'done' ? await engine.call('demo.report', {}) : null
  if (report) process.stderr.write(demoTable(report))
  print(report ?? { job })
  return code
}

/** Calls a method; where that started a job, follows it to its end. */
async function runMethod(engine: EngineApi, method: MethodName, input: Record<string, unknown>): Promise<number> {
  if (method === 'demo.run') return runDemo(engine, input)
  // The engine validates; here the input is what somebody typed.
  const output: unknown = await engine.call(method, input as never)
  const jobId = method === 'job.resume' ? (output as Job).id : startedJob(output)
  if (!jobId) {
    print(output)
    return hasRefused(output) ? exitCodes.failed : exitCodes.done
  }
  const { job, code } = await follow(engine, jobId)
  print(method === 'job.resume' ? job : { ...(output as object), job })
  return code
}

/** An import or a scan takes what it can; a file it had to refuse is a failure all the same. */
function hasRefused(output: unknown): boolean {
  if (Array.isArray(output)) return output.some((one: { outcome?: unknown }) => one.outcome === 'refused')
  const refused = (output as { refused?: unknown } | null)?.refused
  return Array.isArray(refused) && refused.length > 0
}

function startedJob(output: unknown): JobId | undefined {
  const isObject = typeof output === 'object' && output !== null && !Array.isArray(output)
  const isRun = isObject && 'plan' in output
  return isObject && !isRun ? (output as { jobId?: JobId }).jobId : undefined
}

async function chat(words: string[]): Promise<number> {
  const { flags, positionals } = parseWords(words, {
    'max-tokens': { type: 'string' },
    temperature: { type: 'string' },
  })
  const [modelId, ...text] = positionals
  if (!modelId || text.length === 0)
    throw usageError('chat needs a model and a question.', 'Type: labdesk chat <model-id> "question"')
  return withDesk(flags, async (engine) => {
    engine.onEvent((event) => {
      if (event.kind === 'chat.token' && process.stderr.isTTY) process.stderr.write(event.text)
    })
    const stop = onInterrupt(() => void engine.call('chat.stop', { chatId: 'cli' }))
    const answer = await engine.call('chat.send', {
      chatId: 'cli',
      modelId: modelId as ModelId,
      turns: [{ role: 'user', content: text.join(' ') }],
      ...(flags['max-tokens'] === undefined ? {} : { maxTokens: Number(flags['max-tokens']) }),
      ...(flags['temperature'] === undefined ? {} : { temperature: Number(flags['temperature']) }),
    })
    stop()
    if (process.stderr.isTTY) process.stderr.write('\n')
    print(answer)
    return exitCodes.done
  })
}

async function withDesk(flags: GlobalFlags, act: (engine: EngineApi) => Promise<number>): Promise<number> {
  const desk = await openDesk(flags)
  try {
    return await act(desk.engine)
  } finally {
    await desk.leave()
  }
}

async function run(words: string[]): Promise<number> {
  const [noun, verb, ...rest] = words
  if (noun === undefined || noun === 'help' || noun === '--help' || noun === '-h') {
    process.stderr.write(`${usage}\n${listCommands()}\n`)
    return noun === undefined ? exitCodes.usage : exitCodes.done
  }
  if (noun === 'chat' && verb !== 'send' && verb !== 'stop') return chat(words.slice(1))
  if (noun === 'job' && verb === 'watch') return watch(rest)
  if (noun === 'generate') return generate(words.slice(1))
  const method = verb === undefined ? undefined : findMethod(noun, verb)
  if (!method) {
    const known = listCommands(noun) || listCommands()
    process.stderr.write(`${known}\n`)
    if (verb === '--help' || verb === '-h') return exitCodes.done
    throw usageError(
      `There is no command "${[noun, verb].filter(Boolean).join(' ')}".`,
      'Choose one of the commands above.',
    )
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stderr.write(`${summaryOf(method)}\n${describeFlags(method)}\n`)
    return exitCodes.done
  }
  const { flags, input } = parseInput(method, rest)
  if (method === 'taxonomy.validate') return validate(input)
  return withDesk(flags, (engine) => runMethod(engine, method, input))
}

async function generate(words: string[]): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    process.stderr.write(`${generateUsage}\n`)
    return exitCodes.done
  }
  const { flags, plan } = parseGenerate(words)
  return withDesk(flags, async (engine) => runMethod(engine, 'generation.start', await plan(engine)))
}

/** Files are checked where they lie: no project is opened, and none is made. */
async function validate(input: Record<string, unknown>): Promise<number> {
  const reports = await checkTaxonomyFolder(input as never)
  print(reports)
  return hasRefused(reports) ? exitCodes.failed : exitCodes.done
}

function watch(words: string[]): Promise<number> {
  const { flags, positionals } = parseWords(words)
  const [jobId] = positionals
  if (!jobId) throw usageError('job watch needs the id of a job.', 'List the jobs with: labdesk job list')
  return withDesk(flags, async (engine) => {
    const { job, code } = await follow(engine, jobId as JobId)
    print(job)
    return code
  })
}

function tell(error: { code: string; message: string; remedy: string; detail?: string | undefined }): void {
  view.say(`labdesk: ${error.code}: ${error.message}\n  ${error.remedy}`)
  if (error.detail && process.argv.includes('--verbose')) view.say(error.detail)
}

function exitCodeOf(error: AppError): number {
  return error.code === 'bad-input' ? exitCodes.usage : exitCodes.failed
}

try {
  process.exitCode = await run(process.argv.slice(2))
} catch (thrown) {
  const error = toAppError(thrown)
  tell(error)
  process.exitCode = exitCodeOf(error)
}
