// Structured clone over JSON text. `encode` and `decode` name nothing outside themselves: pages get their source text.

/** JSON form of a structured clone: plain JSON values, or a tagged array for all the rest. */
export type Encoded = null | string | boolean | number | [tag: string, ...rest: unknown[]]

/** Encodes a value as structured clone would copy it; throws Electron's words for what cannot be copied. */
export function encode(value: unknown, seen: unknown[] = []): Encoded {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value) && !Object.is(value, -0)) return value
  if (typeof value === 'undefined') return ['undefined']
  if (typeof value === 'number') return ['number', Object.is(value, -0) ? '-0' : String(value)]
  if (typeof value === 'bigint') return ['bigint', String(value)]
  if (typeof value === 'function' || typeof value === 'symbol') throw new Error('An object could not be cloned.')
  const known = seen.indexOf(value)
  if (known >= 0) return ['seen', known]
  seen.push(value)
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  const many = (values: Iterable<unknown>): Encoded[] => Array.from(values, (one) => encode(one, seen))
  if (Array.isArray(value)) return ['array', many(value)]
  if (value instanceof Date) return ['date', value.getTime()]
  if (value instanceof RegExp) return ['regexp', value.source, value.flags]
  if (value instanceof Map) return ['map', Array.from(value, (pair) => many(pair))]
  if (value instanceof Set) return ['set', many(value)]
  if (value instanceof Error) return ['error', value.name, value.message, value.stack]
  if (tag === 'ArrayBuffer' || ArrayBuffer.isView(value)) {
    const view = ArrayBuffer.isView(value) ? value : undefined
    const bytes = view
      ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
      : new Uint8Array(value as ArrayBuffer)
    let text = ''
    for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
    return ['bytes', tag, btoa(text)]
  }
  // Its content stays behind: a preload only asks where it lies.
  if (tag === 'File') return ['file', (value as unknown as { name: string }).name]
  if (tag !== 'Object') throw new Error('An object could not be cloned.')
  const fields: Record<string, Encoded> = {}
  for (const [key, field] of Object.entries(value)) fields[key] = encode(field, seen)
  return ['object', fields]
}

/** The inverse of `encode`. */
export function decode(encoded: Encoded, seen: unknown[] = []): unknown {
  if (encoded === null || typeof encoded !== 'object') return encoded
  const [tag, first, second, third] = encoded as [string, never, never, never]
  const keep = <T>(value: T): T => {
    seen.push(value)
    return value
  }
  switch (tag) {
    case 'undefined':
      return undefined
    case 'number':
      return Number(first)
    case 'bigint':
      return BigInt(first)
    case 'seen':
      return seen[first]
    case 'array': {
      const array: unknown[] = keep([])
      for (const one of first as Encoded[]) array.push(decode(one, seen))
      return array
    }
    case 'object': {
      const object: Record<string, unknown> = keep({})
      for (const [key, field] of Object.entries(first as Record<string, Encoded>)) object[key] = decode(field, seen)
      return object
    }
    case 'map': {
      const map = keep(new Map())
      for (const [key, one] of first as [Encoded, Encoded][]) map.set(decode(key, seen), decode(one, seen))
      return map
    }
    case 'set': {
      const set = keep(new Set())
      for (const one of first as Encoded[]) set.add(decode(one, seen))
      return set
    }
    case 'date':
      return keep(new Date(first))
    case 'regexp':
      return keep(new RegExp(first, second))
    case 'error':
      return Object.assign(keep(new Error(second)), { name: first as string, stack: third as string })
    case 'file':
      return keep(new File([], first))
    case 'bytes': {
      const bytes = Uint8Array.from(atob(second), (letter) => letter.charCodeAt(0))
      if (first === 'ArrayBuffer') return keep(bytes.buffer)
      const View = (globalThis as unknown as Record<string, new (buffer: ArrayBuffer) => unknown>)[first]
      return keep(View ? new View(bytes.buffer) : bytes)
    }
    default:
      throw new Error(`electron stand-in: clone tag '${tag}' is not known`)
  }
}
