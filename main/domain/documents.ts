// Turns the bytes of a text file into the text of a document. UTF-8 and UTF-16 are read as such; another encoding is taken only where
// the text it gives can hardly be anything else, and then said. What is not text is refused with the reason and what to do.

import { badDocument, maxMarkdownBytes } from './document-types.ts'

export interface DecodedText {
  text: string
  /** The encoding, where it had to be guessed from the letters. */
  guessed: string | null
}

/** Text of a file. `declared` is the encoding it says it has. @throws AppError `bad-document` */
export function decodeText(name: string, bytes: Uint8Array, declared?: string): DecodedText {
  const marked = markedEncoding(bytes)
  for (const encoding of [marked, declared, marked ? undefined : 'utf-8']) {
    const text = encoding === undefined ? null : decodeAs(encoding, bytes)
    if (text !== null && !isUtf16Noise(text)) return { text: checkDocumentText(name, text), guessed: null }
  }
  const isBinary = bytes.subarray(0, 8192).includes(0)
  if (isBinary)
    throw badDocument(`"${name}" is not a text file.`, 'Choose a text, Markdown, HTML, CSV, Word or PDF file.')
  const guess = guessEncoding(bytes)
  if (guess) return { text: checkDocumentText(name, guess.text), guessed: guess.name }
  throw badDocument(
    `The letters of "${name}" cannot be read with certainty: it is not in UTF-8, and no other encoding fits.`,
    'Open it in an editor, save it with the encoding UTF-8, then add it again.',
  )
}

/** Text of a Markdown or plain text file. @throws AppError `bad-document` */
export function decodeDocument(name: string, bytes: Uint8Array): string {
  if (bytes.length > maxMarkdownBytes) throw tooLong(name)
  return decodeText(name, bytes).text
}

/** The text itself where it may become a document. Throws `bad-document` for blank text and for text with NUL characters in it. */
export function checkDocumentText(name: string, text: string): string {
  if (text.length > maxMarkdownBytes) throw tooLong(name)
  if (!/[\p{L}\p{N}\p{S}]/u.test(text))
    throw badDocument(`"${name}" is empty: it has no words in it.`, 'Choose a file with text in it.')
  if (text.includes('\u0000'))
    throw badDocument(`"${name}" is not a text file: it has NUL characters in it.`, 'Choose a Markdown or text file.')
  return text.toWellFormed()
}

function tooLong(name: string) {
  const limit = `${maxMarkdownBytes / 2 ** 20} MB`
  return badDocument(`"${name}" has more than ${limit} of text.`, `Split it into parts of at most ${limit} each.`)
}

function decodeAs(encoding: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch (thrown) {
    // TypeError: letters it cannot have. RangeError: no such encoding.
    if (thrown instanceof TypeError || thrown instanceof RangeError) return null
    throw thrown
  }
}

/** By mark; without one, by where the zero bytes of mostly Latin UTF-16 stand. */
function markedEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const looked = Math.min(bytes.length, 4096) & ~1
  let [evenZeros, oddZeros] = [0, 0]
  for (let at = 0; at < looked; at += 2) {
    if (bytes[at] === 0) evenZeros++
    if (bytes[at + 1] === 0) oddZeros++
  }
  if (looked >= 4 && evenZeros === 0 && oddZeros > looked / 4) return 'utf-16le'
  if (looked >= 4 && oddZeros === 0 && evenZeros > looked / 4) return 'utf-16be'
  return undefined
}

/** Any even number of bytes is UTF-16 of some kind; noise shows by what no text has. */
function isUtf16Noise(text: string): boolean {
  const sample = text.slice(0, 4096)
  const odd = sample.match(/[\u0000-\u0008\u000e-\u001f\p{Cn}\p{Co}]/gu)?.length ?? 0
  return odd > Math.max(1, sample.length / 50) && !sample.includes('\u0000')
}

/** Encodings that are told by their letters: those of Japanese by their kana, Western European ones by accented letters inside words. */
function guessEncoding(bytes: Uint8Array): { name: string; text: string } | null {
  if (bytes.includes(0x1b)) {
    const text = decodeAs('iso-2022-jp', bytes)
    if (text !== null && isJapanese(text)) return { name: 'ISO-2022-JP', text }
  }
  const japanese = (['shift_jis', 'euc-jp'] as const).flatMap((encoding) => {
    const text = decodeAs(encoding, bytes)
    return text !== null && isJapanese(text) ? [{ name: encoding === 'shift_jis' ? 'Shift_JIS' : 'EUC-JP', text }] : []
  })
  if (japanese.length === 1) return japanese[0] ?? null
  if (japanese.length > 1) return null
  const western = decodeAs('windows-1252', bytes)
  return western !== null && isWestern(western) ? { name: 'Latin-1 (Windows-1252)', text: western } : null
}

/** Of its letters beyond ASCII at least a fifth is hiragana or katakana, nearly all are Japanese, and half-width ones are rare. */
function isJapanese(text: string): boolean {
  const sample = text.slice(0, 200_000)
  const count = (pattern: RegExp) => sample.match(pattern)?.length ?? 0
  const beyond = count(/[^\u0000-\u007f]/g)
  const kana = count(/[\u3041-\u30fe]/g)
  const ours = count(/[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff5e\u2010-\u203f\u25a0-\u25ff\u00b7\u2190-\u22ff]/g)
  return beyond >= 4 && kana >= beyond / 5 && ours >= beyond * 0.9
}

/** One or two accented letters stand among plain ones, as in French or German; other scripts read as Latin-1 give long runs of them. */
function isWestern(text: string): boolean {
  const sample = text.slice(0, 200_000)
  const runs = sample.match(/[^\u0000-\u007f]+/g) ?? []
  const length = (parts: readonly string[]) => parts.reduce((sum, part) => sum + part.length, 0)
  const likely = runs.filter((run) => /^[À-ÖØ-öø-ÿŒœŠšŽžŸ]{0,2}$/.test(run.replace(westernMarks, '')))
  const letters = sample.match(/[A-Za-z]/g)?.length ?? 0
  return runs.length > 0 && letters >= 4 * length(runs) && length(likely) >= 0.9 * length(runs)
}
const westernMarks = /[«»“”‘’„–—…€§°©®·¿¡£²³µ½¼ªº\u00a0]/g
