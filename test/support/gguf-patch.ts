// Reads the tensor table of a GGUF file and rewrites the F32 values of one tensor, for finite differences.

import { readFileSync } from 'node:fs'

export interface TensorSpot {
  name: string
  shape: number[]
  type: number
  /** Absolute position of the values in the file. */
  offset: number
}

const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]

/** All tensors of a GGUF file in memory. */
export function readTensorTable(file: Buffer): TensorSpot[] {
  let at = 8
  const u32 = () => file.readUInt32LE((at += 4) - 4)
  const u64 = () => Number(file.readBigUInt64LE((at += 8) - 8))
  const text = () => {
    const length = u64()
    return file.toString('utf8', at, (at += length))
  }
  const skip = (kind: number) => {
    if (kind === 8) text()
    else if (kind !== 9) at += scalarBytes[kind] ?? 0
    else {
      const element = u32()
      for (let left = u64(); left > 0; left--) skip(element)
    }
  }
  const tensorCount = u64()
  const entryCount = u64()
  for (let index = 0; index < entryCount; index++) {
    text()
    skip(u32())
  }
  const tensors: TensorSpot[] = []
  for (let index = 0; index < tensorCount; index++) {
    const name = text()
    const shape = Array.from({ length: u32() }, u64)
    tensors.push({ name, shape, type: u32(), offset: u64() })
  }
  const base = Math.ceil(at / 32) * 32
  return tensors.map((tensor) => ({ ...tensor, offset: tensor.offset + base }))
}

/** The file's bytes with the tensor `name` moved by `step` times `direction`. */
export function movedAlong(file: Buffer, move: { name: string; direction: Float32Array; step: number }): Buffer {
  const { name, direction, step } = move
  const spot = readTensorTable(file).find((tensor) => tensor.name === name)
  if (!spot || spot.type !== 0) throw new Error(`no F32 tensor ${name}`)
  const moved = Buffer.from(file)
  direction.forEach((value, index) => {
    const at = spot.offset + index * 4
    moved.writeFloatLE(moved.readFloatLE(at) + step * value, at)
  })
  return moved
}

/** F32 values of one tensor. */
export function readF32(path: string, name: string): Float32Array {
  const file = readFileSync(path)
  const spot = readTensorTable(file).find((tensor) => tensor.name === name)
  if (!spot || spot.type !== 0) throw new Error(`no F32 tensor ${name}`)
  const count = spot.shape.reduce((product, side) => product * side, 1)
  return Float32Array.from({ length: count }, (_, index) => file.readFloatLE(spot.offset + index * 4))
}
