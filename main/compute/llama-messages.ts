// Wire messages between the llama supervisor and its worker. Structured-clone values only; ids are given by the supervisor.

import type { ErrorFrame } from '../contract/errors.ts'
import type { BlockedAttempt } from './offline-guard.ts'
import type {
  Completion,
  CompletionRequest,
  EmbedderRequest,
  Score,
  ScoreRequest,
  SessionReply,
  SessionRequest,
} from './llama-protocol.ts'

/** Every call the worker answers: its input and its output. */
export interface WorkerCalls {
  open: { input: SessionRequest; output: SessionReply }
  complete: { input: { sessionId: number; request: CompletionRequest }; output: Completion }
  score: { input: { sessionId: number; request: ScoreRequest }; output: Score }
  tokenize: { input: { sessionId: number; text: string }; output: Int32Array }
  detokenize: { input: { sessionId: number; tokens: Int32Array }; output: string }
  'open-embedder': { input: EmbedderRequest; output: { sessionId: number } }
  embed: { input: { sessionId: number; texts: readonly string[] }; output: Float32Array[] }
  dispose: { input: { sessionId: number }; output: null }
}
export type WorkerCallName = keyof WorkerCalls
export type WorkerCall = { [Name in WorkerCallName]: { name: Name; input: WorkerCalls[Name]['input'] } }[WorkerCallName]

export type ToWorker = { kind: 'call'; id: number; call: WorkerCall } | { kind: 'cancel'; id: number }

export type FromWorker =
  | { kind: 'ready' }
  /** Sent every `beatMs`: the worker's event loop is alive. */
  | { kind: 'beat' }
  /** The worker's offline guard refused something. */
  | { kind: 'blocked'; attempt: BlockedAttempt }
  /** New text of streamed answers, by call. */
  | { kind: 'text'; pieces: { id: number; piece: string }[] }
  | { kind: 'ok'; id: number; value: unknown }
  | { kind: 'fail'; id: number; error: ErrorFrame }

export const beatMs = 1000
