// contextBridge: two halves, one in the page's world and one in the preload's, joined by synchronous DOM events (worlds share the
// DOM but no objects). Runs inside pages from its source text, so it names nothing outside itself but types.
import type { Encoded } from './clone.ts'

type Wire = ['clone', Encoded] | ['function', number] | ['array', Wire[]] | ['object', Record<string, Wire>]
type Call =
  | { t: 'call'; id: number; args: Wire[] }
  | { t: 'settle'; promise: number; ok?: Wire; error?: string }
  | { t: 'expose'; key: string; api: Wire }
type Answer = { ok: Wire } | { promise: number } | { error: string }
type AnyFunction = (...values: unknown[]) => unknown

interface HalfOptions {
  /** Secret event name of this window. */
  secret: string
  me: 'page' | 'preload'
  peer: 'page' | 'preload'
  encode(value: unknown): Encoded
  decode(encoded: Encoded): unknown
}

/** One half of the bridge; the preload's half uses `expose`. */
export function bridgeHalf({ secret, me, peer, encode, decode }: HalfOptions): {
  expose(key: string, api: unknown): void
} {
  const functions = new Map<number, AnyFunction>()
  const promises = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastId = 0
  const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype
  const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

  function holdsFunction(value: unknown, seen: Set<unknown>): boolean {
    if (typeof value === 'function') return true
    if (typeof value !== 'object' || value === null || seen.has(value)) return false
    seen.add(value)
    if (!Array.isArray(value) && !isPlain(value)) return false
    return Object.values(value).some((one) => holdsFunction(one, seen))
  }

  function wrap(value: unknown): Wire {
    if (typeof value === 'function') {
      lastId += 1
      functions.set(lastId, value as AnyFunction)
      return ['function', lastId]
    }
    if (!holdsFunction(value, new Set())) return ['clone', encode(value)]
    if (Array.isArray(value)) return ['array', value.map(wrap)]
    return ['object', Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, wrap(one)]))]
  }

  function unwrap([kind, content]: Wire): unknown {
    if (kind === 'function') return (...args: unknown[]) => ask({ t: 'call', id: content, args: args.map(wrap) })
    if (kind === 'array') return content.map(unwrap)
    if (kind === 'object') return Object.fromEntries(Object.entries(content).map(([key, one]) => [key, unwrap(one)]))
    return decode(content)
  }

  /** A synchronous call into the other world. */
  function ask(call: Call): unknown {
    let reply = ''
    const hear = (event: Event): void => {
      reply = (event as CustomEvent<string>).detail
    }
    document.addEventListener(`${secret}-${me}-answer`, hear)
    document.dispatchEvent(new CustomEvent(`${secret}-${peer}`, { detail: JSON.stringify(call) }))
    document.removeEventListener(`${secret}-${me}-answer`, hear)
    const answer = JSON.parse(reply) as Answer
    if ('error' in answer) throw new Error(answer.error)
    if ('ok' in answer) return unwrap(answer.ok)
    return new Promise((resolve, reject) => promises.set(answer.promise, { resolve, reject }))
  }

  function callHere(id: number, args: Wire[]): Answer {
    const result = functions.get(id)?.(...args.map(unwrap))
    if (!(result instanceof Promise)) return { ok: wrap(result) }
    lastId += 1
    const promise = lastId
    result.then(
      (value) => ask({ t: 'settle', promise, ok: wrap(value) }),
      (error: unknown) => ask({ t: 'settle', promise, error: message(error) }),
    )
    return { promise }
  }

  function settle(call: Call & { t: 'settle' }): void {
    const waiting = promises.get(call.promise)
    promises.delete(call.promise)
    if (call.error !== undefined) waiting?.reject(new Error(call.error))
    else waiting?.resolve(call.ok && unwrap(call.ok))
  }

  function freeze(value: unknown): unknown {
    if (typeof value === 'object' && value !== null) {
      for (const one of Object.values(value)) freeze(one)
      Object.freeze(value)
    }
    return value
  }

  function answerTo(call: Call): Answer {
    if (call.t === 'call') return callHere(call.id, call.args)
    if (call.t === 'settle') settle(call)
    else {
      if (call.key in window) throw new Error('Cannot bind an API on top of an existing property on the window object')
      Object.defineProperty(window, call.key, { value: freeze(unwrap(call.api)), enumerable: true })
    }
    return { ok: wrap(undefined) }
  }

  document.addEventListener(`${secret}-${me}`, (event) => {
    let answer: Answer
    try {
      answer = answerTo(JSON.parse((event as CustomEvent<string>).detail) as Call)
    } catch (error) {
      answer = { error: message(error) }
    }
    document.dispatchEvent(new CustomEvent(`${secret}-${peer}-answer`, { detail: JSON.stringify(answer) }))
  })

  return {
    expose: (key, api) => {
      ask({ t: 'expose', key, api: wrap(api) })
    },
  }
}
