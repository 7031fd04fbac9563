// Finds the documents a knowledge leaf names by {repo, commit, patterns}: in a local clone, from exactly that commit; in a plain folder
// by pattern, with a notice that nothing vouches for the commit. Never follows a pattern or a link out of the folder.

import { basename, join } from 'node:path'
import { type ErrorCode, toAppError } from '../contract/errors.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { DocumentSource, QnaProblem, Severity } from '../contract/taxonomy.ts'
import { leavesFolder, matchDocuments, matchesFromRoot } from '../domain/document-match.ts'
import { decodeDocument } from '../domain/documents.ts'
import { largestDocument, type ReadFile, readBounded } from './documents.ts'
import { type FolderContents, walkFolder } from './folder-walk.ts'
import { findCommit, isRepository, listCommit, readBlobs, type TreeFile } from './git.ts'

/** Documents of one leaf at most; more are named and left out. */
const maxDocuments = 200

/** A document's text, and the file it was read from where that is not the text itself. */
export interface FoundDocument {
  name: string
  text: string
  file?: ReadFile
}
type ReadText = (name: string, bytes: Uint8Array) => Promise<Omit<FoundDocument, 'name'>>

export interface FoundDocuments {
  documents: FoundDocument[]
  problems: QnaProblem[]
}

/** A folder documents are looked up in: a clone, a folder of clones, or files. */
export class DocumentsFolder {
  readonly #folder: string
  readonly #read: ReadText
  #files: Promise<FolderContents> | null = null
  readonly #trees = new Map<string, Promise<TreeFile[]>>()

  /** `read`: how bytes become text; by default only texts are read. */
  constructor(folder: string, read: ReadText = readPlainText) {
    this.#folder = folder
    this.#read = read
  }

  /** Documents of a leaf; what is missing, unreadable or refused becomes a warning, never an error. */
  async find(path: LeafPath, source: DocumentSource): Promise<FoundDocuments> {
    const search = new Search(source, this.#read)
    for (const pattern of source.patterns.filter(leavesFolder))
      search.warn(`The pattern "${pattern}" leads out of the folder, so it was refused.`, 'Name files inside of it.')
    const clone = this.#cloneOf(source.repo)
    if (clone === null) await this.#findInFolder(search, path)
    else await this.#findInClone(search, clone)
    return search
  }

  /** The folder itself, or one in it that is called as the repository is. */
  #cloneOf(repo: string): string | null {
    if (isRepository(this.#folder)) return this.#folder
    const names = repo
      .replace(/[/\\]+$/, '')
      .replace(/\.git$/, '')
      .split(/[/:\\]+/)
    const [owner = '', name = ''] = names.slice(-2)
    if (![owner, name].every((part) => /^[\w.-]+$/.test(part) && part !== '..' && part !== '.')) return null
    const wanted = [name, `${name}.git`, join(owner, name), join(owner, `${name}.git`)]
    return wanted.map((way) => join(this.#folder, way)).find(isRepository) ?? null
  }

  async #findInClone(search: Search, clone: string): Promise<void> {
    const { commit, patterns } = search.source
    const found = /^[0-9a-f]{4,64}$/i.test(commit) ? await findCommit(clone, commit) : null
    if (found === null) {
      const message = `The commit "${commit}" is not in the clone ${clone}.`
      search.warn(message, 'Fetch it there, or correct the commit, then import again.')
      return
    }
    const key = `${clone} ${found}`
    const tree = this.#trees.get(key) ?? listCommit(clone, found)
    this.#trees.set(key, tree)
    const named = (await tree).filter(({ path }) => patterns.some((one) => matchesFromRoot(one, path.split('/'))))
    if (named.length === 0) search.warnMissing(`commit ${found.slice(0, 12)} of ${clone}`)
    const files = search.bounded(named).filter(({ path, kind, sizeBytes }) => {
      if (kind === 'link') search.warn(`"${path}" is a link, so it was refused.`, 'Name the file it leads to.')
      if (kind === 'file' && sizeBytes > largestDocument)
        search.warn(`"${path}" is larger than ${largestDocument / 1024 / 1024} MB.`, 'Split it into parts.')
      return kind === 'file' && sizeBytes <= largestDocument
    })
    for (const { path, blob } of files) {
      const bytes = (await readBlobs(clone, [blob])).get(blob)
      if (bytes) await search.add(basename(path), async () => bytes)
      else search.warn(`"${path}" is not in the clone.`, 'Fetch the whole repository, then import again.')
    }
  }

  async #findInFolder(search: Search, path: LeafPath): Promise<void> {
    const { root, files, refused } = await (this.#files ??= walkFolder(this.#folder))
    const found = search.bounded(matchDocuments({ path, patterns: search.source.patterns }, files))
    const links = refused.map((one) => ({ ...one, segments: one.path.slice(root.length + 1).split(/[/\\]/) }))
    for (const link of matchDocuments({ path, patterns: search.source.patterns }, links))
      search.warn(`"${link.path}": ${link.message}`, link.remedy)
    if (found.length === 0) search.warnMissing(root)
    for (const file of found)
      await search.add(file.segments.at(-1) ?? '', () => readBounded(file.path, largestDocument))
    if (search.documents.length > 0) {
      const message = `${root} is no clone, so it was not checked that the documents are those of commit ${search.source.commit}.`
      search.warn(message, 'Name a folder with a clone of the repository, if that matters.', 'hint')
    }
  }
}

class Search implements FoundDocuments {
  readonly documents: FoundDocument[] = []
  readonly problems: QnaProblem[] = []
  readonly source: DocumentSource
  readonly #read: ReadText

  constructor(source: DocumentSource, read: ReadText) {
    this.source = source
    this.#read = read
  }

  warn(message: string, remedy: string, severity: Severity = 'warning'): void {
    this.problems.push({ severity, line: 1, column: 1, field: 'document.patterns', message, remedy })
  }

  warnMissing(where: string): void {
    this.warn(
      `No document of this leaf (${this.source.patterns.join(', ')}) is in ${where}.`,
      'Put the files there and import again, or add them on the page of the leaf.',
    )
  }

  bounded<File>(files: readonly File[]): readonly File[] {
    if (files.length > maxDocuments)
      this.warn(`Only the first ${maxDocuments} of ${files.length} documents are taken.`, 'Name fewer in the patterns.')
    return files.slice(0, maxDocuments)
  }

  async add(name: string, read: () => Promise<Uint8Array>): Promise<void> {
    try {
      this.documents.push({ name, ...(await this.#read(name, await read())) })
    } catch (thrown) {
      const { code, message, remedy } = toAppError(thrown)
      if (!ofThisFile.includes(code)) throw thrown
      this.warn(message, remedy)
    }
  }
}
const ofThisFile: readonly ErrorCode[] = ['bad-document', 'file-access', 'not-found']

async function readPlainText(name: string, bytes: Uint8Array): Promise<{ text: string }> {
  return { text: decodeDocument(name, bytes) }
}
