// The workspace of one engine: settings, projects, and the one project that is open with its job runner. It is the Lab every handler
// works with. Invariant: jobs and calls work only in the open project, and a project is left only while none is under way.

import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import type { EngineEvent, MethodName } from '../contract/api.ts'
import { AppError } from '../contract/errors.ts'
import type { JobKind } from '../contract/jobs.ts'
import type { OfflineProof, ProjectSummary, Settings } from '../contract/workspace.ts'
import type { DocumentReader } from '../compute/document-reader.ts'
import type { LlamaHost } from '../compute/llama-protocol.ts'
import { createProject, listProjects, markSeeded, openProject, projectFolder } from '../store/projects.ts'
import { type AppState, readAppState, writeAppState } from '../store/settings.ts'
import type { Trainer } from '../compute/trainer.ts'
import { Jobs } from './jobs.ts'
import type { JobHandler, Lab, OpenProject, Resources } from './lab.ts'
import type { Machine } from './machine.ts'
import { relinkShipped } from './models.ts'
import { allowTeacher, listRemoteTeacher } from './remote-teacher.ts'

export interface WorkspaceOptions {
  dataDir: string
  resources: Resources
  llama: LlamaHost
  documents: DocumentReader
  openTrainer: Lab['openTrainer']
  machine: Machine
  clock: () => number
  log: (line: string) => void
  emit: (event: EngineEvent) => void
  offline: () => OfflineProof
  jobHandlers: (lab: Lab) => Partial<Record<JobKind, JobHandler>>
  /** Fills a new demo project; must pick up where an earlier, cut-short call stopped. */
  seedDemo: (lab: Lab) => Promise<void>
}

/** How long a running job may take to reach a safe point when the app closes. */
const closeBoundMs = 10_000
/** How long a change of project waits for calls under way. */
const callBoundMs = 2_000

interface Current {
  project: OpenProject
  createdAtMs: number
  jobs: Jobs
}

export class Workspace implements Lab {
  readonly dataDir: string
  readonly resources: Resources
  readonly llama: LlamaHost
  readonly documents: DocumentReader
  readonly machine: Machine
  readonly offline: () => OfflineProof
  readonly #options: WorkspaceOptions
  #state: AppState
  #current: Current | null = null
  /** Calls under way, apart from those of the projects themselves. */
  readonly #calls = new Set<{ name: MethodName }>()

  constructor(options: WorkspaceOptions) {
    this.#options = options
    this.dataDir = options.dataDir
    this.resources = options.resources
    this.llama = options.llama
    this.documents = options.documents
    this.machine = options.machine
    this.offline = options.offline
    this.#state = readAppState(options.dataDir, defaultSettings(), options.log)
    this.#allowKeptTeacher()
  }

