// What a phase trains on and in which order: its new rows, its replay buffer (new rows of earlier phases), and batches as a pure
// function of (rows, phase, seed, step). Nothing here is stored: a resumed run asks again and gets the same batch.

import type { DatasetRow } from '../contract/curation.ts'
import type { PhasePlan } from '../contract/tuning.ts'
import { createRandom } from './random.ts'
import { median } from './statistics.ts'

/** Group numbers of a batch's rows, as the trainer reports them apart. */
export const newGroup = 0
export const replayGroup = 1

export interface MixRow extends Pick<DatasetRow, 'index' | 'branch' | 'split'> {
  /** Length of the response in characters, so that the mix is the same for every student. */
  responseLength: number
}

/** Row indexes a phase draws from, rising. */
export interface PhaseRows {
  newRows: number[]
  replayRows: number[]
}

/** Rows of every phase of a plan. `phases` is the whole plan: the replay buffer of a phase is every earlier phase's new rows. */
export function composePhases(rows: readonly MixRow[], phases: readonly PhasePlan[]): PhaseRows[] {
  const training = rows.filter((row) => row.split === 'train')
  const medians = new Map<string, number>()
  for (const branch of new Set(training.map((row) => row.branch))) {
    medians.set(branch, median(training.filter((row) => row.branch === branch).map((row) => row.responseLength)))
  }
  const earlier = new Set<number>()
  return phases.map((phase) => {
    const taken = training.filter((row) => takes(phase, row, medians.get(row.branch) ?? 0)).map((row) => row.index)
    const mine = new Set(taken)
    const replayRows =
      phase.replayShare > 0 ? [...earlier].filter((index) => !mine.has(index)).sort((a, b) => a - b) : []
    for (const index of taken) earlier.add(index)
    return { newRows: taken.sort((a, b) => a - b), replayRows }
  })
}

/** Validation rows of what the phase teaches: all its branches, whatever their length. */
export function validationRows(rows: readonly MixRow[], phase: PhasePlan): number[] {
  return rows.filter((row) => row.split === 'validation' && phase.branches.includes(row.branch)).map((row) => row.index)
}

function takes(phase: PhasePlan, row: MixRow, branchMedian: number): boolean {
  if (!phase.branches.includes(row.branch)) return false
  if (phase.responses === 'all') return true
  return (phase.responses === 'short') === row.responseLength <= branchMedian
}

export interface BatchRow {
  index: number
  group: typeof newGroup | typeof replayGroup
}

/** Steps of one phase, 1-based; every new row once an epoch. */
export interface BatchPlan {
  stepsPerEpoch: number
  totalSteps: number
  /** 1-based epoch a step belongs to. */
  epochOf(step: number): number
  isEpochEnd(step: number): boolean
  batch(step: number): BatchRow[]
}

/**
 * Plans the batches of a phase. Of `batchRows` rows, `replayShare` (rounded, at least one row stays new) come from the replay
 * buffer, which is walked in shuffled passes; new rows are shuffled anew each epoch. An epoch's last batch may be smaller, its
 * replay part smaller with it.
 */
export function planBatches(options: {
  rows: PhaseRows
  phase: PhasePlan
  phaseIndex: number
  seed: number
}): BatchPlan {
  const { rows, phase } = options
  const root = createRandom(`batches\0${options.seed}\0${options.phaseIndex}`)
  const share = rows.replayRows.length > 0 ? phase.replayShare : 0
  const newPerBatch = Math.max(1, Math.round(phase.batchRows * (1 - share)))
  const newCount = rows.newRows.length
  const stepsPerEpoch = Math.ceil(newCount / newPerBatch)
  const newOrder = lastUsed((epoch) => root.fork(`new ${epoch}`).shuffle(rows.newRows))
  const replayOrder = lastUsed((pass) => root.fork(`replay ${pass}`).shuffle(rows.replayRows))
  const replayBeside = (newRows: number) => (share > 0 ? Math.round((newRows * share) / (1 - share)) : 0)
  const fullReplay = Math.min(replayBeside(newPerBatch), Math.max(0, phase.batchRows - newPerBatch))
  const lastNew = newCount - (stepsPerEpoch - 1) * newPerBatch
  const lastReplay = Math.min(fullReplay, replayBeside(lastNew))
  const replayPerEpoch = (stepsPerEpoch - 1) * fullReplay + lastReplay

  return {
    stepsPerEpoch,
    totalSteps: stepsPerEpoch * phase.epochs,
    epochOf: (step) => Math.ceil(step / stepsPerEpoch),
    isEpochEnd: (step) => step % stepsPerEpoch === 0,
    batch(step) {
      const epoch = Math.floor((step - 1) / stepsPerEpoch)
      const place = (step - 1) % stepsPerEpoch
      const fresh = newOrder(epoch).slice(place * newPerBatch, (place + 1) * newPerBatch)
      const count = place === stepsPerEpoch - 1 ? lastReplay : fullReplay
      const first = epoch * replayPerEpoch + place * fullReplay
      const replay: number[] = []
      for (let at = first; at < first + count; at++) replay.push(walk(at))
      return [
        ...fresh.map((index): BatchRow => ({ index, group: newGroup })),
        ...replay.map((index): BatchRow => ({ index, group: replayGroup })),
      ]
    },
  }

  function walk(at: number): number {
    const size = rows.replayRows.length
    return replayOrder(Math.floor(at / size))[at % size] as number
  }
}

/** Remembers the latest answer only: steps walk forwards, so the same epoch is asked for many times in a row. */
function lastUsed(compute: (key: number) => number[]): (key: number) => number[] {
  let latest: { key: number; value: number[] } | null = null
  return (key) => {
    if (latest?.key !== key) latest = { key, value: compute(key) }
    return latest.value
  }
}
