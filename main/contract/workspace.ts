// What the workspace as a whole reports: projects, settings, hardware, the proof of being offline, the demo's report.

import type { Interval } from './exams.ts'
import type { JobId } from './ids.ts'
import type { Job } from './jobs.ts'

export interface ProjectSummary {
  id: string
  name: string
  folder: string
  isDemo: boolean
  isOpen: boolean
  createdAtMs: number
}

export interface Settings {
  theme: 'system' | 'light' | 'dark'
  language: 'en' | 'ja'
  /** One global budget shared by generation and training. */
  threads: number
  gpu: 'auto' | 'off'
  /** Off unless the user names a server. */
  remoteTeacher: RemoteTeacher | null
}

/** An OpenAI-compatible server (llama-server, vLLM and others) that answers in a local teacher's place. */
export interface RemoteTeacher {
  /** Its root, such as `http://192.168.1.20:8000`. */
  url: string
  model: string
  apiKey?: string | undefined
  /** The user confirmed that it may be outside the private network. */
  isPublicAllowed?: boolean | undefined
}

/** What a remote teacher said when it was asked for a sign of life. */
export interface RemoteTest {
  server: 'llama-server' | 'vllm' | 'other'
  models: string[]
  contextTokens: number
  /** Whether answers can be held to their form by a grammar there; else they are read and asked for again. */
  hasGrammar: boolean
  answer: string
  ms: number
}

export interface HardwareReport {
  cpuModel: string
  coreCount: number
  memoryTotalBytes: number
  memoryFreeBytes: number
  diskFreeBytes: number
  /** 'none', 'cuda', 'vulkan' or 'metal'. */
  gpu: string
  gpuNames: string[]
  isa: string
  trainer: { isReady: boolean; message: string; remedy: string }
}

/** Evidence rather than a promise: what was blocked and what was attempted since start. */
export interface OfflineProof {
  host: 'electron' | 'web' | 'cli'
  /** How each process is kept offline, in plain words. */
  measures: string[]
  blockedRequests: { atMs: number; url: string }[]
  /** The one host the user allowed, and how often it was connected to since the start. */
  allowedHost: { host: string; connectionCount: number } | null
  /** Attempts to leave this machine, all of them refused; `blockedRequests` shows the first of them. */
  outgoingConnectionCount: number
}

export interface Overview {
  project: ProjectSummary
  counts: {
    leaves: number
    seeds: number
    documents: number
    candidates: number
    accepted: number
    datasets: number
    tunings: number
    evaluations: number
  }
  /** The next sensible act in this project. */
  next: 'run-demo' | 'add-models' | 'add-leaves' | 'generate' | 'curate' | 'freeze' | 'tune' | 'evaluate' | 'export'
  activeJob: Job | null
  demoJobId: JobId | null
}

/** One line of the demo's closing table. */
export interface DemoScore {
  variant: 'with replay' | 'without replay'
  phase: string
  exam: string
  kind: string
  correct: number
  total: number
  score: number
  interval: Interval
}
/** Two takers of one exam, question by question. */
export interface DemoComparison {
  exam: string
  kind: string
  first: string
  second: string
  /** Share of right answers, first minus second, with its 95 % interval (paired, Newcombe's method 10). */
  difference: number
  interval: Interval
}
export interface DemoReport {
  scores: DemoScore[]
  /** The end with replay against the base, and against the end without replay. */
  comparisons: DemoComparison[]
  /**
   * Share of samples the demo world's truth oracle calls true, before and after the filters. Those it cannot judge count as untrue;
   * `undecided` is their number after the filters.
   */
  truth: { before: Share; after: Share; undecided: number }
  parseFailures: { count: number; calls: number }
  stageSeconds: { name: string; seconds: number }[]
  exports: { path: string; what: string; sizeBytes: number }[]
}
export interface Share {
  true: number
  total: number
}
