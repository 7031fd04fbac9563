// A real engine on a folder of its own: real SQLite, real files, real jobs. Only the llama worker may be replaced, at its port.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EngineEvent } from '../../main/contract/api.ts'
import { AppError } from '../../main/contract/errors.ts'
import type { Job, JobState } from '../../main/contract/jobs.ts'
import type { JobId } from '../../main/contract/ids.ts'
import type { LlamaHost } from '../../main/compute/llama-protocol.ts'
import { createEngine, type Engine, type EngineOptions } from '../../main/engine.ts'
import type { Lab } from '../../main/pipelines/lab.ts'

export interface TestEngine extends Engine {
  dataDir: string
  /** What handlers get, for tests that look behind the methods (`lab.project().db`). */
  lab: Lab
  events: EngineEvent[]
  logLines: string[]
  /** Waits until the job leaves queued and running, and answers with it. */
  settled(jobId: JobId): Promise<Job>
  /** Closes the engine, keeps the folder: open another one on `dataDir` to see what a restart sees. */
  close(): Promise<void>
  /** Closes and deletes. */
  dispose(): Promise<void>
}

/** Opens an engine; `dataDir` (default: a new temporary folder) may be that of an earlier, closed one. The demo is not filled unless asked. */
export async function createTestEngine(options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'labdesk-test-'))
  const logLines: string[] = []
  let lab: Lab | undefined
  const engine = await createEngine({
    llama: noLlama,
    host: 'cli',
    seedDemo: async () => undefined,
    log: (line) => logLines.push(line),
    ...options,
    dataDir,
    extraMethods: (given) => {
      lab = given
      return options.extraMethods?.(given) ?? {}
    },
  })
  const events: EngineEvent[] = []
  engine.onEvent((event) => events.push(event))
  const moving: JobState[] = ['queued', 'running']
  return {
    ...engine,
    dataDir,
    lab: lab as Lab,
    events,
    logLines,
    async settled(jobId) {
      for (;;) {
        const job = await engine.call('job.get', { jobId })
        if (!moving.includes(job.state)) return job
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async dispose() {
      await engine.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** For engines whose test needs no model. */
const noLlama: LlamaHost = {
  openEmbedder: () => Promise.reject(new AppError({ code: 'internal', message: 'No model here.', remedy: '-' })),
  openSession: () =>
    Promise.reject(
      new AppError({ code: 'worker-died', message: 'This test has no llama worker.', remedy: 'Give it one.' }),
    ),
  pid: null,
  close: async () => undefined,
}
