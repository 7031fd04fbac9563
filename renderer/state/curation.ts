// The list under review: pages of samples around the cursor, and decisions shown at once and sent in order. A decision the engine
// refuses is taken back. Rows keep their place until the list is asked for again, so that the cursor never jumps.

import { createStore, type StoreApi } from 'zustand/vanilla'
import type { MethodInput } from '../../main/contract/api.ts'
import type { Sample, SampleFilter, SampleStatus } from '../../main/contract/curation.ts'
import { AppError, toAppError } from '../../main/contract/errors.ts'
import type { CandidateId } from '../../main/contract/ids.ts'
import type { EngineClient } from '../engine.ts'
import { showFailure } from './notices.ts'

/** Rows fetched at once. */
export const pageSize = 200
/** Pages kept: those nearest to what was fetched last, and the one with the cursor. */
export const keptPages = 20

export interface CurationState {
  filter: SampleFilter
  /** Null until the first page arrives. */
  total: number | null
  pages: Record<number, Sample[]>
  cursor: number
  error: AppError | null
  /** The engine has news of the list that are not shown yet. */
  isStale: boolean
}

type Decision = Pick<MethodInput<'sample.judge'>, 'kind' | 'question' | 'answer' | 'reason'>

const ownChangeMs = 2500
const statusAfter: Record<Decision['kind'], SampleStatus> = { accept: 'accepted', reject: 'rejected', edit: 'edited' }

/** The row at a place of the list, when it is loaded. */
export function rowAt(state: CurationState, index: number): Sample | undefined {
  return state.pages[Math.floor(index / pageSize)]?.[index % pageSize]
}

/** The list over an engine; starts unloaded. */
export class Curation {
  readonly store: StoreApi<CurationState>
  private readonly engine: EngineClient
  private readonly fetching = new Set<string>()
  private writes: Promise<unknown> = Promise.resolve()
  private decidedAtMs = 0
  /** Decisions on their way, by sample: only the answer to the last one is shown. */
  private readonly onTheWay = new Map<CandidateId, number>()

  constructor(engine: EngineClient) {
    this.engine = engine
    this.store = createStore<CurationState>(() => ({
      filter: {},
      total: null,
      pages: {},
      cursor: 0,
      error: null,
      isStale: false,
    }))
  }

  setFilter(filter: SampleFilter): void {
    this.store.setState({ filter, total: null, pages: {}, cursor: 0, error: null, isStale: false })
    void this.fetchPage(0)
  }

  /** Fetches the pages that hold these rows, when they are not here. */
  need(first: number, last: number): void {
    for (let page = Math.floor(first / pageSize); page <= Math.floor(last / pageSize); page += 1) {
      if (!this.store.getState().pages[page]) void this.fetchPage(page)
    }
  }

  /** Notes that the list changed; an empty one is asked for again at once. Changes made by this window are shown already. */
  noticeChange(): void {
    const { total, filter } = this.store.getState()
    if (total === null || Date.now() - this.decidedAtMs < ownChangeMs) return
    if (total === 0) this.setFilter(filter)
    else this.store.setState({ isStale: true })
  }

  moveTo(index: number): void {
    const last = Math.max(0, (this.store.getState().total ?? 1) - 1)
    this.store.setState({ cursor: Math.max(0, Math.min(last, index)) })
  }

  current(): Sample | undefined {
    return rowAt(this.store.getState(), this.store.getState().cursor)
  }

  /** Decides on the sample under the cursor. */
  decide(decision: Decision): void {
    const before = this.current()
    if (!before) return
    this.replace(decided(before, decision))
    void this.send(before, decision)
  }

  /** False when there is nothing to undo. */
  undo(): Promise<boolean> {
    return this.step('sample.undo')
  }

  redo(): Promise<boolean> {
    return this.step('sample.redo')
  }

  private async fetchPage(page: number): Promise<void> {
    const { filter } = this.store.getState()
    const key = `${page} ${JSON.stringify(filter)}`
    if (this.fetching.has(key)) return
    this.fetching.add(key)
    const isWanted = () => this.store.getState().filter === filter
    try {
      const { rows, total } = await this.engine.call('sample.list', {
        filter,
        offset: page * pageSize,
        limit: pageSize,
      })
      if (!isWanted()) return
      this.store.setState(({ pages, cursor }) => ({
        total,
        error: null,
        pages: { ...nearestPages(pages, page, Math.floor(cursor / pageSize)), [page]: rows },
        cursor: Math.max(0, Math.min(cursor, total - 1)),
      }))
    } catch (thrown) {
      if (isWanted()) this.store.setState({ error: toAppError(thrown) })
    } finally {
      this.fetching.delete(key)
    }
  }

  private replace(sample: Sample): void {
    const { pages } = this.store.getState()
    for (const [page, rows] of Object.entries(pages)) {
      const at = rows.findIndex(({ id }) => id === sample.id)
      if (at < 0) continue
      this.store.setState({ pages: { ...pages, [page]: rows.with(at, sample) } })
      return
    }
  }

  private inOrder<Result>(write: () => Promise<Result>): Promise<Result> {
    this.decidedAtMs = Date.now()
    const result = this.writes.then(write)
    this.writes = result.catch(() => undefined)
    return result
  }

  private async step(method: 'sample.undo' | 'sample.redo'): Promise<boolean> {
    try {
      const sample = await this.inOrder(() => this.engine.call(method, {}))
      if (sample) this.replace(sample)
      return sample !== null
    } catch (thrown) {
      showFailure(toAppError(thrown))
      return true
    }
  }

  private async send(before: Sample, decision: Decision): Promise<void> {
    const { id } = before
    this.onTheWay.set(id, (this.onTheWay.get(id) ?? 0) + 1)
    const judge = () => this.engine.call('sample.judge', { candidateId: id, ...decision })
    const outcome = await this.inOrder(judge).catch(toAppError)
    const left = (this.onTheWay.get(id) ?? 1) - 1
    if (left > 0) this.onTheWay.set(id, left)
    else this.onTheWay.delete(id)
    if (outcome instanceof AppError) showFailure(outcome)
    if (left === 0) this.replace(outcome instanceof AppError ? before : outcome)
  }
}

function nearestPages(pages: CurationState['pages'], page: number, held: number): CurationState['pages'] {
  const numbers = Object.keys(pages).map(Number)
  if (numbers.length < keptPages) return pages
  const nearest = numbers.sort((a, b) => Math.abs(a - page) - Math.abs(b - page)).slice(0, keptPages - 1)
  return Object.fromEntries(
    [...new Set([...nearest, held])].flatMap((number) => (pages[number] ? [[number, pages[number]]] : [])),
  )
}

/** How a sample looks once the decision holds. */
function decided(sample: Sample, decision: Decision): Sample {
  const { kind, question = sample.question, answer = sample.answer, reason = '' } = decision
  const number = (sample.verdict?.number ?? 0) + 1
  const verdict = {
    number,
    candidateId: sample.id,
    kind,
    author: 'human' as const,
    question,
    answer,
    reason,
    createdAtMs: Date.now(),
  }
  return { ...sample, question, answer, status: statusAfter[kind], verdict }
}
