// The project's embedding model at work: texts to vectors, each made once and kept in the project, so that the next run and the next search
// begin where the last one ended. The worker may die in between; what was made stays.

import { createHash } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import type { Embedder } from '../compute/llama-protocol.ts'
import { asked, type ScreenedText } from '../domain/duplicate-screen.ts'
import { listModels } from '../store/models.ts'
import { readVector, saveVectors } from '../store/vectors.ts'
import type { Lab } from './lab.ts'
import { requireModel } from './models.ts'

/** Texts of one call, and of one write. */
const textsPerCall = 16
/** Longer texts are cut. */
const contextTokens = 512
const mostDeathsInARow = 3

/** The project's embedding model, ready to be opened; null when no model plays that role. Throws what `requireModel` throws. */
export function findEmbedder(lab: Lab): Model | null {
  const found = listModels(lab.project().db).find(({ roles }) => roles.includes('embedder'))
  return found ? requireModel(lab, found.id, 'embedder') : null
}

/** What a sample means: its question with the context, and its answer. */
export function meantBy(text: Pick<ScreenedText, 'context' | 'question' | 'answer'>): string {
  return `${asked(text)}\n${text.answer}`
}

/** Opened on first need; `dispose` gives the memory back. */
export class Embedding {
  readonly #lab: Lab
  readonly #model: Model
  #embedder: Promise<Embedder> | null = null
  #deathsInARow = 0

  constructor(lab: Lab, model: Model) {
    this.#lab = lab
    this.#model = model
  }

  get name(): string {
    return this.#model.name
  }

  /** Unit vectors in the order of the texts. `onDone` is told how many are there by now; an aborted signal ends it early. */
  async vectorsOf(
    texts: readonly string[],
    { signal, onDone }: { signal?: AbortSignal; onDone?: (count: number) => void } = {},
  ): Promise<Float32Array[]> {
    const vectors: Float32Array[] = []
    for (let at = 0; at < texts.length && !signal?.aborted; at += textsPerCall) {
      vectors.push(...(await this.#some(texts.slice(at, at + textsPerCall))))
      onDone?.(vectors.length)
    }
    return vectors
  }

  async dispose(): Promise<void> {
    const embedder = await this.#embedder?.catch(() => null)
    this.#embedder = null
    await embedder?.dispose()
  }

  async #some(texts: readonly string[]): Promise<Float32Array[]> {
    const { db } = this.#lab.project()
    const { sha256 } = this.#model
    const keys = texts.map((text) => createHash('sha256').update(text).digest('hex'))
    const known = keys.map((key) => readVector(db, sha256, key))
    const missing = texts.flatMap((text, at) => (known[at] ? [] : [{ text, at }]))
    if (missing.length > 0) {
      const made = await this.#ask(missing.map(({ text }) => text))
      const fresh = missing.map(({ at }, place) => ({ at, vector: made[place] as Float32Array }))
      for (const { at, vector } of fresh) known[at] = vector
      const saved = fresh.map(({ at, vector }) => ({ textSha256: keys[at] as string, vector }))
      saveVectors(db, sha256, saved)
    }
    return known as Float32Array[]
  }

  async #ask(texts: readonly string[]): Promise<Float32Array[]> {
    while (true) {
      const { threads, gpu } = this.#lab.settings()
      const opening = (this.#embedder ??= this.#lab.llama.openEmbedder({
        modelPath: this.#model.path,
        contextTokens,
        threads,
        gpu,
      }))
      try {
        const vectors = await (await opening).embed(texts)
        this.#deathsInARow = 0
        return vectors
      } catch (thrown) {
        if (this.#embedder === opening) {
          this.#embedder = null
          this.#deathsInARow += 1
        }
        const isDeath = thrown instanceof AppError && thrown.code === 'worker-died'
        if (!isDeath || this.#deathsInARow > mostDeathsInARow) throw thrown
      }
    }
  }
}
