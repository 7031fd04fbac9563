// Joins the engine, the read cache and the live state for React. The one place where events reach the stores.

import { createContext, useCallback, useContext, useEffect, useState } from 'react'
import { useStore } from 'zustand'
import type { StoreApi } from 'zustand/vanilla'
import type { MethodInput, MethodName, MethodOutput } from '../../main/contract/api.ts'
import { AppError, toAppError } from '../../main/contract/errors.ts'
import type { Job } from '../../main/contract/jobs.ts'
import type { EngineClient, Link } from '../engine.ts'
import { Chat } from './chat.ts'
import { createReadCache, type ReadCache, readKey, staleAfter } from './cache.ts'
import { Curation } from './curation.ts'
import { activeJob, applyEvent, catchUp, createLive, type LiveState } from './live.ts'
import { showFailure } from './notices.ts'

/** Everything a screen works with. */
export interface Desk {
  engine: EngineClient
  cache: ReadCache
  live: StoreApi<LiveState>
  curation: Curation
  chat: Chat
}

/** Builds the stores over an engine and keeps them fed until the page ends. */
export function createDesk(engine: EngineClient): Desk {
  const cache = createReadCache(engine)
  const live = createLive()
  const curation = new Curation(engine)
  const chat = new Chat(engine)
  engine.onEvent((event) => {
    if (event.kind === 'changed') cache.invalidate(staleAfter[event.what])
    if (event.kind === 'changed' && event.what === 'samples') curation.noticeChange()
    if (event.kind === 'job') noticeJob(cache, live.getState().jobs[event.job.id], event.job)
    if (event.kind === 'chat.token') chat.addToken(event.chatId, event.text)
    applyEvent(live, event)
  })
  engine.onLink((link) => {
    if (link !== 'open') return
    cache.invalidate([''])
    void catchUp(live, engine)
  })
  void catchUp(live, engine)
  return { engine, cache, live, curation, chat }
}

/** A job that changed its state makes other answers stale; one that failed says so wherever the user is. */
function noticeJob(cache: ReadCache, before: Job | undefined, job: Job): void {
  if (before?.state === job.state && before.progress.stage?.index === job.progress.stage?.index) return
  cache.invalidate(['job.', 'workspace.overview', 'demo.report'])
  if (before && before.state !== 'failed' && job.state === 'failed' && job.error) showFailure(new AppError(job.error))
}

const DeskContext = createContext<Desk | null>(null)
export const DeskProvider = DeskContext.Provider

/** The desk of this page. */
export function useDesk(): Desk {
  const desk = useContext(DeskContext)
  if (!desk) throw new Error('useDesk needs a DeskProvider above it')
  return desk
}

/** A question to the engine as a screen sees it. A failure keeps the last value, when there was one. */
export type Read<Value> =
  | { state: 'loading'; value: undefined; error: null; retry: () => void }
  | { state: 'ready'; value: Value; error: AppError | null; retry: () => void }
  | { state: 'failed'; value: undefined; error: AppError; retry: () => void }

/** Reads through the cache and stays fresh while mounted. A null input asks nothing yet. */
export function useRead<Name extends MethodName>(
  name: Name,
  input: MethodInput<Name> | null,
): Read<MethodOutput<Name>> {
  const { cache } = useDesk()
  const key = input === null ? null : readKey(name, input)
  useEffect(() => (key === null ? undefined : cache.watch(key)), [cache, key])
  const cached = useStore(cache.store, ({ reads }) => (key === null ? undefined : reads[key]))
  const retry = useCallback(() => key !== null && cache.refresh(key), [cache, key])
  if (cached?.hasValue) return { state: 'ready', value: cached.value as MethodOutput<Name>, error: cached.error, retry }
  if (cached?.error) return { state: 'failed', value: undefined, error: cached.error, retry }
  return { state: 'loading', value: undefined, error: null, retry }
}

/** One change asked of the engine. `run` answers undefined after a failure, which is shown unless `isQuiet`. */
export interface Act<Name extends MethodName> {
  run(input: MethodInput<Name>): Promise<MethodOutput<Name> | undefined>
  isRunning: boolean
  error: AppError | null
}

/** A method as an action of a screen: busy flag, and failures with their remedy. */
export function useAct<Name extends MethodName>(name: Name, options?: { isQuiet: boolean }): Act<Name> {
  const { engine } = useDesk()
  const [isRunning, setRunning] = useState(false)
  const [error, setError] = useState<AppError | null>(null)
  const isQuiet = options?.isQuiet ?? false
  const run = useCallback(
    async (input: MethodInput<Name>) => {
      setRunning(true)
      setError(null)
      try {
        return await engine.call(name, input)
      } catch (thrown) {
        const failure = toAppError(thrown)
        setError(failure)
        if (!isQuiet) showFailure(failure)
        return undefined
      } finally {
        setRunning(false)
      }
    },
    [engine, name, isQuiet],
  )
  return { run, isRunning, error }
}

/** Picks from the live state. */
export function useLive<Picked>(pick: (state: LiveState) => Picked): Picked {
  return useStore(useDesk().live, pick)
}

/** The job the status bar shows. */
export function useActiveJob(): Job | null {
  return useLive((state) => activeJob(state.jobs))
}

/** The connection to the engine. */
export function useLink(): Link {
  const { engine } = useDesk()
  const [link, setLink] = useState(engine.link())
  useEffect(() => engine.onLink(setLink), [engine])
  return link
}
