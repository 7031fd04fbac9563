// What the main process and the engine's process say to each other. Windows have ports of their own to the engine; this channel
// carries only the engine's life, and the llama worker, which nobody but the main process may fork.

import type { BlockedAttempt } from '../../compute/offline-guard.ts'
import type { ErrorFrame } from '../../contract/errors.ts'
import type { Settings } from '../../contract/workspace.ts'

export type ToEngine =
  /** Comes with one port: a window's. */
  | { kind: 'window' }
  /** The window's session refused a request. */
  | { kind: 'blocked'; attempt: BlockedAttempt }
  | { kind: 'close' }
  | { kind: 'worker.started'; id: number; pid: number }
  | { kind: 'worker.message'; id: number; message: unknown }
  | { kind: 'worker.stderr'; id: number; text: string }
  | { kind: 'worker.exit'; id: number; code: number }

export type FromEngine =
  /** The engine's process listens; what is sent earlier would be lost. */
  | { kind: 'listening' }
  | { kind: 'ready' }
  | { kind: 'failed'; error: ErrorFrame }
  | { kind: 'language'; language: Settings['language'] }
  | { kind: 'worker.spawn'; id: number; entry: string }
  | { kind: 'worker.post'; id: number; message: unknown }
  | { kind: 'worker.kill'; id: number; signal: 'SIGTERM' | 'SIGKILL' }

/** Channels between a window and the main process. */
export const channels = {
  /** The preload is there and wants its port to the engine. */
  hello: 'labdesk.hello',
  port: 'labdesk.port',
  chooseFolder: 'labdesk.choose-folder',
  chooseFile: 'labdesk.choose-file',
  saveFile: 'labdesk.save-file',
} as const
