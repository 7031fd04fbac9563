// Word files (.docx) to Markdown. The archive is measured before anything unpacks it: what a member claims to hold is not believed.

import { inflateRawSync } from 'node:zlib'
import mammoth from 'mammoth'
import { badDocument } from '../../domain/document-types.ts'
import { htmlToMarkdown } from './read-html.ts'
import type { ReadParts, Source } from './read-document.ts'
import { checkXml } from './xml-check.ts'
import { listZip, type ZipEntry } from './zip-listing.ts'

/** Bytes of XML a Word file may unpack to; a novel has about five million. */
const mostXmlBytes = 64 << 20
const mostMembers = 20_000

export async function readDocx({ name, bytes, onProgress }: Source): Promise<ReadParts> {
  const members = listZip(bytes)
  if (!members) {
    throw badDocument(
      `"${name}" is cut short: the end of the archive is missing.`,
      'Copy or download it again, completely.',
    )
  }
  checkMembers(name, members)
  for (const xml of unpackXml(name, bytes, members)) {
    checkXml(new TextDecoder().decode(xml))
    onProgress()
  }
  let pictureCount = 0
  const withoutPictures = mammoth.images.imgElement(() => {
    pictureCount++
    return Promise.resolve({ src: '' })
  })
  const transformDocument = <Node>(document: Node): Node => {
    onProgress()
    return document
  }
  const { value } = await mammoth.convertToHtml(
    { buffer: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) },
    { convertImage: withoutPictures, transformDocument, externalFileAccess: false },
  )
  onProgress()
  const text = htmlToMarkdown(value, onProgress)
  return { text, notes: pictureCount > 0 ? [`Pictures were left out: ${pictureCount}.`] : [] }
}

function checkMembers(name: string, members: readonly ZipEntry[]): void {
  const has = (start: string) => members.some((member) => member.name.startsWith(start))
  if (members.some(({ isEncrypted }) => isEncrypted))
    throw badDocument(
      `"${name}" is protected by a password.`,
      'Save it in its own program without one, then add it again.',
    )
  if (members.length > mostMembers)
    throw badDocument(`"${name}" is an archive of ${members.length} files, not a document.`, 'Choose a Word file.')
  if (has('word/document')) return
  const [what, remedy] = has('xl/')
    ? ['an Excel file', 'Save each sheet as .csv, then add those.']
    : has('ppt/')
      ? ['a PowerPoint file', 'Save it as a PDF or as an outline in .docx, then add that.']
      : has('META-INF/container.xml')
        ? ['an EPUB book', 'Convert it to .html or .docx, then add that.']
        : has('content.xml')
          ? ['an OpenDocument file', 'Save it as .docx in its own program, then add that.']
          : ['a zip archive', 'Unpack it, then add the files inside it.']
  throw badDocument(`"${name}" is ${what}, not a Word file.`, remedy)
}

/** Unpacks every XML member within the bound, only to look at it: the parser must never meet a bomb. */
function* unpackXml(name: string, bytes: Uint8Array, members: readonly ZipEntry[]): Generator<Uint8Array> {
  let left = mostXmlBytes
  for (const member of members.filter((one) => /\.(xml|rels)$/i.test(one.name))) {
    const packed = bytes.subarray(member.start, member.start + member.packedBytes)
    const xml = member.isDeflated ? inflate(packed, left) : packed
    if (xml === null || xml.length > left) {
      throw badDocument(
        `"${name}" was given up: it unpacks to more than ${mostXmlBytes / 2 ** 20} MB. Files made to do damage do this.`,
        'If you trust it, open it in Word, save the part you need as a new file, then add that.',
      )
    }
    left -= xml.length
    yield xml
  }
}

function inflate(packed: Uint8Array, limit: number): Uint8Array | null {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, limit) })
  } catch (thrown) {
    if (thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE') return null
    throw thrown
  }
}
