// The members of a zip archive by its central directory. Trusts nothing in it: a listing that leads out of the file is none.

export interface ZipEntry {
  name: string
  isEncrypted: boolean
  isDeflated: boolean
  /** Where its bytes stand in the archive. */
  start: number
  packedBytes: number
}

const endMark = 0x06054b50
const entryMark = 0x02014b50
const longestComment = 0xffff

/** The listing; null when the archive has no end or lists what it does not hold. */
export function listZip(bytes: Uint8Array): ZipEntry[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = findEnd(view)
  if (end === null) return null
  const count = view.getUint16(end + 10, true)
  let at = view.getUint32(end + 16, true)
  const entries: ZipEntry[] = []
  for (let number = 0; number < count; number++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== entryMark) return null
    const nameLength = view.getUint16(at + 28, true)
    const header = view.getUint32(at + 42, true)
    if (header + 30 > bytes.length) return null
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      isEncrypted: (view.getUint16(at + 8, true) & 1) === 1,
      isDeflated: view.getUint16(at + 10, true) === 8,
      start: header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true),
      packedBytes: view.getUint32(at + 20, true),
    })
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  return entries.every(({ start, packedBytes }) => start + packedBytes <= bytes.length) ? entries : null
}

function findEnd(view: DataView): number | null {
  const from = view.byteLength - 22
  for (let at = from; at >= Math.max(0, from - longestComment); at--)
    if (view.getUint32(at, true) === endMark) return at
  return null
}
