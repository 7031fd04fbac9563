// GGUF version 3 over bytes: reads metadata and the tensor table, writes a whole file. Pure: no files, no tensor arithmetic.
// Refuses truncated, foreign or oversized input with `bad-gguf`. Tensor data starts at multiples of 32 bytes.

import { AppError } from '../contract/errors.ts'

/** Value types of GGUF metadata, by their numbers in the file. */
const valueTypes = [
  'u8',
  'i8',
  'u16',
  'i16',
  'u32',
  'i32',
  'f32',
  'bool',
  'string',
  'array',
  'u64',
  'i64',
  'f64',
] as const
type GgufScalarType = Exclude<(typeof valueTypes)[number], 'array'>
type GgufScalar = number | bigint | boolean | string
/** One metadata entry as it is written. */
export type GgufEntry =
  | { key: string; type: GgufScalarType; value: GgufScalar }
  | { key: string; type: 'array'; of: GgufScalarType; value: readonly GgufScalar[] }

/** ggml's numbers of the tensor types written here. */
export const ggmlTypes = { f32: 0, f16: 1, q8_0: 8, bf16: 30 } as const

export interface GgufTensor {
  name: string
  /** ggml order: fastest axis first. */
  shape: number[]
  /** ggml type number. */
  type: number
  /** From the start of the tensor data. */
  offset: number
}
export interface GgufFile {
  version: number
  entries: GgufEntry[]
  tensors: GgufTensor[]
  /** Where the tensor data starts in the file. */
  dataOffset: number
}

const alignment = 32
const maxCount = 4_000_000

/** Reads the header of a GGUF file; `bytes` must hold at least all metadata and the tensor table. */
export function readGguf(bytes: Uint8Array): GgufFile {
  const cursor = new Cursor(bytes)
  if (bytes.length < 4 || new TextDecoder().decode(bytes.subarray(0, 4)) !== 'GGUF')
    throw badGguf('it does not begin with the GGUF mark')
  cursor.skip(4)
  const version = cursor.u32()
  if (version !== 2 && version !== 3) throw badGguf(`its version is ${version}; versions 2 and 3 can be read`)
  const tensorCount = cursor.count()
  const entryCount = cursor.count()
  const entries = Array.from({ length: entryCount }, () => cursor.entry())
  const tensors = Array.from({ length: tensorCount }, () => cursor.tensor())
  const stated = entries.find((entry) => entry.key === 'general.alignment')
  const step = stated && stated.type !== 'array' ? Number(stated.value) : alignment
  return { version, entries, tensors, dataOffset: Math.ceil(cursor.position / step) * step }
}

/** A metadata value by key, or undefined. */
export function ggufValue(file: GgufFile, key: string): GgufScalar | readonly GgufScalar[] | undefined {
  return file.entries.find((entry) => entry.key === key)?.value
}

/** Writes a GGUF file of F32 tensors given as their elements, in the given order. */
export function writeGguf(
  entries: readonly GgufEntry[],
  tensors: readonly { name: string; shape: number[]; elements: Float32Array }[],
): Uint8Array {
  const writer = new Writer()
  let offset = 0
  const table = tensors.map(({ name, shape, elements }): GgufTensor => {
    const start = offset
    offset += Math.ceil(elements.byteLength / alignment) * alignment
    return { name, shape, type: ggmlTypes.f32, offset: start }
  })
  writer.header(entries, table)
  for (const { elements } of tensors) {
    writer.pad()
    writer.raw(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength))
  }
  writer.pad()
  return writer.finish()
}

/** The same model with some metadata added or replaced by key; tensors are left as they are. */
export function withMetadata(bytes: Uint8Array, changes: readonly GgufEntry[]): Uint8Array {
  const file = readGguf(bytes)
  const kept = file.entries.filter((entry) => !changes.some((change) => change.key === entry.key))
  const writer = new Writer()
  writer.header([...kept, ...changes], file.tensors)
  writer.pad()
  writer.raw(bytes.subarray(file.dataOffset))
  return writer.finish()
}

