// Composition root: one data folder, one workspace, every method behind one validated door. Refuses inputs the contract does not
// know, and a data folder another engine has open. Whatever leaves here as an error is an AppError.

import { blockedAttempts, noteBlocked } from './compute/offline-guard.ts'
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { z } from 'zod'
import {
  api,
  type EngineApi,
  type EngineEvent,
  type MethodInput,
  type MethodName,
  type MethodOutput,
} from './contract/api.ts'
import { AppError } from './contract/errors.ts'
import type { JobKind } from './contract/jobs.ts'
import type { OfflineProof } from './contract/workspace.ts'
import { createDocumentReader } from './compute/document-reader.ts'
import { createLlamaHost } from './compute/llama.ts'
import type { FromReader } from './compute/document-messages.ts'
import type { FromWorker } from './compute/llama-messages.ts'
import type { LlamaHost } from './compute/llama-protocol.ts'
import { withRemoteTeacher } from './compute/remote-host.ts'
import { openTrainer, type Trainer } from './compute/trainer.ts'
import { findTrainingGpu } from './compute/training-gpu.ts'
import { ensureTrainer, findLibraryDir } from './compute/trainer-build.ts'
import { forkWorker, type WorkerProcess } from './compute/worker-process.ts'
import type { FileReport } from './contract/authoring.ts'
import { seedDemoProject } from './pipelines/demo-seed.ts'
import { createEventStream } from './pipelines/event-stream.ts'
import type { Handlers, JobHandler, Lab, Resources } from './pipelines/lab.ts'
import { createMachine, watchGpu } from './pipelines/machine.ts'
import { allowedPlace } from './pipelines/remote-teacher.ts'
import { validateTaxonomy } from './pipelines/taxonomy-validate.ts'
import { Workspace } from './pipelines/workspace.ts'
import { lockFolder } from './store/lock.ts'
import { fromSqlite } from './store/open.ts'
import { jobHandlersOf, methodsOf } from './wiring.ts'

export interface EngineOptions {
  /** Everything the user has lives below here. */
  dataDir: string
  /** What the engine runs under, and how that keeps its own part offline, in plain words. */
  host: OfflineProof['host']
  offlineMeasures?: readonly string[]
  /** How a worker's process is made; default: a fork of this Node. */
  spawnWorker?: (entry: URL) => WorkerProcess
  /** Takes the place of the llama worker, for tests. */
  llama?: LlamaHost
  /** Where lines for a bug report go. */
  log?: (line: string) => void
  clock?: () => number
  /** Fills a fresh demo project; default: the embedded demo world and its models. */
  seedDemo?: (lab: Lab) => Promise<void>
  /** Extra handlers over the wired ones, for tests of a part. */
  extraMethods?: (lab: Lab) => Partial<Handlers>
  extraJobHandlers?: (lab: Lab) => Partial<Record<JobKind, JobHandler>>
}

/** An engine that can be closed: running jobs stop at a safe point, workers end, the database is closed. */
export interface Engine extends EngineApi {
  close(): Promise<void>
}

/** Opens the engine on a data folder. @throws AppError `conflict` when another engine has it, `database`, `unsupported-runtime` */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const dataDir = resolve(options.dataDir)
  const log = options.log ?? (() => undefined)
  const lock = lockFolder(dataDir)
  const events = createEventStream(log)
  const spawnLlama = () => spawnGuarded(options, new URL('./compute/worker/llama.ts', import.meta.url))
  const spawnReader = () => spawnGuarded(options, new URL('./compute/worker/reader.ts', import.meta.url))
  const local = options.llama ?? createLlamaHost({ log, spawn: spawnLlama })
  const { llama, gpu } = watchGpu(withRemoteTeacher(local, () => workspace.settings().remoteTeacher))
  const documents = createDocumentReader({ spawn: spawnReader })
  let workspace: Workspace
  try {
    workspace = new Workspace({
      dataDir,
      resources: shippedResources,
      llama,
      documents,
      openTrainer: (wish) => startTrainer(wish),
      machine: createMachine({ appRoot, dataDir, gpu }),
      clock: options.clock ?? Date.now,
      log,
      emit: (event) => events.emit(event),
      offline: () => proveOffline(options),
      jobHandlers: (lab) => ({ ...jobHandlersOf(lab), ...options.extraJobHandlers?.(lab) }),
      seedDemo: options.seedDemo ?? seedDemoProject,
    })
    await workspace.start()
  } catch (thrown) {
    lock.release()
    throw fromSqlite(thrown)
  }
  const handlers: Handlers = { ...methodsOf(workspace), ...options.extraMethods?.(workspace) }
  let closing: Promise<void> | null = null
  const close = async () => {
    await workspace.close()
    await llama.close()
    documents.close()
    events.close()
    lock.release()
  }
  return {
    call: (name, input) =>
      closing ? Promise.reject(closed()) : workspace.during(name, () => answer(handlers, name, input)),
    onEvent: (listener: (event: EngineEvent) => void) => events.subscribe(listener),
    close: () => (closing ??= close()),
  }
}

