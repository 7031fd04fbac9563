// PDFs with a text layer to Markdown. Only text is asked for: no picture is decoded, no script or font program of the file is run.
// Refuses what has no letters, what is locked, and what was cut short rather than reading a part of it.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { PDFPageProxy } from 'pdfjs-dist'
import type { TextItem } from 'pdfjs-dist/types/src/display/api.js'
import { AppError } from '../../contract/errors.ts'
import { badDocument, indexOfBytes } from '../../domain/document-types.ts'
import { pdfToMarkdown } from '../../domain/pdf-markdown.ts'
import type { PdfPage, PdfRun } from '../../domain/pdf-rows.ts'
import type { ReadParts, Source } from './read-document.ts'

const mostPages = 10_000
/** Letters of the whole file below which it counts as a scan. */
const fewestLetters = 20

export async function readPdf({ name, bytes, onProgress }: Source): Promise<ReadParts> {
  if (
    indexOfBytes(
      bytes.subarray(-65_536),
      [...'%%EOF'].map((letter) => letter.charCodeAt(0)),
    ) < 0
  )
    throw badDocument(
      `"${name}" is cut short: the end of the PDF is missing.`,
      'Copy or download it again, completely.',
    )
  const { getDocument, VerbosityLevel } = await import('pdfjs-dist/legacy/build/pdf.mjs')
  const folder = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'))
  onProgress()
  const task = getDocument({
    // A copy, since the library takes the bytes away; and no Buffer, which it refuses.
    data: new Uint8Array(bytes),
    verbosity: VerbosityLevel.ERRORS - 1,
    cMapUrl: `${join(folder, 'cmaps')}/`,
    cMapPacked: true,
    standardFontDataUrl: `${join(folder, 'standard_fonts')}/`,
    disableFontFace: true,
    useSystemFonts: false,
    useWasm: false,
    enableXfa: false,
  })
  try {
    const document = await task.promise
    if (document.numPages > mostPages)
      throw badDocument(
        `"${name}" has ${document.numPages} pages.`,
        `Split it into parts of at most ${mostPages} pages.`,
      )
    const pages: PdfPage[] = []
    for (let number = 1; number <= document.numPages; number++) {
      pages.push(await readPage(await document.getPage(number)))
      onProgress()
    }
    checkLetters(name, pages)
    return { ...pdfToMarkdown(pages, onProgress), notes: blankNote(pages) }
  } catch (thrown) {
    throw explain(name, thrown)
  } finally {
    await task.destroy()
  }
}

async function readPage(page: PDFPageProxy): Promise<PdfPage> {
  const { width, height, transform } = page.getViewport({ scale: 1 })
  const { items, styles } = await page.getTextContent()
  const runs = items.flatMap((item) => {
    if (!('str' in item)) return []
    const isMonospaced = styles[item.fontName]?.fontFamily === 'monospace'
    return toRun(item, transform).map((run) => ({ ...run, isMonospaced }))
  })
  page.cleanup()
  return { width, height, runs }
}

/** A run in the page's upright coordinates; text that stands aslant (marks across the page, labels at its edge) is left out. */
function toRun({ str, transform: own, width, fontName }: TextItem, view: readonly number[]): PdfRun[] {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = view
  const [oa = 1, ob = 0, oc = 0, od = 1, x = 0, y = 0] = own as number[]
  const along = [a * oa + c * ob, b * oa + d * ob] as const
  const up = [a * oc + c * od, b * oc + d * od] as const
  const size = Math.hypot(...up)
  const place = { x: a * x + c * y + e, y: b * x + d * y + f }
  const isUpright = along[0] > 0 && Math.abs(along[1]) < 0.05 * along[0]
  const isSane = [place.x, place.y, width, size].every((value) => Number.isFinite(value) && Math.abs(value) < 1e6)
  return isUpright && isSane ? [{ ...place, text: str.replace(/\u0000/g, ''), width, size, font: fontName }] : []
}

function checkLetters(name: string, pages: readonly PdfPage[]): void {
  const text = pages.map(({ runs }) => runs.map((run) => run.text).join('')).join('')
  const letters = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0
  if (letters < fewestLetters) {
    throw badDocument(
      `"${name}" has no text layer: its ${pages.length} ${pages.length === 1 ? 'page is a picture' : 'pages are pictures'}.`,
      'Run it through a text recognition (OCR) program such as ocrmypdf, then add the result.',
    )
  }
  const broken = text.match(/[\ufffd\p{Co}\p{Cc}]/gu)?.length ?? 0
  if (broken > text.length / 5) {
    throw badDocument(
      `The text layer of "${name}" has no readable letters: its fonts do not say which letters they show.`,
      'Run it through a text recognition (OCR) program such as ocrmypdf --force-ocr, then add the result.',
    )
  }
}

function blankNote(pages: readonly PdfPage[]): string[] {
  const blank = pages.flatMap(({ runs }, at) => (runs.some(({ text }) => text.trim() !== '') ? [] : [at + 1]))
  if (blank.length === 0) return []
  const shown = blank.length > 12 ? `${blank.slice(0, 12).join(', ')}…` : blank.join(', ')
  return [`Pages without text, perhaps pictures: ${shown}.`]
}

function explain(name: string, thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const { name: kind = '', message = '' } = thrown instanceof Error ? thrown : {}
  if (kind === 'PasswordException')
    return badDocument(
      `"${name}" is protected by a password.`,
      'Save a copy of it without a password, then add that.',
      thrown,
    )
  return new AppError(
    {
      code: 'bad-document',
      message: `"${name}" cannot be read as a PDF: it is damaged.`,
      remedy: 'Open it in a PDF program and print or save it as a new PDF, or copy the file again.',
      detail: `${kind}: ${message}`.slice(0, 500),
    },
    { cause: thrown },
  )
}