class Cursor {
  position = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Moves on by `size` bytes and tells where they begin. */
  skip(size: number): number {
    const start = this.position
    if (start + size > this.bytes.length) throw badGguf(`it ends at byte ${this.bytes.length}, inside its header`)
    this.position += size
    return start
  }
  u32(): number {
    return this.view.getUint32(this.skip(4), true)
  }
  u64(): bigint {
    return this.view.getBigUint64(this.skip(8), true)
  }
  count(): number {
    const count = this.u64()
    if (count > BigInt(maxCount)) throw badGguf(`it claims ${count} elements in one list`)
    return Number(count)
  }
  text(): string {
    const length = this.u64()
    if (length > BigInt(this.bytes.length)) throw badGguf(`it claims a text of ${length} bytes`)
    const start = this.skip(Number(length))
    return new TextDecoder().decode(this.bytes.subarray(start, start + Number(length)))
  }
  scalar(type: GgufScalarType): GgufScalar {
    const { view } = this
    switch (type) {
      case 'u8':
        return view.getUint8(this.skip(1))
      case 'i8':
        return view.getInt8(this.skip(1))
      case 'u16':
        return view.getUint16(this.skip(2), true)
      case 'i16':
        return view.getInt16(this.skip(2), true)
      case 'u32':
        return this.u32()
      case 'i32':
        return view.getInt32(this.skip(4), true)
      case 'f32':
        return view.getFloat32(this.skip(4), true)
      case 'bool':
        return view.getUint8(this.skip(1)) !== 0
      case 'string':
        return this.text()
      case 'u64':
        return this.u64()
      case 'i64':
        return view.getBigInt64(this.skip(8), true)
      case 'f64':
        return view.getFloat64(this.skip(8), true)
    }
  }
  entry(): GgufEntry {
    const key = this.text()
    const type = this.type()
    if (type !== 'array') return { key, type, value: this.scalar(type) }
    const of = this.type()
    if (of === 'array') throw badGguf(`its key "${key}" is a list of lists`)
    return { key, type, of, value: Array.from({ length: this.count() }, () => this.scalar(of)) }
  }
  tensor(): GgufTensor {
    const name = this.text()
    const rank = this.u32()
    if (rank > 4) throw badGguf(`its tensor "${name}" claims ${rank} dimensions`)
    const shape = Array.from({ length: rank }, () => Number(this.u64()))
    return { name, shape, type: this.u32(), offset: Number(this.u64()) }
  }
  private type(): (typeof valueTypes)[number] {
    const number = this.u32()
    const type = valueTypes[number]
    if (!type) throw badGguf(`it uses the unknown value type ${number}`)
    return type
  }
}

class Writer {
  private readonly parts: Uint8Array[] = []
  private length = 0

  raw(bytes: Uint8Array): void {
    this.parts.push(bytes)
    this.length += bytes.length
  }
  pad(): void {
    this.raw(new Uint8Array((alignment - (this.length % alignment)) % alignment))
  }
  scalar(type: GgufScalarType, value: GgufScalar): void {
    if (type === 'string') {
      const bytes = new TextEncoder().encode(String(value))
      this.scalar('u64', bytes.length)
      this.raw(bytes)
      return
    }
    const sizes = { u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, u64: 8, i64: 8, f64: 8 }
    const bytes = new Uint8Array(sizes[type])
    const view = new DataView(bytes.buffer)
    if (type === 'f32') view.setFloat32(0, Number(value), true)
    else if (type === 'f64') view.setFloat64(0, Number(value), true)
    else if (bytes.length === 8) view.setBigInt64(0, BigInt.asIntN(64, BigInt(value)), true)
    else if (bytes.length === 4) view.setInt32(0, Number(value) | 0, true)
    else if (bytes.length === 2) view.setInt16(0, Number(value), true)
    else view.setInt8(0, Number(value))
    this.raw(bytes)
  }
  entry(entry: GgufEntry): void {
    this.scalar('string', entry.key)
    this.scalar('u32', valueTypes.indexOf(entry.type))
    if (entry.type !== 'array') return this.scalar(entry.type, entry.value)
    this.scalar('u32', valueTypes.indexOf(entry.of))
    this.scalar('u64', entry.value.length)
    for (const value of entry.value) this.scalar(entry.of, value)
  }
  header(entries: readonly GgufEntry[], tensors: readonly GgufTensor[]): void {
    this.raw(new TextEncoder().encode('GGUF'))
    this.scalar('u32', 3)
    this.scalar('u64', tensors.length)
    this.scalar('u64', entries.length)
    for (const entry of entries) this.entry(entry)
    for (const { name, shape, type, offset } of tensors) {
      this.scalar('string', name)
      this.scalar('u32', shape.length)
      for (const length of shape) this.scalar('u64', length)
      this.scalar('u32', type)
      this.scalar('u64', offset)
    }
  }
  finish(): Uint8Array {
    const whole = new Uint8Array(this.length)
    let at = 0
    for (const part of this.parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }
}

function badGguf(what: string): AppError {
  return new AppError({
    code: 'bad-gguf',
    message: `This file cannot be read as a GGUF model: ${what}.`,
    remedy: 'Choose a complete GGUF file, or download it again.',
  })
}
