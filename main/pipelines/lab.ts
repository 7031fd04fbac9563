// What every pipeline and method handler works with: the open project, the workers, the job runner, the event sink.
// Built once by engine.ts; nothing here is global.

import type { EngineEvent, MethodName, MethodOutput, ParsedInput } from '../contract/api.ts'
import type { JobId } from '../contract/ids.ts'
import type { Job, JobKind, JobProgress } from '../contract/jobs.ts'
import type { Settings } from '../contract/workspace.ts'
import type { DocumentReader } from '../compute/document-reader.ts'
import type { LlamaHost } from '../compute/llama-protocol.ts'
import type { Trainer } from '../compute/trainer.ts'
import type { Database } from '../store/open.ts'

/** The project whose methods are being called. One is open at a time. */
export interface OpenProject {
  id: string
  name: string
  folder: string
  isDemo: boolean
  db: Database
}

/** Read-only folders that ship with the app. */
export interface Resources {
  /** Prompt packs: <pack>/<language>/<stage>.yaml */
  promptsDir: string
  /** Preset pipelines: <name>.yaml */
  pipelinesDir: string
  /** teacher.gguf, student.gguf */
  demoModelsDir: string
}

export interface Lab {
  readonly dataDir: string
  readonly resources: Resources
  /** Throws AppError `not-found` when no project is open. */
  project(): OpenProject
  settings(): Settings
  emit(event: EngineEvent): void
  now(): number
  log(line: string): void
  readonly llama: LlamaHost
  /** Turns files nobody vouches for into Markdown, in a process of its own. */
  readonly documents: DocumentReader
  /**
   * Starts a trainer process (built on first use). The caller closes it. `gpu` is the first one found, else the processor.
   * Throws `trainer-missing`, `trainer-failed`, `worker-died`.
   */
  openTrainer(options: {
    threads: number
    device?: 'processor' | 'gpu'
    onLog?: (line: string) => void
  }): Promise<Trainer>
  readonly jobs: JobRunner
}

/** Runs durable jobs one at a time per project (one worker holds the machine at a time); the rest wait in `queued`. */
export interface JobRunner {
  /** Creates the row and queues it. `subject` is the id of what the job works on; `parameters` is stored as JSON. */
  start(job: { kind: JobKind; title: string; subject: string; parameters?: unknown }): Job
  /** Runs a child piece of work of a running job in place (the demo runs generation, tuning and exams in turn as its own stages). */
  handler(kind: JobKind): JobHandler
  get(id: JobId): Job
  pause(id: JobId): Job
  resume(id: JobId): Job
  cancel(id: JobId): Job
  /** Resolves when the job leaves queued/running; rejects never. */
  settled(id: JobId): Promise<Job>
}

/** What a handler is given while it runs. */
export interface JobContext {
  readonly job: Job
  readonly parameters: unknown
  /** Aborted on pause, cancel and shutdown: stop at the next safe point, keeping what is done, and return. */
  readonly signal: AbortSignal
  progress(progress: JobProgress): void
  log(text: string): void
}
/**
 * Does or continues the whole job from what the store says is left; must be idempotent (a resumed job calls it again).
 * Returning with `signal` aborted means paused or cancelled; returning otherwise means done; throwing means failed.
 */
export type JobHandler = (context: JobContext) => Promise<void>

/** Method handlers of one area, merged by engine.ts. */
export type Handlers<Names extends MethodName = MethodName> = {
  [Name in Names]: (input: ParsedInput<Name>) => MethodOutput<Name> | Promise<MethodOutput<Name>>
}
