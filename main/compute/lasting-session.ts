// A session that outlives its worker: when the worker dies, the model is opened again and the calls that were under way are asked
// again. Gives up after `maxReopens` deaths without one answer in between. Callers see an ordinary LlamaSession.

import { AppError } from '../contract/errors.ts'
import type { LlamaHost, LlamaSession, SessionReply, SessionRequest } from './llama-protocol.ts'

const maxReopens = 3
/** Wait before the first reopening; doubles with each further one. */
const firstBackoffMs = 200

/** Opens a session whose calls survive the worker's death. Throws what the last attempt threw. */
export async function openLastingSession(host: LlamaHost, request: SessionRequest): Promise<LlamaSession> {
  const lasting = new LastingSession(host, request)
  await lasting.start()
  return lasting
}

class LastingSession implements LlamaSession {
  readonly #host: LlamaHost
  readonly #request: SessionRequest
  #current: Promise<LlamaSession> | null = null
  #reply: SessionReply | null = null
  #deathsInARow = 0
  #isDisposed = false

  constructor(host: LlamaHost, request: SessionRequest) {
    this.#host = host
    this.#request = request
  }

  get reply(): SessionReply {
    return this.#reply!
  }
  async start(): Promise<void> {
    this.#reply = await this.#ask(async (session) => session.reply)
  }
  complete: LlamaSession['complete'] = (request, options) => this.#ask((session) => session.complete(request, options))
  score: LlamaSession['score'] = (request) => this.#ask((session) => session.score(request))
  tokenize: LlamaSession['tokenize'] = (text) => this.#ask((session) => session.tokenize(text))
  detokenize: LlamaSession['detokenize'] = (tokens) => this.#ask((session) => session.detokenize(tokens))

  async dispose(): Promise<void> {
    this.#isDisposed = true
    const session = await this.#current?.catch(() => null)
    await session?.dispose()
  }

  async #ask<Answer>(call: (session: LlamaSession) => Promise<Answer>): Promise<Answer> {
    while (true) {
      this.#current ??= this.#open()
      const asked = this.#current
      try {
        const answer = await call(await asked)
        this.#deathsInARow = 0
        return answer
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== 'worker-died' || this.#isDisposed) throw thrown
        // Of the many calls one death ends, only the first counts it and makes room for a new session.
        if (this.#current === asked) {
          this.#current = null
          this.#deathsInARow += 1
        }
        if (this.#deathsInARow > maxReopens) throw thrown
      }
    }
  }

  async #open(): Promise<LlamaSession> {
    if (this.#deathsInARow > 0) {
      const waitMs = firstBackoffMs * 2 ** (this.#deathsInARow - 1)
      await new Promise((resolve) => setTimeout(resolve, waitMs))
    }
    return this.#host.openSession(this.#request)
  }
}
