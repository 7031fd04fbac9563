// Evaluated prompt beginnings kept aside, so that every lane can go on from them. llama.cpp's copy between sequences is not reachable
// through node-llama-cpp; saving and loading a sequence's state is, through files. They lie in memory where the system has such a folder.
// Bounded in number and bytes, the least recently used go first; a full disk only ends the sharing. On Linux the files have no name, so
// that nothing is left behind whatever kills the process.

import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statfsSync, unlinkSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NativeContext } from './bindings.ts'
import { commonPrefix } from './task.ts'

const maxKept = 64
const maxBytes = 4 * 1024 ** 3
/** At most this share of the memory that is free, and of the room where the files lie. */
const freeShare = 0.2

export interface KeptPrefix {
  tokens: readonly number[]
  file: StateFile
  sizeBytes: number
  usedAt: number
}

export class PrefixStore {
  readonly #native: NativeContext
  readonly #folder: string
  readonly #budget: number
  #kept: KeptPrefix[] = []
  #clock = 0
  #isOff = false
  /** Measured: seconds a token to save or load. */
  #copySeconds = 0

  constructor(native: NativeContext) {
    this.#native = native
    const memory = '/dev/shm'
    const parent = process.platform === 'linux' && existsSync(memory) ? memory : tmpdir()
    this.#folder = mkdtempSync(join(parent, 'labdesk-prefix-'))
    const { bavail, bsize } = statfsSync(this.#folder)
    this.#budget = Math.min(maxBytes, Math.min(bavail * bsize, freemem()) * freeShare)
  }

  get copySeconds(): number {
    return this.#copySeconds
  }

  /** The kept beginning that has most in common with these tokens; `isWhole`: all of it. */
  find(
    tokens: readonly number[],
    { limit, isWhole }: { limit: number; isWhole: boolean },
  ): { kept: KeptPrefix; shared: number } | null {
    let best: { kept: KeptPrefix; shared: number } | null = null
    for (const kept of this.#kept) {
      const shared = commonPrefix(kept.tokens, tokens, limit)
      if (isWhole && shared < kept.tokens.length) continue
      if (
        shared > (best?.shared ?? 0) ||
        (best && shared === best.shared && kept.tokens.length < best.kept.tokens.length)
      )
        best = { kept, shared }
    }
    return best
  }

  /** Keeps what a sequence holds. Null when it cannot be kept. */
  async keep(sequence: number, tokens: readonly number[]): Promise<KeptPrefix | null> {
    if (this.#isOff || !this.#makeRoom(tokens.length)) return null
    const file = createStateFile(join(this.#folder, `${++this.#clock}`))
    try {
      const startedAt = performance.now()
      const sizeBytes = await this.#native.saveSequenceStateToFile(file.path, sequence, Uint32Array.from(tokens))
      this.#measure(performance.now() - startedAt, tokens.length)
      const kept = { tokens: [...tokens], file, sizeBytes, usedAt: this.#clock }
      this.#kept.push(kept)
      return kept
    } catch {
      file.remove()
      this.#isOff = true
      return null
    }
  }

  /** Notes that a beginning was loaded. */
  used(kept: KeptPrefix, ms: number): void {
    kept.usedAt = ++this.#clock
    this.#measure(ms, kept.tokens.length)
  }

  /** Forgets a beginning that could not be loaded. */
  drop(kept: KeptPrefix): void {
    kept.file.remove()
    this.#kept = this.#kept.filter((other) => other !== kept)
  }

  dispose(): void {
    this.#isOff = true
    for (const kept of this.#kept) this.drop(kept)
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #makeRoom(tokens: number): boolean {
    const needed = this.#bytesPerToken() * tokens
    if (needed > this.#budget) return false
    while (this.#kept.length >= maxKept || this.#usedBytes() + needed > this.#budget) {
      this.drop(this.#kept.reduce((oldest, kept) => (kept.usedAt < oldest.usedAt ? kept : oldest)))
    }
    return true
  }

  #usedBytes(): number {
    return this.#kept.reduce((sum, kept) => sum + kept.sizeBytes, 0)
  }

  #bytesPerToken(): number {
    const [known] = this.#kept
    return known ? known.sizeBytes / Math.max(1, known.tokens.length) : 0
  }

  #measure(ms: number, tokens: number): void {
    const seconds = ms / 1000 / Math.max(1, tokens)
    this.#copySeconds = this.#copySeconds === 0 ? seconds : 0.8 * this.#copySeconds + 0.2 * seconds
  }
}

interface StateFile {
  path: string
  remove: () => void
}

function createStateFile(path: string): StateFile {
  if (process.platform !== 'linux') return { path, remove: () => rmSync(path, { force: true }) }
  const file = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  return { path: `/proc/self/fd/${file}`, remove: () => closeSync(file) }
}
