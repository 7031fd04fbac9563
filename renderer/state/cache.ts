// A cache of what the engine answered, keyed by method and input. Watched answers are fetched again when the engine says that
// something changed; unwatched ones are dropped then. Holds no rule of the product: the engine's database is the truth.

import { createStore, type StoreApi } from 'zustand/vanilla'
import type { EngineEvent, MethodInput, MethodName } from '../../main/contract/api.ts'
import { type AppError, toAppError } from '../../main/contract/errors.ts'
import type { EngineClient } from '../engine.ts'

/** The latest answer to one question; `value` outlives a later failure so that a screen need not go blank. */
export interface Cached {
  value: unknown
  hasValue: boolean
  error: AppError | null
}

export interface ReadCache {
  store: StoreApi<{ reads: Record<string, Cached> }>
  /** Fetches and keeps fresh while watched; returns the unwatcher. */
  watch(key: string): () => void
  /** Fetches again now. */
  refresh(key: string): void
  /** Fetches again what is watched and starts with one of the prefixes, and forgets the rest of it. */
  invalidate(prefixes: readonly string[]): void
  /** Puts a known answer in place, e.g. the one a change returned. */
  put(key: string, value: unknown): void
}

/** The cache key of a call: method, then its input as JSON. */
export function readKey<Name extends MethodName>(name: Name, input: MethodInput<Name>): string {
  return `${name} ${JSON.stringify(input)}`
}

type Changed = Extract<EngineEvent, { kind: 'changed' }>['what']
const always = ['workspace.overview']
/** Which answers go stale when something changed. */
export const staleAfter: Record<Changed, readonly string[]> = {
  models: ['model.', 'document.', ...always],
  taxonomy: ['taxonomy.', 'twin.', 'document.', 'seed.', ...always],
  documents: ['document.', 'draft.', 'taxonomy.list', 'taxonomy.leaf', ...always],
  samples: ['sample.', 'twin.', 'taxonomy.list', 'generation.thresholds', 'generation.agreement', ...always],
  datasets: ['dataset.', ...always],
  tuning: ['tuning.list', 'tuning.get', 'tuning.checkpoints', 'tuning.warnings', ...always],
  exams: ['exam.', 'heldout.', 'evaluation.', 'demo.report', ...always],
  settings: ['settings.', 'workspace.'],
  projects: [''],
  generation: ['generation.', 'pipeline.', 'taxonomy.list', ...always],
}

/** Least time between two fetches of the same answer: events may come ten times a second. */
const pauseMs = 400

/** Builds the cache over an engine. */
export function createReadCache(engine: EngineClient): ReadCache {
  const store = createStore<{ reads: Record<string, Cached> }>(() => ({ reads: {} }))
  const watchers = new Map<string, number>()
  const busy = new Map<string, { again: boolean }>()

  function set(key: string, cached: Cached): void {
    store.setState(({ reads }) => ({ reads: { ...reads, [key]: cached } }))
  }

  async function fetchOnce(key: string): Promise<void> {
    const [name, input] = splitKey(key)
    try {
      set(key, { value: await engine.call(name, input), hasValue: true, error: null })
    } catch (thrown) {
      const before = store.getState().reads[key]
      set(key, { value: before?.value, hasValue: before?.hasValue ?? false, error: toAppError(thrown) })
    }
  }

  function refresh(key: string): void {
    const running = busy.get(key)
    if (running) {
      running.again = true
      return
    }
    const turn = { again: false }
    busy.set(key, turn)
    void fetchOnce(key).then(() =>
      setTimeout(() => {
        busy.delete(key)
        if (turn.again && watchers.has(key)) refresh(key)
      }, pauseMs),
    )
  }

  return {
    store,
    refresh,
    watch(key) {
      watchers.set(key, (watchers.get(key) ?? 0) + 1)
      if (watchers.get(key) === 1) refresh(key)
      return () => {
        const left = (watchers.get(key) ?? 1) - 1
        if (left > 0) watchers.set(key, left)
        else watchers.delete(key)
      }
    },
    invalidate(prefixes) {
      const isStale = (key: string) => prefixes.some((prefix) => key.startsWith(prefix))
      const kept = Object.entries(store.getState().reads).filter(([key]) => watchers.has(key) || !isStale(key))
      store.setState({ reads: Object.fromEntries(kept) })
      for (const key of watchers.keys()) if (isStale(key)) refresh(key)
    },
    put(key, value) {
      set(key, { value, hasValue: true, error: null })
    },
  }
}

function splitKey(key: string): [MethodName, never] {
  const gap = key.indexOf(' ')
  return [key.slice(0, gap) as MethodName, JSON.parse(key.slice(gap + 1)) as never]
}
