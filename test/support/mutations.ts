// Damages bytes the way disks, editors and enemies do: flipped bits, cuts, doubled and foreign pieces, huge numbers, deep nesting,
// and a YAML alias bomb. A function of its random source alone.

import { inflateRawSync } from 'node:zlib'
import { listZip } from '../../main/compute/reader/zip-listing.ts'
import type { Random } from '../../main/domain/random.ts'
import { writeZip } from './zip-writer.ts'

const deep = ['[', '{"a":', '<div>', '<b><i>', '- ', '(', '<<', '> ', '{{', '<table><tr><td>', '<w:p>', '"']
const odd = [
  '\u0000',
  '&a ',
  '*a',
  '|',
  '---\n',
  '%',
  '\ufeff',
  '\u202e',
  '&#x110000;',
  '<![CDATA[',
  ']]>',
  '"',
  '`',
  '\r',
  '\\',
  'endobj',
  'stream\n',
  '/Length 1',
  ',,',
  '💥',
]
const huge = ['99999999999999999999', '-1', '4294967295', '2147483648', '1e308', '0', 'NaN']
const aliasBomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((key, at) => `${key}: &${key} [${`*${'abcdefghi'[at]},`.repeat(9)}]\n`).join('')}`

type Mutation = (bytes: Buffer, random: Random) => Buffer

const mutations: readonly Mutation[] = [
  flipBits,
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => splice(bytes, random, Buffer.alloc(0)),
  (bytes, random) => splice(bytes, random, { added: piece(bytes, random, 200) }),
  (bytes, random) =>
    splice(bytes, random, { added: Buffer.concat(Array.from({ length: 50 }, () => piece(bytes, random, 40))) }),
  (bytes, random) => splice(bytes, random, Buffer.from(random.pick(odd))),
  (bytes, random) => splice(bytes, random, { added: Buffer.from(random.pick(deep).repeat(10 ** (1 + random.int(5)))) }),
  replaceNumber,
  (bytes, random) =>
    splice(bytes, random, Buffer.from(Array.from({ length: 1 + random.int(64) }, () => random.int(256)))),
  (bytes, random) => splice(bytes, random, Buffer.from('ffffffffffffff7f', 'hex').subarray(0, 1 + random.int(8))),
]

/** The bytes after one to four mutations; pieces of the other inputs may be spliced in. */
export function mutate(original: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Buffer = Buffer.from(original)
  for (let count = 1 + random.int(4); count > 0; count--) {
    const isForeign = random.int(8) === 0
    bytes = isForeign
      ? splice(bytes, random, { added: piece(Buffer.from(random.pick(others)), random, 2000) })
      : random.int(200) === 0
        ? Buffer.concat([bytes, Buffer.from(aliasBomb)])
        : random.pick(mutations)(bytes, random)
  }
  return new Uint8Array(bytes)
}

/** A zip archive whose members' contents were mutated, so that the parser behind the archive meets them. */
export function mutateMembers(archive: Uint8Array, random: Random): Uint8Array {
  const members = listZip(archive) ?? []
  const target = random.int(Math.max(1, members.length))
  const contents = members.map(({ name, start, packedBytes }, at) => {
    const content = inflateRawSync(archive.subarray(start, start + packedBytes))
    return { name, content: at === target ? Buffer.from(mutate(content, [content], random)) : content }
  })
  return new Uint8Array(writeZip(contents))
}

function flipBits(bytes: Buffer, random: Random): Buffer {
  const flipped = Buffer.from(bytes)
  for (let count = 1 + random.int(16); count > 0 && flipped.length > 0; count--) {
    const at = random.int(flipped.length)
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random.int(8))
  }
  return flipped
}

/** Puts bytes in at some place, instead of a few or, when they are `added`, between. */
function splice(bytes: Buffer, random: Random, given: Buffer | { added: Buffer }): Buffer {
  const at = random.int(bytes.length + 1)
  const inserted = 'added' in given ? given.added : given
  const removed = 'added' in given ? 0 : random.int(30)
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)])
}

function piece(bytes: Buffer, random: Random, longest: number): Buffer {
  const at = random.int(bytes.length + 1)
  return bytes.subarray(at, at + 1 + random.int(longest))
}

/** One of the numbers written in the text becomes another. */
function replaceNumber(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString('latin1')
  const numbers = [...text.matchAll(/\d+/g)]
  if (numbers.length === 0) return bytes
  const { index, 0: number } = random.pick(numbers)
  return Buffer.from(text.slice(0, index) + random.pick(huge) + text.slice(index + number.length), 'latin1')
}
