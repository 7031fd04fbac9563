// Writes a GGUF file of tensors in any type, given as their stored bytes, for tests. main/domain/gguf.ts reads it back and writes F32.

import { writeFileSync } from 'node:fs'
import type { GgufEntry } from '../../main/domain/gguf.ts'

/** One tensor of the file. */
export interface StoredTensor {
  name: string
  /** ggml order: the contiguous dimension first. */
  shape: number[]
  /** ggml type number. */
  type: number
  bytes: Buffer
}

const kinds = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'string', 'array', 'u64', 'i64', 'f64']

/** Writes the file and returns its path. */
export function writeGgufFile(path: string, entries: readonly GgufEntry[], tensors: readonly StoredTensor[]): string {
  let offset = 0
  const table: Buffer[] = []
  const bodies: Buffer[] = []
  for (const { name, shape, type, bytes } of tensors) {
    table.push(text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset))
    const body = pad(bytes)
    bodies.push(body)
    offset += body.length
  }
  const counts = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(entries.length)]
  const header = Buffer.concat([...counts, ...entries.flatMap(encodeEntry), ...table])
  writeFileSync(path, Buffer.concat([pad(header), ...bodies]))
  return path
}

function encodeEntry(entry: GgufEntry): Buffer[] {
  const head = [text(entry.key), u32(kinds.indexOf(entry.type))]
  if (entry.type !== 'array') return [...head, scalar(entry.type, entry.value)]
  const { of, value } = entry
  return [...head, u32(kinds.indexOf(of)), u64(value.length), Buffer.concat(value.map((each) => scalar(of, each)))]
}

function scalar(kind: string, value: number | bigint | boolean | string): Buffer {
  switch (kind) {
    case 'string':
      return text(String(value))
    case 'bool':
      return Buffer.from([value ? 1 : 0])
    case 'u32':
      return u32(Number(value))
    case 'i32':
      return u32(Number(value) >>> 0)
    case 'f32':
      return Buffer.from(Float32Array.of(Number(value)).buffer)
    default:
      throw new Error(`tests write no metadata of kind ${kind}`)
  }
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((32 - (bytes.length % 32)) % 32)])
}
function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}
function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([u64(bytes.length), bytes])
}
