// The stand-in's promise: what it does not know throws by name, on reading a property, passing an option or listening to an event.
import { EventEmitter } from 'node:events'

type Listener = Parameters<EventEmitter['on']>[1]

/** The error for a part of Electron that the stand-in lacks. */
export function unknownPart(name: string): Error {
  return new Error(`electron stand-in: ${name} is not implemented (add to test/standin what Electron does there)`)
}

// Asked of any object by promises, JSON, inspectors and EventEmitter; never a part of Electron.
const askedOfAnyObject = new Set<PropertyKey>(['then', 'toJSON', 'constructor', 'inspect', 'domain'])

/** A view of `target` whose unknown properties throw. Setting stays free: tests replace dialogs that way. */
export function onlyKnown<T extends object>(name: string, target: T): T {
  return new Proxy(target, {
    get(object, key) {
      if (key in object || typeof key === 'symbol' || askedOfAnyObject.has(key)) return Reflect.get(object, key)
      throw unknownPart(`${name}.${key}`)
    },
  })
}

/** Throws for the first key of `options` that is not in `known`. */
export function onlyKnownOptions(name: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown) throw unknownPart(`${name} option '${unknown}'`)
}

/** An EventEmitter that throws for events it does not know and for properties it lacks; `this` is the guarded view. */
export class KnownEmitter extends EventEmitter {
  private readonly kind: string
  private readonly knownEvents: readonly string[]

  constructor(kind: string, knownEvents: readonly string[]) {
    super()
    this.kind = kind
    this.knownEvents = knownEvents
    return onlyKnown(kind, this)
  }

  private check(event: string | symbol): void {
    if (typeof event === 'string' && !this.knownEvents.includes(event))
      throw unknownPart(`${this.kind} event '${event}'`)
  }

  override on(event: string | symbol, listener: Listener): this {
    this.check(event)
    return super.on(event, listener)
  }

  override addListener(event: string | symbol, listener: Listener): this {
    return this.on(event, listener)
  }

  override once(event: string | symbol, listener: Listener): this {
    this.check(event)
    return super.once(event, listener)
  }

  override prependListener(event: string | symbol, listener: Listener): this {
    this.check(event)
    return super.prependListener(event, listener)
  }
}

/** What Electron passes with an event that its listener may cancel. */
export class CancellableEvent {
  defaultPrevented = false

  preventDefault(): void {
    this.defaultPrevented = true
  }
}