  /**
   * Opens the project that was open last, or another when its database is damaged: that one stays listed, and opening it says what is
   * wrong. A data folder without a readable project gets the demo project.
   */
  async start(): Promise<void> {
    const known = this.projects().map(({ id }) => id)
    const last = known.filter((id) => id === this.#state.lastProjectId)
    for (const id of new Set([...last, ...known])) {
      try {
        await this.openProject(id)
        return
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== 'database') throw thrown
        this.log(`project ${id} could not be opened: ${thrown.message} ${thrown.remedy}`)
      }
    }
    await this.openProject(this.#create('Demo', true))
  }

  project(): OpenProject {
    return this.#opened().project
  }

  get jobs(): Jobs {
    return this.#opened().jobs
  }

  settings(): Settings {
    const { lastProjectId: _, ...settings } = this.#state
    return settings
  }

  changeSettings(change: Partial<Settings>): Settings {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
    const changed = { ...this.#state, ...given }
    allowTeacher(changed.remoteTeacher)
    this.#remember(changed)
    listRemoteTeacher(this)
    this.emit({ kind: 'changed', what: 'settings' })
    return this.settings()
  }

  openTrainer(options: Parameters<Lab['openTrainer']>[0]): Promise<Trainer> {
    return this.#options.openTrainer(options)
  }

  emit(event: EngineEvent): void {
    this.#options.emit(event)
  }

  now(): number {
    return this.#options.clock()
  }

  log(line: string): void {
    this.#options.log(line)
  }

  projects(): ProjectSummary[] {
    return listProjects(this.dataDir, (line) => this.log(line)).map((identity) => ({
      id: identity.id,
      name: identity.name,
      folder: projectFolder(this.dataDir, identity.id),
      isDemo: identity.isDemo,
      isOpen: this.#current?.project.id === identity.id,
      createdAtMs: identity.createdAtMs,
    }))
  }

  /** The open project as lists show it. */
  summary(): ProjectSummary {
    const { project, createdAtMs } = this.#opened()
    const { id, name, folder, isDemo } = project
    return { id, name, folder, isDemo, isOpen: true, createdAtMs }
  }

  /** Answers a call; until it has, the project it works on stays open. */
  async during<Result>(name: MethodName, work: () => Promise<Result>): Promise<Result> {
    if (name.startsWith('project.')) return work()
    const call = { name }
    this.#calls.add(call)
    try {
      return await work()
    } finally {
      this.#calls.delete(call)
    }
  }

  /** Makes an empty project and opens it. */
  async createProject(name: string): Promise<ProjectSummary> {
    await this.#refuseWhileRunning()
    return this.openProject(this.#create(name, false))
  }

  /** Leaves the open project and opens another. @throws AppError `conflict` while a job runs, `not-found` */
  async openProject(id: string): Promise<ProjectSummary> {
    if (this.#current?.project.id === id) return this.summary()
    await this.#refuseWhileRunning()
    const { db, identity } = openProject(this.dataDir, id)
    await this.#leave()
    const project = { id, name: identity.name, folder: projectFolder(this.dataDir, id), isDemo: identity.isDemo, db }
    const { emit, clock: now, log, jobHandlers } = this.#options
    const jobs = new Jobs({ db, emit, now, log, handlers: jobHandlers(this) })
    this.#current = { project, createdAtMs: identity.createdAtMs, jobs }
    this.#remember({ ...this.#state, lastProjectId: id })
    if (identity.isDemo && identity.seededAtMs === null) await this.#seed()
    listRemoteTeacher(this)
    await relinkShipped(this).catch((thrown: unknown) =>
      this.log(`a shipped model was not found again: ${String(thrown)}`),
    )
    this.emit({ kind: 'changed', what: 'projects' })
    return this.summary()
  }

  async close(): Promise<void> {
    await this.#leave()
  }

  /** A demo that could not be filled is told and tried again at the next start; the app opens all the same. */
  async #seed(): Promise<void> {
    try {
      await this.#options.seedDemo(this)
      markSeeded(this.project().db, this.now())
    } catch (thrown) {
      this.log(`the demo project could not be filled: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    }
  }

  #create(name: string, isDemo: boolean): string {
    return createProject(this.dataDir, { name, isDemo, nowMs: this.now() })
  }

  /** Settings changed by hand may name a place that is not allowed; they are not worth refusing to start. */
  #allowKeptTeacher(): void {
    try {
      allowTeacher(this.#state.remoteTeacher)
    } catch (thrown) {
      this.log(`the remote teacher of the settings is not used: ${String(thrown)}`)
      this.#state = { ...this.#state, remoteTeacher: null }
    }
  }

  #opened(): Current {
    if (this.#current) return this.#current
    throw new AppError({ code: 'not-found', message: 'No project is open.', remedy: 'Open a project, or create one.' })
  }

  /** Short calls are waited for; a job, or a call that takes long (an import, a scan), keeps the project open. */
  async #refuseWhileRunning(): Promise<void> {
    const end = performance.now() + callBoundMs
    while (this.#calls.size > 0 && performance.now() < end) await setTimeout(20)
    const job = this.#current?.jobs.active()
    const [call] = this.#calls
    if (!job && !call) return
    throw new AppError({
      code: 'conflict',
      message: job ? `"${job.title}" is running in the open project.` : `${call?.name} is at work in the open project.`,
      remedy: `${job ? 'Pause it or wait' : 'Wait'} until it is done, then change the project.`,
    })
  }

  async #leave(): Promise<void> {
    const leaving = this.#current
    if (!leaving) return
    await leaving.jobs.close(closeBoundMs)
    this.#current = null
    leaving.project.db.close()
  }

  #remember(state: AppState): void {
    writeAppState(this.dataDir, state)
    this.#state = state
  }
}

function defaultSettings(): Settings {
  return {
    theme: 'system',
    language: 'en',
    threads: Math.max(1, availableParallelism() - 1),
    gpu: 'auto',
    remoteTeacher: null,
  }
}
