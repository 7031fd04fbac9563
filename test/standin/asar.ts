// Reads app.asar, which Node cannot: packed files are written out once, unpacked ones are linked to app.asar.unpacked.
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Entry {
  files?: Record<string, Entry>
  link?: string
  unpacked?: boolean
  size?: number
  offset?: string
  executable?: boolean
}

/** Unpacks an archive beside a link named app.asar.unpacked; returns the folder that stands for the archive. */
export function unpackAsar(archive: string): string {
  const { ino, mtimeMs, size } = statSync(archive)
  const base = join(tmpdir(), `standin-asar-${ino}-${Math.round(mtimeMs)}-${size}`)
  const folder = join(base, 'app.asar')
  if (existsSync(folder)) return folder
  const fresh = `${base}-${process.pid}`
  mkdirSync(fresh, { recursive: true })
  writeOut(archive, join(fresh, 'app.asar'))
  symlinkSync(`${archive}.unpacked`, join(fresh, 'app.asar.unpacked'))
  renameSync(fresh, base)
  return folder
}

/** Layout: two pickles (header size, header JSON), then the files' bytes at offsets counted from the header's end. */
function writeOut(archive: string, folder: string): void {
  const file = openSync(archive, 'r')
  const read = (length: number, at: number): Buffer => {
    const bytes = Buffer.alloc(length)
    readSync(file, bytes, 0, length, at)
    return bytes
  }
  const sizes = read(16, 0)
  const start = 8 + sizes.readUInt32LE(4)
  const header = JSON.parse(read(sizes.readUInt32LE(12), 16).toString()) as Entry
  const write = (entry: Entry, path: string): void => {
    const target = join(folder, path)
    if (entry.files) {
      mkdirSync(target, { recursive: true })
      for (const [name, one] of Object.entries(entry.files)) write(one, join(path, name))
    } else if (entry.link) symlinkSync(join(folder, entry.link), target)
    else if (entry.unpacked) symlinkSync(join(`${archive}.unpacked`, path), target)
    else
      writeFileSync(target, read(entry.size ?? 0, start + Number(entry.offset)), {
        mode: entry.executable ? 0o755 : 0o644,
      })
  }
  write(header, '')
  closeSync(file)
}
