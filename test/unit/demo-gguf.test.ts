import { describe, expect, it } from 'vitest'
import { type GgufEntry, ggufValue, readGguf, withMetadata, writeGguf } from '../../main/domain/gguf.ts'

const entries: GgufEntry[] = [
  { key: 'general.architecture', type: 'string', value: 'llama' },
  { key: 'a.count', type: 'u32', value: 4_000_000_000 },
  { key: 'a.float', type: 'f32', value: 0.5 },
  { key: 'a.flag', type: 'bool', value: true },
  { key: 'a.wide', type: 'u64', value: 2n ** 40n },
  { key: 'a.negative', type: 'i32', value: -7 },
  { key: 'a.words', type: 'array', of: 'string', value: ['', 'ä', '<|im_end|>'] },
]
const tensors = [
  { name: 'one', shape: [3], elements: Float32Array.of(1, 2, 3) },
  { name: 'two', shape: [2, 2], elements: Float32Array.of(4, 5, 6, 7) },
]

describe('GGUF over bytes', () => {
  it('reads back the metadata and tensors it wrote', () => {
    const bytes = writeGguf(entries, tensors)
    const file = readGguf(bytes)
    expect(file.entries).toEqual(entries)
    expect(ggufValue(file, 'a.words')).toEqual(['', 'ä', '<|im_end|>'])
    expect(file.tensors.map(({ name, shape }) => ({ name, shape }))).toEqual(
      tensors.map(({ name, shape }) => ({ name, shape })),
    )
    const second = file.tensors[1]
    const start = file.dataOffset + (second?.offset ?? 0)
    expect(start % 32).toBe(0)
    expect([...new Float32Array(bytes.slice(start, start + 16).buffer)]).toEqual([4, 5, 6, 7])
  })
  it('adds and replaces metadata without touching the tensors', () => {
    const before = writeGguf(entries, tensors)
    const after = withMetadata(before, [
      { key: 'a.new', type: 'bool', value: true },
      { key: 'a.negative', type: 'i32', value: 9 },
    ])
    const file = readGguf(after)
    expect([ggufValue(file, 'a.new'), ggufValue(file, 'a.negative'), ggufValue(file, 'a.float')]).toEqual([
      true,
      9,
      0.5,
    ])
    expect(after.slice(file.dataOffset)).toEqual(before.slice(readGguf(before).dataOffset))
  })
  it('refuses a file cut anywhere inside its header', () => {
    const bytes = writeGguf(entries, tensors)
    const { dataOffset } = readGguf(bytes)
    for (let length = 0; length < dataOffset - 32; length += 7) {
      expect(() => readGguf(bytes.subarray(0, length))).toThrow(/cannot be read as a GGUF/)
    }
  })
  it('refuses foreign bytes and an absurd count', () => {
    expect(() => readGguf(new TextEncoder().encode('PK zip of something'))).toThrow(/GGUF mark/)
    const bytes = writeGguf(entries, tensors)
    new DataView(bytes.buffer).setBigUint64(8, 2n ** 60n, true)
    expect(() => readGguf(bytes)).toThrow(/claims/)
  })
})
