// Gives waiting tasks to free lanes so that a beginning which many prompts share is evaluated once: from the lane's own cache, from a
// kept beginning, or, while another lane is just evaluating it, a moment later. Order among tasks is kept otherwise. What an answer says
// does not depend on it.

import type { Lane } from './lane.ts'
import type { KeptPrefix, PrefixStore } from './prefix-store.ts'
import { commonPrefix, reusableTokens, type Task } from './task.ts'

/** Shared tokens below which copying or waiting is not worth the trouble. */
const leastGain = 32
/** How much longer evaluating a prompt must take than keeping it. */
const keepingShare = 4
/** Prompts remembered to see where they part. */
const maxRemembered = 64
/** Waiting tasks looked at, a lane. */
const lookAhead = 4

interface Choice {
  lane: Lane
  kept: KeptPrefix | null
  /** Tokens that need no evaluation. */
  shared: number
}

export class Admission {
  readonly #lanes: readonly Lane[]
  readonly #store: PrefixStore
  #recent: (readonly number[])[] = []
  /** Measured: seconds a prompt token to evaluate. */
  #evaluateSeconds = 0
  /** False once a cache could not be cut back (recurrent models): only whole beginnings are of use then. */
  #canCut = true

  constructor(lanes: readonly Lane[], store: PrefixStore) {
    this.#lanes = lanes
    this.#store = store
  }

  /** Takes tasks out of `waiting` and begins them. Call only while no decode is under way. */
  async admit(waiting: Task[]): Promise<void> {
    let looked = 0
    for (let at = 0; at < waiting.length && looked < lookAhead * this.#lanes.length; looked++) {
      if (!this.#lanes.some((lane) => lane.isFree)) return
      const task = waiting[at]!
      const choice = task.isCancelled ? this.#anyLane() : await this.#choose(task)
      if (!choice) at += 1
      else {
        waiting.splice(at, 1)
        await this.#begin(task, choice)
      }
    }
  }

  /** Keeps the caches of lanes that have reached a length worth keeping. */
  async keepCuts(): Promise<void> {
    for (const lane of this.#lanes) if (lane.takeCut()) await this.#store.keep(lane.place, lane.held)
  }

  /** Notes how long a batch took that was mostly prompts. */
  measure(seconds: number, tokens: number): void {
    if (tokens < 64) return
    const each = seconds / tokens
    this.#evaluateSeconds = this.#evaluateSeconds === 0 ? each : 0.8 * this.#evaluateSeconds + 0.2 * each
  }

  #anyLane(): Choice {
    return { lane: this.#lanes.find((lane) => lane.isFree)!, kept: null, shared: 0 }
  }

  /** Where the task begins with least to evaluate; null when another lane is about to have more of it. */
  async #choose(task: Task): Promise<Choice | null> {
    const limit = reusableTokens(task)
    const free = this.#lanes.filter((lane) => lane.isFree)
    const own = free.reduce((best, lane) => (lane.shared(task) > best.shared(task) ? lane : best))
    let choice: Choice = { lane: own, kept: null, shared: own.shared(task) }
    let found = this.#store.find(task.tokens, { limit, isWhole: !this.#canCut })
    const donor = this.#lanes.reduce((best, lane) => (lane.shared(task) > best.shared(task) ? lane : best))
    const donated = donor.shared(task)
    if (this.#canCut && this.#isWorth(donated - Math.max(choice.shared, found?.shared ?? 0), donor.held.length)) {
      const kept = await this.#store.keep(donor.place, donor.held)
      if (kept) found = { kept, shared: donated }
    }
    if (found && this.#isWorth(found.shared - choice.shared, found.kept.tokens.length)) {
      // The lane whose cache is worth least gives it up.
      const lane = free.reduce((least, other) => (other.held.length < least.held.length ? other : least))
      choice = { lane, kept: found.kept, shared: found.shared }
    }
    return this.#isComing(task, choice.shared) ? null : choice
  }

  #isComing(task: Task, shared: number): boolean {
    const busy = this.#lanes.filter((lane) => !lane.isFree)
    const coming = busy.map((lane) => lane.coming(task))
    const most = Math.max(0, ...coming)
    if (!this.#isWorth(most - shared, most)) return false
    return busy[coming.indexOf(most)]?.keepAt(most) ?? false
  }

  async #begin(task: Task, { lane, kept, shared }: Choice): Promise<void> {
    try {
      if (kept) await this.#load(lane, kept)
      lane.begin(task)
      if (kept && lane.held.length < shared) this.#canCut = false
    } catch (thrown) {
      task.fail(thrown)
      return
    }
    this.#planKeeping(lane, task)
  }

  /**
   * A prompt's cache is kept whole when it is new for the most part: what begins like it is cut from it. Caches that cannot be cut are
   * kept where prompts parted before.
   */
  #planKeeping(lane: Lane, task: Task): void {
    const limit = reusableTokens(task)
    const evaluated = limit - lane.held.length
    if (this.#canCut) {
      if (this.#isWorth(evaluated / keepingShare, limit)) lane.keepAt(limit)
      return
    }
    const parting = Math.max(0, ...this.#recent.map((tokens) => commonPrefix(tokens, task.tokens, limit)))
    if (this.#isWorth(parting - lane.held.length, parting)) lane.keepAt(parting)
    this.#recent = [...this.#recent.slice(1 - maxRemembered), task.tokens]
  }

  async #load(lane: Lane, kept: KeptPrefix): Promise<void> {
    const startedAt = performance.now()
    try {
      await lane.load(kept.file.path)
      this.#store.used(kept, performance.now() - startedAt)
    } catch {
      // The prompt is evaluated instead.
      this.#store.drop(kept)
    }
  }

  /** Whether evaluating `gained` tokens takes longer than copying `copied`. */
  #isWorth(gained: number, copied: number): boolean {
    if (gained < leastGain) return false
    if (this.#evaluateSeconds === 0 || this.#store.copySeconds === 0) return true
    return gained * this.#evaluateSeconds > copied * this.#store.copySeconds
  }
}
