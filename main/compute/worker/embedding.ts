// A model that turns texts into vectors, one text at a time, pooled as its header says. Beginning and end marks are put as the model
// was trained with them; a text longer than the context is cut, since its beginning tells what it is about.

import type { LlamaEmbeddingContext } from 'node-llama-cpp'
import type { EmbedderRequest } from '../llama-protocol.ts'
import type { LlamaRuntime, ModelUse } from './runtime.ts'

/** Marks put around a text, at most. */
const frameTokens = 3

export class EmbeddingSession {
  readonly #runtime: LlamaRuntime
  readonly #use: ModelUse
  readonly #context: LlamaEmbeddingContext
  readonly #mostTokens: number
  #isDisposed = false

  private constructor(runtime: LlamaRuntime, opened: { use: ModelUse; context: LlamaEmbeddingContext; most: number }) {
    this.#runtime = runtime
    this.#use = opened.use
    this.#context = opened.context
    this.#mostTokens = opened.most
  }

  /** Throws the AppErrors named in runtime.ts. */
  static async open(runtime: LlamaRuntime, request: EmbedderRequest): Promise<EmbeddingSession> {
    const use = await runtime.takeModel(request.modelPath, request.threads)
    try {
      const contextSize = Math.min(request.contextTokens, use.model.trainContextSize)
      // An encoder sees a text at once, so a batch holds all of it.
      const { threads } = request
      const context = await use.model.createEmbeddingContext({ contextSize, batchSize: contextSize, threads })
      return new EmbeddingSession(runtime, { use, context, most: contextSize - frameTokens })
    } catch (thrown) {
      await use.release()
      throw runtime.explain(thrown, { code: 'out-of-memory', what: 'The embedding model could not be made ready' })
    }
  }

  /** Vectors of length 1, in the order of the texts; all zero for a blank one. */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const vectors: Float32Array[] = []
    for (const text of texts) {
      const tokens = this.#use.model.tokenize(text, false, 'trimLeadingSpace').slice(0, this.#mostTokens)
      const found = await this.#runtime.compute(() => this.#context.getEmbeddingFor(tokens))
      vectors.push(unit(Float32Array.from(found.vector)))
    }
    return vectors
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return
    this.#isDisposed = true
    await this.#context.dispose()
    await this.#use.release()
  }
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length > 0 && Number.isFinite(length) ? vector.map((value) => value / length) : vector.fill(0)
}
