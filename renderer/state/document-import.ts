// Adds files to a leaf one after the other: by their path where the desktop knows it, else by sending them. One that is refused says why
// and does not stop the others.

import { maxUploadCharacters } from '../../main/contract/document-edits.ts'
import { AppError, type ErrorFrame, toAppError } from '../../main/contract/errors.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { DocumentSummary } from '../../main/contract/taxonomy.ts'
import type { EngineClient } from '../engine.ts'

/** What became of one file. */
export type FileOutcome =
  | { name: string; state: 'waiting' | 'reading' }
  | { name: string; state: 'added'; document: DocumentSummary }
  | { name: string; state: 'refused'; error: ErrorFrame }

/** Bytes of a file that can be sent in one call: base64 takes four characters for three. */
const maxSentBytes = Math.floor(maxUploadCharacters / 4) * 3

/** Adds the files; `onChange` is told after every step what became of each so far. */
export async function importFiles(
  engine: EngineClient,
  { leaf, files }: { leaf: LeafPath; files: readonly File[] },
  onChange: (outcomes: FileOutcome[]) => void,
): Promise<FileOutcome[]> {
  const outcomes: FileOutcome[] = files.map(({ name }) => ({ name, state: 'waiting' }))
  for (const [at, file] of files.entries()) {
    outcomes[at] = { name: file.name, state: 'reading' }
    onChange([...outcomes])
    outcomes[at] = await importFile(engine, leaf, file)
    onChange([...outcomes])
  }
  return outcomes
}

async function importFile(engine: EngineClient, leaf: LeafPath, file: File): Promise<FileOutcome> {
  const { name } = file
  try {
    const path = engine.bridge?.pathOf(file) ?? ''
    if (path === '') return { name, state: 'added', document: await sendFile(engine, leaf, file) }
    const { added, refused } = await engine.call('document.import', { leaf, paths: [path] })
    const [document] = added
    if (document) return { name, state: 'added', document }
    const { message = '', remedy = '' } = refused[0] ?? {}
    return { name, state: 'refused', error: { code: 'bad-document', message, remedy } }
  } catch (thrown) {
    return { name, state: 'refused', error: toAppError(thrown).toFrame() }
  }
}

async function sendFile(engine: EngineClient, leaf: LeafPath, file: File): Promise<DocumentSummary> {
  if (file.size > maxSentBytes) {
    throw new AppError({
      code: 'bad-document',
      message: `"${file.name}" is larger than ${Math.floor(maxSentBytes / 1e6)} MB, the most a browser sends.`,
      remedy: 'Add it by its path on the machine that runs Labdesk, or split it into parts.',
    })
  }
  return engine.call('document.upload', { leaf, name: file.name, base64: await toBase64(file) })
}

async function toBase64(file: File): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.onerror = () => reject(reader.error ?? new Error(file.name))
    reader.readAsDataURL(file)
  })
  return url.slice(url.indexOf(',') + 1)
}
