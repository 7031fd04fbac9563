// The engine's event stream: at most ten events a second of each kind and subject. Early ones wait and are merged, none is lost in
// meaning: steps and candidates are joined, of a list that changed only the last notice counts. Chat tokens and jobs pass at once.

import type { EngineEvent } from '../contract/api.ts'

const gapMs = 100
/** Candidates kept in one merged event; a client that wants the rest asks for them. */
const mergedCandidates = 200

export interface EventStream {
  emit(event: EngineEvent): void
  /** Subscribes; returns the unsubscriber. */
  subscribe(listener: (event: EngineEvent) => void): () => void
  close(): void
}

/** A stream of its own; `log` hears of listeners that throw. */
export function createEventStream(log: (line: string) => void): EventStream {
  const listeners = new Set<(event: EngineEvent) => void>()
  const waiting = new Map<string, { event: EngineEvent | null; timer: NodeJS.Timeout }>()

  const deliver = (event: EngineEvent) => {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (thrown) {
        log(`a listener of ${event.kind} failed: ${String(thrown)}`)
      }
    }
  }
  const open = (key: string) => {
    const timer = setTimeout(() => {
      const { event } = waiting.get(key) ?? { event: null }
      waiting.delete(key)
      if (!event) return
      open(key)
      deliver(event)
    }, gapMs)
    timer.unref()
    waiting.set(key, { event: null, timer })
  }
  return {
    emit(event) {
      const key = mergeKey(event)
      if (key === null) return deliver(event)
      const slot = waiting.get(key)
      if (slot) {
        slot.event = slot.event ? merge(slot.event, event) : event
        return
      }
      open(key)
      deliver(event)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      for (const { timer } of waiting.values()) clearTimeout(timer)
      waiting.clear()
      listeners.clear()
    },
  }
}

/** Events of one key are merged; null passes at once (the job runner paces its own). */
function mergeKey(event: EngineEvent): string | null {
  switch (event.kind) {
    case 'job':
    case 'chat.token':
      return null
    case 'tuning.step':
      return `${event.kind} ${event.tuningId}`
    case 'candidates':
      return `${event.kind} ${event.generationId}`
    case 'changed':
      return `${event.kind} ${event.what}`
    case 'taxonomy.import':
    case 'hardware':
      return event.kind
  }
}

function merge(earlier: EngineEvent, later: EngineEvent): EngineEvent {
  if (earlier.kind === 'tuning.step' && later.kind === 'tuning.step')
    return { ...later, steps: [...earlier.steps, ...later.steps] }
  if (earlier.kind === 'candidates' && later.kind === 'candidates')
    return { ...later, candidates: [...earlier.candidates, ...later.candidates].slice(-mergedCandidates) }
  return later
}
