// One leaf of a running generation: hands out slots, takes finished ones strictly in slot order, closes when the quota is met. Taking
// in order makes the result a function of the run's seed: what is accepted, and which of two duplicates stays, does not depend on
// which slot happened to finish first. (Across leaves of one run, the one taken first stays.)

import type { StageOutcome } from '../contract/generation.ts'
import type { CandidateId, GenerationId, ModelId } from '../contract/ids.ts'
import { type DuplicateScreen, type ScreenedText, tellingKey } from '../domain/duplicate-screen.ts'
import { type AttemptFate, explainShortfall, isLeafDone, type LeafTally, slotsWanted } from '../domain/leaf-quota.ts'
import type { MeaningIndex } from '../domain/meaning-index.ts'
import { chunkOf, examplesOf } from '../domain/slot-plan.ts'
import type { FinishedBatch, FinishedCandidate } from '../store/generation.ts'
import { findSameMeaning, findTwin, screenedText, type SlotDraft } from './generate-slot.ts'
import { candidateIdOf, type LeafSource } from './generate-sources.ts'

/** A finished slot waiting for those before it. */
export interface FinishedSlot {
  slot: number
  draft: SlotDraft
  stages: StageOutcome[]
  calls: number
  parseFailures: number
}

export interface RunIdentity {
  generationId: GenerationId
  teacherId: ModelId
  runSeed: number
  screen: DuplicateScreen
  /** What is kept by meaning; empty where no model tells meanings. */
  meanings: MeaningIndex
  minPairGrade: number
  now: () => number
}

export class LeafRun {
  readonly source: LeafSource
  readonly abort = new AbortController()
  readonly #run: RunIdentity
  readonly #finished = new Map<number, FinishedSlot>()
  readonly #fates: AttemptFate[] = []
  #unsaved: FinishedCandidate[] = []
  #unsavedCalls = 0
  #unsavedFailures = 0
  #nextSlot: number
  #takenSlot: number
  #accepted = 0
  #isClosed: boolean
  #shortfall: string | null = null

  /** `finished`: slots an earlier process finished, in order. */
  constructor(source: LeafSource, run: RunIdentity, finished: readonly AttemptFate[]) {
    this.source = source
    this.#run = run
    this.#takenSlot = source.share.firstSlot + finished.length
    this.#nextSlot = this.#takenSlot
    this.#isClosed = source.share.isClosed
    for (const fate of finished) this.#count(fate)
    this.#closeWhenDone()
  }

  /** What new samples are compared with; the same for all leaves of the run. */
  get screen(): DuplicateScreen {
    return this.#run.screen
  }
  get isClosed(): boolean {
    return this.#isClosed
  }
  get shortfall(): string | null {
    return this.#shortfall
  }
  /** Accepted, at most the quota; a closed leaf has nothing left to do. */
  get progress(): { done: number; total: number } {
    const { quota } = this.source.share
    return { done: this.#isClosed ? quota : Math.min(quota, this.#accepted), total: quota }
  }

  /** A pipeline without that rule keeps repetitions. */
  get #screensTwins(): boolean {
    return this.source.blocks.some(({ use }) => use === 'new')
  }

