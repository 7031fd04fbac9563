// RPC over any port that can post and receive messages. Both ends live here, so a transport only moves frames.
// Frames are plain JSON values: call, cancel, ok, fail, event. Unknown or oversized frames are refused by the server end.

import { z } from 'zod'
import { api, type EngineApi, type EngineEvent, type MethodInput, type MethodName, type MethodOutput } from './api.ts'
import { AppError, type ErrorFrame, toAppError } from './errors.ts'

/** A bidirectional message channel. */
export interface Port {
  post(frame: Frame): void
  onMessage(listener: (frame: unknown) => void): void
  onClose(listener: () => void): void
}

export type Frame =
  | { kind: 'call'; id: number; method: string; input: unknown }
  | { kind: 'ok'; id: number; output: unknown }
  | { kind: 'fail'; id: number; error: ErrorFrame }
  | { kind: 'event'; event: EngineEvent }

const callFrame = z.object({
  kind: z.literal('call'),
  id: z.number().int(),
  method: z.string().max(100),
  input: z.unknown(),
})
/** Calls one client may have in flight; one more is refused. */
const maxInFlight = 256

/** Serves an engine to one client. Ends when the port closes. */
export function serveEngine(engine: EngineApi, port: Port): void {
  let inFlight = 0
  const stopEvents = engine.onEvent((event) => port.post({ kind: 'event', event }))
  port.onClose(stopEvents)
  port.onMessage((raw) => {
    const frame = callFrame.safeParse(raw)
    if (!frame.success) return
    const { id, method, input } = frame.data
    if (inFlight >= maxInFlight) {
      const busy: ErrorFrame = {
        code: 'conflict',
        message: 'Too many requests at once.',
        remedy: 'Wait a moment and try again.',
      }
      port.post({ kind: 'fail', id, error: busy })
      return
    }
    inFlight += 1
    answer(engine, method, input)
      .then(
        (output) => port.post({ kind: 'ok', id, output: output ?? null }),
        (thrown: unknown) => port.post({ kind: 'fail', id, error: toAppError(thrown).toFrame() }),
      )
      .finally(() => {
        inFlight -= 1
      })
  })
}

async function answer(engine: EngineApi, method: string, input: unknown): Promise<unknown> {
  if (!Object.hasOwn(api, method)) {
    throw new AppError({
      code: 'bad-input',
      message: `There is no method called ${method}.`,
      remedy: 'Update the app so that its parts match.',
    })
  }
  return engine.call(method as MethodName, input as MethodInput<MethodName>)
}

/** An engine seen through a port. Every pending call fails with `worker-died` when the port closes. */
export function connectEngine(port: Port): EngineApi {
  let nextId = 1
  const pending = new Map<number, { resolve: (output: unknown) => void; reject: (error: AppError) => void }>()
  const listeners = new Set<(event: EngineEvent) => void>()
  port.onMessage((raw) => {
    const frame = raw as Frame
    if (frame.kind === 'event') for (const listener of listeners) listener(frame.event)
    if (frame.kind !== 'ok' && frame.kind !== 'fail') return
    const waiting = pending.get(frame.id)
    pending.delete(frame.id)
    if (frame.kind === 'ok') waiting?.resolve(frame.output)
    else waiting?.reject(new AppError(frame.error))
  })
  let isClosed = false
  const gone = new AppError({
    code: 'worker-died',
    message: 'The connection to the engine was lost.',
    remedy: 'Reload the window; running jobs go on or can be resumed.',
  })
  port.onClose(() => {
    isClosed = true
    for (const waiting of pending.values()) waiting.reject(gone)
    pending.clear()
  })
  return {
    call<Name extends MethodName>(method: Name, input: MethodInput<Name>) {
      if (isClosed) return Promise.reject(gone)
      const id = nextId++
      return new Promise<MethodOutput<Name>>((resolve, reject) => {
        pending.set(id, { resolve: resolve as (output: unknown) => void, reject })
        port.post({ kind: 'call', id, method, input })
      })
    },
    onEvent(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
