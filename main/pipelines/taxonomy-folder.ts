// A folder of qna.yaml files as it was found on disk: which leaf each file is, what lies beside it, and their texts. Reads bounded
// amounts and refuses by name.

import { sep } from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { ImportOutcome } from '../contract/taxonomy.ts'
import { leafPathOf } from '../domain/leaf-path.ts'
import { fileProblem, maxQnaCharacters } from '../domain/qna-tree.ts'
import { readBounded } from './documents.ts'
import { type FoundFile, walkFolder } from './folder-walk.ts'

/** UTF-8 takes at most four bytes a character; the text's own limit is checked when it is read. */
const qnaLimit = {
  maxBytes: 4 * maxQnaCharacters,
  remedy: 'Keep five to fifteen seeds; put long texts into documents.',
}
/** Names people give the file; only the first is read, as InstructLab does. */
const qnaName = 'qna.yaml'
const almostQna = /^qna\.ya?ml$/i

export interface TaxonomyFolder {
  /** The chosen folder, links resolved. */
  root: string
  /** Files called qna.yaml, or almost so. */
  leaves: FoundFile[]
  /** What the walk refused. */
  refused: ImportOutcome[]
  /** The leaf a file is, or why it is none. */
  leafOf(file: FoundFile): LeafPath | ImportOutcome
  /** A file of that name in the same folder. */
  beside(file: FoundFile, name: string): FoundFile | undefined
}

/** Walks the folder. Throws `not-found`, and `bad-input` when there is nothing in it. */
export async function walkTaxonomy(folder: string): Promise<TaxonomyFolder> {
  const { root, files, refused } = await walkFolder(folder)
  const leaves = files.filter(({ segments }) => almostQna.test(segments.at(-1) ?? ''))
  if (leaves.length === 0 && refused.length === 0) {
    throw new AppError({
      code: 'bad-input',
      message: `There is no ${qnaName} in "${folder}" or below it.`,
      remedy: 'Choose the folder that holds knowledge, foundational_skills or compositional_skills.',
    })
  }
  const byPath = new Map(files.map((file) => [file.segments.join('/'), file]))
  return {
    root,
    leaves,
    refused: refused.map(({ path, ...why }) => refuse(path, why)),
    leafOf: (file) => leafOf(root, file),
    beside: (file, name) => byPath.get([...file.segments.slice(0, -1), name].join('/')),
  }
}

function leafOf(root: string, file: FoundFile): LeafPath | ImportOutcome {
  const name = file.segments.at(-1) ?? ''
  if (name !== qnaName) {
    const message = `The file is called "${name}".`
    return refuse(file.path, { message, remedy: `Rename it to "${qnaName}".` })
  }
  const path = leafPathOf(root.split(sep), file.segments.slice(0, -1))
  if (path !== null) return path
  const message = 'The file lies under no branch.'
  const remedy = 'Put its folder under knowledge, foundational_skills or compositional_skills.'
  return refuse(file.path, { message, remedy })
}

/** The outcome of a file that could not be read or has no place. */
export function refuse(path: string, { message, remedy }: { message: string; remedy: string }): ImportOutcome {
  return { path, outcome: 'refused', problems: [fileProblem(message, remedy)] }
}

/** Text of a qna.yaml or one of the small files beside it. Throws `bad-qna`. */
export function readQnaText(file: FoundFile): Promise<string> {
  return readText(file, qnaLimit)
}

/** Text of a file whose bytes come back when it is written again: UTF-8, its mark kept. Throws `bad-qna`. */
export async function readText(file: FoundFile, limit: { maxBytes: number; remedy: string }): Promise<string> {
  const name = file.segments.at(-1) ?? ''
  if (file.sizeBytes > limit.maxBytes) {
    const message = `${name} is larger than ${Math.floor(limit.maxBytes / 1_000_000)} MB.`
    throw new AppError({ code: 'bad-qna', message, remedy: limit.remedy })
  }
  const bytes = await readBounded(file.path, limit.maxBytes)
  return decodeText(name, bytes)
}

/** UTF-8 or nothing. Throws `bad-qna`. */
export function decodeText(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    const remedy = 'Open it in an editor, save it with the encoding UTF-8, then import it again.'
    throw new AppError({ code: 'bad-qna', message: `${name} is not in UTF-8.`, remedy }, { cause: thrown })
  }
}
