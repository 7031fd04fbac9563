// Turns sampled tokens into text piece by piece: never emits half a character, never emits any part of a stop text.

/** Detokenises `tokens` as the continuation of `before`; `isFirst` when no text came from this stream yet. */
export type Detokenize = (tokens: readonly number[], before: readonly number[], isFirst: boolean) => string

/** Tokens of left context a detokeniser needs to get spaces right. */
const contextTokens = 4
/** A character is at most four bytes, so at most four byte tokens; more than this is broken text and is let through. */
const maxPending = 6

export class TextStream {
  readonly #detokenize: Detokenize
  readonly #stops: readonly string[]
  readonly #longestStop: number
  #before: number[]
  #pending: number[] = []
  #text = ''
  #emitted = 0
  #isStopped = false

  constructor(detokenize: Detokenize, options: { stops?: readonly string[]; before?: readonly number[] } = {}) {
    this.#detokenize = detokenize
    this.#stops = (options.stops ?? []).filter((stop) => stop !== '')
    this.#longestStop = Math.max(0, ...this.#stops.map((stop) => stop.length))
    this.#before = (options.before ?? []).slice(-contextTokens)
  }

  /** True once a stop text has appeared; the text ends before it. */
  get isStopped(): boolean {
    return this.#isStopped
  }
  get text(): string {
    return this.#text
  }
  /** True while the tokens so far end in the middle of a character. */
  get isInsideCharacter(): boolean {
    return this.#pending.length > 0
  }

  /** Adds a token and returns the text that is now certain. */
  push(token: number): string {
    this.#pending.push(token)
    const piece = this.#read()
    if (piece.endsWith('\uFFFD') && this.#pending.length < maxPending) return ''
    this.#settle(piece)
    return this.#takeCertain()
  }

  /** Ends the stream and returns the text held back. */
  end(): string {
    if (!this.#isStopped && this.#pending.length > 0) this.#settle(this.#read())
    const rest = this.#text.slice(this.#emitted)
    this.#emitted = this.#text.length
    return rest
  }

  #read(): string {
    return this.#detokenize(this.#pending, this.#before, this.#text === '')
  }

  #settle(piece: string): void {
    const searchFrom = Math.max(0, this.#text.length - this.#longestStop)
    this.#text += piece
    this.#before.push(...this.#pending)
    this.#before.splice(0, this.#before.length - contextTokens)
    this.#pending = []
    if (this.#stops.length === 0) return
    const found = this.#stops.map((stop) => this.#text.indexOf(stop, searchFrom)).filter((at) => at >= 0)
    if (found.length === 0) return
    this.#text = this.#text.slice(0, Math.min(...found))
    this.#isStopped = true
  }

  /** Holds back the longest tail that could still become a stop text. */
  #takeCertain(): string {
    let end = this.#text.length
    if (!this.#isStopped) end -= this.#openTail()
    const piece = this.#text.slice(this.#emitted, Math.max(this.#emitted, end))
    this.#emitted += piece.length
    return piece
  }

  #openTail(): number {
    for (let length = Math.min(this.#longestStop - 1, this.#text.length); length > 0; length--) {
      const tail = this.#text.slice(-length)
      if (this.#stops.some((stop) => stop.startsWith(tail))) return length
    }
    return 0
  }
}
