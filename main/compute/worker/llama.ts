// Entry of the llama worker process: answers calls over its parent's channel with node-llama-cpp. Owns no durable data and opens
// no connection; ends at once when its parent is gone.

import { onBlocked } from '../offline-guard.ts'
import { AppError, toAppError } from '../../contract/errors.ts'
import { beatMs, type FromWorker, type ToWorker, type WorkerCall } from '../llama-messages.ts'
import { passBinaryTests } from './binary-test.ts'
import { EmbeddingSession } from './embedding.ts'
import { LockStepSession } from './session.ts'
import { openParentPort } from './parent-port.ts'
import { LlamaRuntime } from './runtime.ts'

const sessions = new Map<number, LockStepSession>()
const embedders = new Map<number, EmbeddingSession>()
const cancels = new Map<number, () => void>()
let runtime: LlamaRuntime | null = null
let nextSessionId = 1

/** Text of this turn of the event loop, sent as one message. */
let pieces: { id: number; piece: string }[] = []

function stream(id: number, piece: string): void {
  if (pieces.length === 0) setImmediate(sendPieces)
  pieces.push({ id, piece })
}

function sendPieces(): void {
  if (pieces.length === 0) return
  post({ kind: 'text', pieces })
  pieces = []
}

function sessionOf(sessionId: number): LockStepSession {
  return sessions.get(sessionId) ?? notLoaded()
}

function notLoaded(): never {
  throw new AppError({
    code: 'not-found',
    message: 'This model is not loaded any more.',
    remedy: 'Open the model again.',
  })
}

async function answer(id: number, call: WorkerCall): Promise<unknown> {
  switch (call.name) {
    case 'open': {
      runtime ??= new LlamaRuntime(call.input.gpu)
      const session = await LockStepSession.open(runtime, call.input)
      const sessionId = nextSessionId++
      sessions.set(sessionId, session)
      return session.reply(sessionId)
    }
    case 'complete': {
      const { sessionId, request } = call.input
      const onText = request.stream ? (piece: string) => stream(id, piece) : () => undefined
      const { completion, cancel } = sessionOf(sessionId).complete(request, onText)
      cancels.set(id, cancel)
      return completion.finally(() => cancels.delete(id))
    }
    case 'score':
      return sessionOf(call.input.sessionId).score(call.input.request)
    case 'tokenize':
      return Int32Array.from(sessionOf(call.input.sessionId).tokenize(call.input.text))
    case 'detokenize':
      return sessionOf(call.input.sessionId).detokenize(call.input.tokens)
    case 'open-embedder': {
      runtime ??= new LlamaRuntime(call.input.gpu)
      const embedder = await EmbeddingSession.open(runtime, call.input)
      const sessionId = nextSessionId++
      embedders.set(sessionId, embedder)
      return { sessionId }
    }
    case 'embed':
      return (embedders.get(call.input.sessionId) ?? notLoaded()).embed(call.input.texts)
    case 'dispose': {
      const { sessionId } = call.input
      const session = embedders.get(sessionId) ?? sessionOf(sessionId)
      sessions.delete(sessionId)
      embedders.delete(sessionId)
      await session.dispose()
      return null
    }
  }
}

function onMessage(message: ToWorker): void {
  if (message.kind === 'cancel') {
    cancels.get(message.id)?.()
    return
  }
  const { id, call } = message
  answer(id, call).then(
    (value) => {
      sendPieces()
      post({ kind: 'ok', id, value })
    },
    (thrown: unknown) => post({ kind: 'fail', id, error: explain(thrown).toFrame() }),
  )
}

function explain(thrown: unknown): AppError {
  return runtime
    ? runtime.explain(thrown, { code: 'internal', what: 'The model could not answer' })
    : toAppError(thrown)
}

if ('parentPort' in process) passBinaryTests()
const post = openParentPort<ToWorker, FromWorker>(onMessage)
onBlocked((attempt) => post({ kind: 'blocked', attempt }))
setInterval(() => post({ kind: 'beat' }), beatMs)
post({ kind: 'ready' })
