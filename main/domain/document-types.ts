// What kind of file a document is, by its first bytes and its name. Refuses what is no document, and a name that promises something
// else than the bytes are, with the reason and what to do.

import { AppError } from '../contract/errors.ts'
import type { DocumentType } from '../contract/taxonomy.ts'

/** Largest file of each kind; a longer one is refused before it is read. */
export const maxDocumentBytes: Record<DocumentType, number> = {
  markdown: 20 << 20,
  text: 20 << 20,
  html: 20 << 20,
  csv: 20 << 20,
  docx: 100 << 20,
  pdf: 100 << 20,
}
/** Markdown made from a file may be as long as a Markdown file. */
export const maxMarkdownBytes = maxDocumentBytes.markdown

const endings: Record<string, DocumentType> = {
  md: 'markdown',
  markdown: 'markdown',
  txt: 'text',
  text: 'text',
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  csv: 'csv',
  tsv: 'csv',
  docx: 'docx',
  pdf: 'pdf',
}

/** Beginnings of files that people mistake for documents. */
const foreign: readonly { bytes: readonly number[]; what: string; remedy: string }[] = [
  { bytes: [0x1f, 0x8b], what: 'a gzip archive', remedy: 'Unpack it, then add the file inside it.' },
  { bytes: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG picture', remedy: 'Choose a file with text in it.' },
  { bytes: [0xff, 0xd8, 0xff], what: 'a JPEG picture', remedy: 'Choose a file with text in it.' },
  { bytes: [0x47, 0x49, 0x46, 0x38], what: 'a GIF picture', remedy: 'Choose a file with text in it.' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], what: 'a program', remedy: 'Choose a file with text in it.' },
  { bytes: [0x47, 0x47, 0x55, 0x46], what: 'a GGUF model', remedy: 'Add it on the Models screen instead.' },
  { bytes: [0x7b, 0x5c, 0x72, 0x74, 0x66], what: 'a rich text (RTF) file', remedy: 'Save it as .docx, then add that.' },
]
const oldOffice = [0xd0, 0xcf, 0x11, 0xe0]
const zip = [0x50, 0x4b]
const pdf = [0x25, 0x50, 0x44, 0x46]

/** The kind of a file. @throws AppError `bad-document` */
export function documentTypeOf(name: string, bytes: Uint8Array): DocumentType {
  const ending = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  const promised = endings[ending]
  if (begins(bytes, oldOffice)) throw oldOfficeFile(name, bytes)
  if (begins(bytes, zip) && (bytes[2] === 3 || bytes[2] === 5)) return agree(name, 'docx', promised)
  // A PDF may have a little rubbish in front.
  if (indexOfBytes(bytes.subarray(0, 1024), pdf) >= 0) return agree(name, 'pdf', promised)
  const found = foreign.find(({ bytes: start }) => begins(bytes, start))
  if (found) throw badDocument(`"${name}" is ${found.what}, not a document.`, found.remedy)
  if (promised === 'pdf' || promised === 'docx') {
    const what = promised === 'pdf' ? 'a PDF' : 'a Word file'
    throw badDocument(
      bytes.length === 0 ? `"${name}" is empty.` : `"${name}" is not ${what}, whatever its name says.`,
      bytes.length === 0
        ? 'Choose a file with text in it.'
        : 'Give it the ending of what it is (.txt, .md, .html, .csv), or copy the file again: it may have been damaged.',
    )
  }
  const head = new TextDecoder().decode(bytes.subarray(0, 512)).trimStart().toLowerCase()
  return promised ?? (/^(<!doctype html|<html)/.test(head) ? 'html' : 'text')
}

/** A Word file or PDF under another name is what its bytes say only where the name promises nothing. */
function agree(name: string, found: 'pdf' | 'docx', promised: DocumentType | undefined): DocumentType {
  if (promised === found || promised === undefined) return found
  const what = found === 'pdf' ? 'a PDF' : 'a zip archive or a Word file'
  throw badDocument(`"${name}" is ${what}, not ${promised}.`, `Give it the ending .${found}, then add it again.`)
}

function oldOfficeFile(name: string, bytes: Uint8Array): AppError {
  const isLocked =
    indexOfBytes(
      bytes,
      [...'EncryptedPackage'].flatMap((letter) => [letter.charCodeAt(0), 0]),
    ) >= 0
  return isLocked
    ? badDocument(`"${name}" is protected by a password.`, 'Save it in its own program without one, then add it again.')
    : badDocument(
        `"${name}" is an old Word, Excel or PowerPoint file.`,
        'Open it in its own program, save it as .docx (or .csv), then add that.',
      )
}

/** Where a byte sequence begins; -1 when it does not occur. */
export function indexOfBytes(bytes: Uint8Array, wanted: readonly number[]): number {
  for (let at = bytes.indexOf(wanted[0] ?? 0); at >= 0; at = bytes.indexOf(wanted[0] ?? 0, at + 1)) {
    if (wanted.every((byte, offset) => bytes[at + offset] === byte)) return at
  }
  return -1
}

function begins(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte)
}

export function badDocument(message: string, remedy: string, cause?: unknown): AppError {
  return new AppError({ code: 'bad-document', message, remedy }, { cause })
}