  /** Share of the quota that is accepted or under way. */
  get share(): number {
    return (this.#accepted + this.#nextSlot - this.#takenSlot) / this.source.share.quota
  }

  /** Whether a slot of this leaf is still to be written. */
  isOpen(slot: number): boolean {
    const { firstSlot, maxAttempts } = this.source.share
    return !this.#isClosed && slot >= this.#takenSlot && slot < firstSlot + maxAttempts
  }

  /** The next slot worth starting, or null for now. */
  startSlot(): number | null {
    if (this.#isClosed || slotsWanted(this.#tally()) === 0) return null
    return this.#nextSlot++
  }

  /** What a slot is made from. */
  materialOf(slot: number) {
    const { share, leaf, seeds, chunks, chain, blocks } = this.source
    const attempt = slot - share.firstSlot
    const choice = { runSeed: this.#run.runSeed, leaf: leaf.path, attempt, roundLength: chunks.length }
    return { leaf, chain, blocks, ...chunkOf(chunks, attempt), seeds: examplesOf(seeds, choice) }
  }

  /** Takes this slot and those waiting behind it, if it is the next; slots beyond a met quota are let go. */
  finishSlot(finished: FinishedSlot): void {
    if (this.#isClosed) return
    this.#finished.set(finished.slot, finished)
    while (!this.#isClosed) {
      const next = this.#finished.get(this.#takenSlot)
      if (!next) return
      this.#finished.delete(this.#takenSlot)
      this.#takenSlot += 1
      this.#take(next)
      this.#closeWhenDone()
    }
  }

  /** What was taken and is not written yet; forgotten as it is written, so that a failed write leaves no hole before the next one. */
  unsaved(): FinishedBatch {
    return {
      position: this.source.share.position,
      candidates: [...this.#unsaved],
      calls: this.#unsavedCalls,
      parseFailures: this.#unsavedFailures,
      onWritten: ({ candidates, calls, parseFailures }) => {
        this.#unsaved.splice(0, candidates)
        this.#unsavedCalls -= calls
        this.#unsavedFailures -= parseFailures
      },
    }
  }

  #take({ slot, draft, stages, calls, parseFailures }: FinishedSlot): void {
    const { chunk, seeds, leaf } = this.materialOf(slot)
    const text = screenedText(chunk, draft)
    // A twin taken meanwhile outweighs what later stages said: that rule stands before them, and only order decides.
    const found = draft.answer === '' ? null : this.#findTwin(draft, text)
    const isKnown = draft.drop !== null && draft.drop.stage === found?.stage
    const drop = found ? { stage: found.stage, reason: found.outcome.words, twin: found.twin.key } : draft.drop
    const id = candidateIdOf(this.#run.generationId, slot) as CandidateId
    if (!drop) this.#keep(id, draft, text)
    this.#count({ droppedBy: drop?.stage ?? null, score: draft.score, seedIds: seeds.map((seed) => seed.id) })
    this.#unsavedCalls += calls
    this.#unsavedFailures += parseFailures
    this.#unsaved.push({
      id,
      generationId: this.#run.generationId,
      slot,
      leaf: leaf.path,
      branch: leaf.branch,
      seedIds: seeds.map((seed) => seed.id),
      chunkId: chunk?.id ?? null,
      context: draft.context,
      question: draft.question,
      answer: draft.answer,
      state: drop ? 'dropped' : 'passed',
      droppedBy: drop?.stage ?? null,
      reason: drop?.reason ?? '',
      score: draft.score,
      teacherId: this.#run.teacherId,
      duplicateOf: drop?.twin && !drop.twin.startsWith('seed') ? (drop.twin as CandidateId) : null,
      createdAtMs: this.#run.now(),
      stages: found && !isKnown ? [...stages, found.outcome] : stages,
    })
  }

  #findTwin(draft: SlotDraft, text: ScreenedText) {
    const byWords = this.#screensTwins ? findTwin(this.#run.screen, text) : null
    return byWords ?? (draft.meaning && findSameMeaning(this.#run.meanings, tellingKey(draft), draft.meaning))
  }

  #keep(id: CandidateId, draft: SlotDraft, text: ScreenedText): void {
    this.#run.screen.keep(id, text)
    if (draft.meaning) this.#run.meanings.keep(id, tellingKey(draft), draft.meaning.vector)
  }

  #count(fate: AttemptFate): void {
    if (fate.droppedBy === null) this.#accepted += 1
    this.#fates.push(fate)
  }

  #tally(): LeafTally {
    const { quota, maxAttempts, firstSlot } = this.source.share
    const taken = this.#takenSlot - firstSlot
    return { quota, maxAttempts, taken, accepted: this.#accepted, pending: this.#nextSlot - this.#takenSlot }
  }

  #closeWhenDone(): void {
    const { obstacle } = this.source
    const tally = this.#tally()
    if (this.#isClosed || (obstacle === null && !isLeafDone(tally))) return
    this.#close(obstacle, null)
  }

  /** Ends the leaf although its quota is not met: the run's time is used up. */
  closeForTime(overtime: string): void {
    if (!this.#isClosed) this.#close(null, overtime)
  }

  #close(obstacle: string | null, overtime: string | null): void {
    const tally = this.#tally()
    this.#isClosed = true
    if (obstacle !== null) this.#shortfall = obstacle
    else if (tally.accepted < tally.quota) {
      const { minPairGrade } = this.#run
      this.#shortfall = explainShortfall(tally, this.#fates, { minPairGrade, overtime })
    }
    this.#finished.clear()
    this.abort.abort()
  }
}
