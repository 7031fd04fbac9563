// Turns the bytes of a file into the text of a document. Refuses what is not text, with the reason and what to do; never guesses
// an 8-bit encoding, because a wrong guess would be taught.

import { AppError } from '../contract/errors.ts'

/** A document larger than this is refused; chunk it into parts. */
export const maxDocumentBytes = 20 * 1024 * 1024

/** Beginnings of files that people mistake for text. */
const signatures: readonly { bytes: readonly number[]; what: string; remedy: string }[] = [
  {
    bytes: [0x25, 0x50, 0x44, 0x46],
    what: 'a PDF',
    remedy: 'Convert it to Markdown or plain text, then add it again.',
  },
  {
    bytes: [0x50, 0x4b, 0x03, 0x04],
    what: 'a zip archive (or a Word, EPUB or spreadsheet file)',
    remedy: 'Open it in its own program, save it as plain text or Markdown, then add it again.',
  },
  {
    bytes: [0xd0, 0xcf, 0x11, 0xe0],
    what: 'an old Word, Excel or PowerPoint file',
    remedy: 'Open it in its own program, save it as plain text, then add it again.',
  },
  { bytes: [0x1f, 0x8b], what: 'a gzip archive', remedy: 'Unpack it, then add the text file inside it.' },
  { bytes: [0x89, 0x50, 0x4e, 0x47], what: 'a PNG picture', remedy: 'Choose a Markdown or text file.' },
  { bytes: [0xff, 0xd8, 0xff], what: 'a JPEG picture', remedy: 'Choose a Markdown or text file.' },
  { bytes: [0x47, 0x49, 0x46, 0x38], what: 'a GIF picture', remedy: 'Choose a Markdown or text file.' },
  { bytes: [0x7f, 0x45, 0x4c, 0x46], what: 'a program', remedy: 'Choose a Markdown or text file.' },
  { bytes: [0x47, 0x47, 0x55, 0x46], what: 'a GGUF model', remedy: 'Add it on the Models screen instead.' },
]

/** Text of a Markdown or plain text file: UTF-8, or UTF-16 with or without its mark. Throws `bad-document`. */
export function decodeDocument(name: string, bytes: Uint8Array): string {
  if (bytes.length > maxDocumentBytes) {
    const limit = `${maxDocumentBytes / 1024 / 1024} MB`
    throw badDocument(
      `"${name}" is larger than ${limit}.`,
      `Split it into parts of at most ${limit}, then add them one by one.`,
    )
  }
  const known = signatures.find(({ bytes: start }) => start.every((byte, at) => bytes[at] === byte))
  if (known) throw badDocument(`"${name}" is ${known.what}, not text.`, known.remedy)
  return checkDocumentText(name, decode(name, bytes))
}

/** The text itself where it may become a document. Throws `bad-document` for blank text and for text with NUL characters in it. */
export function checkDocumentText(name: string, text: string): string {
  if (!/[\p{L}\p{N}\p{S}]/u.test(text)) {
    throw badDocument(`"${name}" is empty: it has no words in it.`, 'Choose a file with text in it.')
  }
  if (text.includes('\u0000')) {
    throw badDocument(`"${name}" is not a text file: it has NUL characters in it.`, 'Choose a Markdown or text file.')
  }
  return text.toWellFormed()
}

function decode(name: string, bytes: Uint8Array): string {
  const encoding = detectEncoding(bytes)
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    const isBinary = bytes.subarray(0, 8192).includes(0)
    throw badDocument(
      isBinary
        ? `"${name}" is not a text file.`
        : `"${name}" is not in UTF-8, so its letters cannot be read with certainty.`,
      isBinary
        ? 'Choose a Markdown or text file.'
        : 'Open it in an editor, save it with the encoding UTF-8, then add it again.',
      cause,
    )
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

/** By mark; without one, by where the zero bytes of mostly Latin UTF-16 stand. */
function detectEncoding(bytes: Uint8Array): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const looked = Math.min(bytes.length, 4096) & ~1
  let evenZeros = 0
  let oddZeros = 0
  for (let at = 0; at < looked; at += 2) {
    if (bytes[at] === 0) evenZeros++
    if (bytes[at + 1] === 0) oddZeros++
  }
  if (looked >= 4 && evenZeros === 0 && oddZeros > looked / 4) return 'utf-16le'
  if (looked >= 4 && oddZeros === 0 && evenZeros > looked / 4) return 'utf-16be'
  return 'utf-8'
}

function badDocument(message: string, remedy: string, cause?: unknown): AppError {
  return new AppError({ code: 'bad-document', message, remedy }, { cause })
}
