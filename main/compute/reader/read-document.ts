// One untrusted file to Markdown: finds out what it is and hands it to its reader. Whatever a parser throws leaves here as `bad-document`
// with a reason and a remedy.

import { AppError } from '../../contract/errors.ts'
import type { DocumentType } from '../../contract/taxonomy.ts'
import { checkDocumentText, decodeText } from '../../domain/documents.ts'
import { badDocument, documentTypeOf, maxDocumentBytes } from '../../domain/document-types.ts'
import type { ReadDocument } from '../document-messages.ts'

export type Progress = () => void
/** What a reader of one kind gives. */
export type ReadParts = Omit<ReadDocument, 'type' | 'pageStarts'> & { pageStarts?: number[] }

/** Reads a file. `onProgress` is told whenever a part is done. @throws AppError `bad-document` */
export async function readAnyDocument(name: string, bytes: Uint8Array, onProgress: Progress): Promise<ReadDocument> {
  const type = documentTypeOf(name, bytes)
  if (bytes.length > maxDocumentBytes[type]) {
    const limit = `${maxDocumentBytes[type] / 2 ** 20} MB`
    throw badDocument(`"${name}" is larger than ${limit}.`, `Split it into parts of at most ${limit} each.`)
  }
  try {
    const { text, notes, pageStarts = null } = await readAs(type, { name, bytes, onProgress })
    onProgress()
    return { type, text: checkDocumentText(name, text), pageStarts, notes }
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw explain(name, type, thrown)
  }
}

export interface Source {
  name: string
  bytes: Uint8Array
  onProgress: Progress
}

async function readAs(type: DocumentType, source: Source): Promise<ReadParts> {
  switch (type) {
    case 'markdown':
    case 'text':
      return readPlain(source)
    case 'html':
      return (await import('./read-html.ts')).readHtml(source)
    case 'docx':
      return (await import('./read-docx.ts')).readDocx(source)
    case 'csv':
      return (await import('./read-csv.ts')).readCsv(source)
    case 'pdf':
      return (await import('./read-pdf.ts')).readPdf(source)
  }
}

function readPlain({ name, bytes }: Source): ReadParts {
  const { text, guessed } = decodeText(name, bytes)
  return { text, notes: guessNote(guessed) }
}

/** Says that an encoding was guessed. */
export function guessNote(guessed: string | null): string[] {
  return guessed === null ? [] : [`The file does not say its encoding; it was read as ${guessed}. Check its letters.`]
}

const names: Record<DocumentType, string> = {
  markdown: 'Markdown',
  text: 'text',
  html: 'HTML',
  docx: 'a Word file',
  csv: 'CSV',
  pdf: 'a PDF',
}

function explain(name: string, type: DocumentType, thrown: unknown): AppError {
  const isTooDeep = thrown instanceof RangeError && /call stack|string length|array length/i.test(thrown.message)
  const message = isTooDeep
    ? `"${name}" is nested too deeply, or unpacks to far more than a document holds.`
    : `"${name}" cannot be read as ${names[type]}: it is damaged.`
  const remedy = 'Open it in its own program and save it again, or save its text as .txt or .md and add that.'
  const detail = thrown instanceof Error ? thrown.message.slice(0, 500) : String(thrown).slice(0, 500)
  return new AppError({ code: 'bad-document', message, remedy, detail }, { cause: thrown })
}