/** Checks a folder of qna.yaml files without a data folder. @throws AppError `bad-input`, `not-found` */
export function checkTaxonomyFolder(input: MethodInput<'taxonomy.validate'>): Promise<FileReport[]> {
  return answer({ 'taxonomy.validate': validateTaxonomy }, 'taxonomy.validate', input)
}

/** Files that ship beside this one, in the sources and in the build. Models are read by native code, so never from inside an archive. */
const shippedResources: Resources = {
  promptsDir: join(import.meta.dirname, 'prompts'),
  pipelinesDir: join(import.meta.dirname, 'presets/pipelines'),
  demoModelsDir: join(import.meta.dirname.replace(/app\.asar(?=$|[\\/])/, 'app.asar.unpacked'), 'demo/models'),
}
/** The folder with package.json, native/ and node_modules/. */
export const appRoot = findAppRoot(import.meta.dirname)

function findAppRoot(from: string): string {
  const isRoot = existsSync(join(from, 'package.json')) || dirname(from) === from
  return isRoot ? from : findAppRoot(dirname(from))
}

async function startTrainer(wish: Parameters<Lab['openTrainer']>[0]): Promise<Trainer> {
  const { threads, onLog } = wish
  const executable = await ensureTrainer({ root: appRoot, onLog })
  const gpu = wish.device === 'gpu' ? await findTrainingGpu({ root: appRoot, executable, onLog }) : undefined
  return openTrainer({ threads, onLog, executable, libraryDir: findLibraryDir(appRoot), ...gpu })
}

/** A worker whose refused connections count among this process's own. */
function spawnGuarded(options: EngineOptions, entry: URL): WorkerProcess {
  const worker = options.spawnWorker?.(entry) ?? forkWorker(entry)
  worker.onMessage((raw) => {
    const message = raw as FromWorker | FromReader
    if (message.kind === 'blocked') noteBlocked(message.attempt)
  })
  return worker
}

function proveOffline({ host, offlineMeasures = [] }: EngineOptions): OfflineProof {
  const { count, attempts } = blockedAttempts()
  const allowedHost = allowedPlace()
  const exception = allowedHost ? `, but for connections to ${allowedHost.host}, the remote teacher you named` : ''
  const measures = [
    ...offlineMeasures,
    `Engine: every connection, datagram and name look-up that would leave this machine is refused and counted${exception}.`,
    'Model worker and document reader: the same guard stands in their own processes and reports here.',
    'Trainer: a native program without network code; it speaks over its standard input and output only.',
  ]
  return { host, measures, blockedRequests: attempts, allowedHost, outgoingConnectionCount: count }
}

async function answer<Name extends MethodName>(
  handlers: Pick<Handlers, Name>,
  name: Name,
  input: MethodInput<Name>,
): Promise<MethodOutput<Name>> {
  const parsed = api[name].input.safeParse(input)
  if (!parsed.success) throw badInput(name, parsed.error)
  const handler = handlers[name] as (input: unknown) => MethodOutput<Name> | Promise<MethodOutput<Name>>
  try {
    return await handler(parsed.data)
  } catch (thrown) {
    throw fromSqlite(thrown)
  }
}

/** Names the first field that is wrong; the rest goes into the detail. */
function badInput(name: MethodName, error: z.ZodError): AppError {
  const first = error.issues[0]
  const field = first?.path.map(String).join('.') || 'the input'
  return new AppError({
    code: 'bad-input',
    message: `${name}: ${field} is not valid: ${first?.message ?? 'unknown reason'}.`,
    remedy: `Correct ${field} and try again.`,
    detail: error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`).join('\n'),
  })
}

function closed(): AppError {
  return new AppError({ code: 'cancelled', message: 'Labdesk is closing.', remedy: 'Start Labdesk again.' })
}
