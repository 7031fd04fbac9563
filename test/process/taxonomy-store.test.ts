import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { SeedDraft } from '../../main/contract/taxonomy.ts'
import { chunkDocument } from '../../main/domain/chunking.ts'
import {
  findDocument,
  listChunks,
  listDocuments,
  removeDocument,
  saveChunking,
  saveDocument,
} from '../../main/store/documents.ts'
import { hashLeaves } from '../../main/store/leaf-contents.ts'
import { allMigrations } from '../../main/store/migrations/all.ts'
import { type Database, openDatabase } from '../../main/store/open.ts'
import {
  findLeaf,
  type LeafContent,
  listLeaves,
  listPublicRows,
  listSeeds,
  removeLeaf,
  saveLeaf,
  savePublicRows,
} from '../../main/store/taxonomy.ts'

const path = 'compositional_skills/rhyme' as LeafPath
const seed = (question: string, context?: string): SeedDraft => ({
  question,
  answer: 'yes',
  ...(context && { context }),
})
const leafOf = (changes: Partial<LeafContent> = {}): LeafContent => ({
  path,
  branch: 'compositional_skills',
  taskDescription: 'Find a rhyme.',
  domain: '',
  documentOutline: '',
  createdBy: 'ada',
  persona: 'creative',
  language: 'en',
  documentSource: null,
  attribution: '',
  sourceText: null,
  isSourceCurrent: false,
  publicFileSha256: null,
  problems: [],
  seeds: [seed('one'), seed('two')],
  ...changes,
})

let folder: string
let db: Database
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-store-'))
  db = openDatabase(join(folder, 'project.sqlite'), allMigrations)
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('leaves and seeds', () => {
  it('reads back what was saved', () => {
    const content = leafOf({
      documentSource: { repo: 'https://example.org/r', commit: 'abc', patterns: ['*.md'] },
      attribution: 'Title of work: X\n',
      sourceText: 'version: 3\r\n',
      isSourceCurrent: true,
      problems: [{ severity: 'hint', line: 1, column: 2, field: 'seed_examples', message: 'm', remedy: 'r' }],
      seeds: [seed('one', 'given'), seed('two', 'given')],
    })
    saveLeaf(db, content, 5)
    expect(findLeaf(db, path)).toMatchObject({
      ...content,
      seeds: content.seeds,
      isGrounded: true,
      seedCount: 2,
      documentCount: 0,
    })
    expect(findLeaf(db, 'compositional_skills/none' as LeafPath)).toBeUndefined()
  })
  it('keeps the id of a seed whose words are unchanged, wherever it moves', () => {
    saveLeaf(db, leafOf(), 1)
    const [one, two] = listSeeds(db, path)
    saveLeaf(db, leafOf({ seeds: [seed('two'), seed('three'), seed('one')] }), 2)
    expect(listSeeds(db, path).map(({ id, question }) => [question, id])).toMatchObject([
      ['two', two?.id],
      ['three', expect.stringMatching(/^seed-/)],
      ['one', one?.id],
    ])
  })
  it('keeps the words of a seed that was edited away, for what was made from it', () => {
    saveLeaf(db, leafOf(), 1)
    const [one] = listSeeds(db, path)
    saveLeaf(db, leafOf({ seeds: [seed('other')] }), 2)
    expect(listSeeds(db, path)).toHaveLength(1)
    const kept = db.prepare('select question, answer from seeds where id = ?').get(one!.id)
    expect(kept).toEqual({ question: one!.question, answer: one!.answer })
  })
  it('keeps two seeds with the same words apart', () => {
    saveLeaf(db, leafOf({ seeds: [seed('same'), seed('same')] }), 1)
    expect(new Set(listSeeds(db, path).map(({ id }) => id)).size).toBe(2)
  })
  it('hides a removed leaf and brings it back with its old seeds when it is saved again', () => {
    saveLeaf(db, leafOf(), 1)
    const before = listSeeds(db, path)
    expect(removeLeaf(db, path, 2)).toBe(true)
    expect(removeLeaf(db, path, 3)).toBe(false)
    expect(listLeaves(db)).toEqual([])
    expect(findLeaf(db, path)).toBeUndefined()
    saveLeaf(db, leafOf(), 4)
    expect(listSeeds(db, path)).toEqual(before)
  })
  it('keeps the rows of a public dataset numbered from 0, batch after batch, and replaces them as a whole', () => {
    saveLeaf(db, leafOf(), 1)
    const row = (at: number) => ({ system: '', context: '', question: `q${at}`, answer: 'a' })
    const rows = Array.from({ length: 450 }, (_, at) => row(at))
    for (const from of [0, 200, 400]) savePublicRows(db, { leaf: path, from }, rows.slice(from, from + 200))
    expect(listPublicRows(db, path).map((kept) => [kept.row, kept.question])).toEqual(
      Array.from({ length: 450 }, (_, at) => [at, `q${at}`]),
    )
    savePublicRows(db, { leaf: path, from: 0 }, [row(7)])
    expect(listPublicRows(db, path)).toEqual([{ row: 0, ...row(7) }])
    expect(listLeaves(db)[0]?.datasetRowCount).toBe(1)
  })
})

describe('a project of an older version', () => {
  it('opens with its leaves and seeds as they were, free text and standing alone', () => {
    const old = openDatabase(
      join(folder, 'old.sqlite'),
      allMigrations.filter(({ number }) => number < 6),
    )
    old.exec(`insert into leaves values ('${path}', 'compositional_skills', 'Rhyme.', '', '', 'ada', 0, 'creative', 'en', null, '', null, 0,
      null, '[]', 1, 1, null);
      insert into seeds values ('seed-1', '${path}', 0, null, 'one', 'yes', null), ('seed-2', '${path}', 1, null, 'two', 'yes', null)`)
    old.close()
    const now = openDatabase(join(folder, 'old.sqlite'), allMigrations)
    const found = findLeaf(now, path)
    expect(found).toMatchObject({ answerFormat: 'text', taskDescription: 'Rhyme.' })
    expect(found?.seeds).toEqual([
      { id: 'seed-1', question: 'one', answer: 'yes' },
      { id: 'seed-2', question: 'two', answer: 'yes' },
    ])
    const hash = hashLeaves(now).get(path)
    saveLeaf(now, leafOf({ taskDescription: 'Rhyme.' }), 2)
    expect(hashLeaves(now).get(path)).toBe(hash)
    expect(listSeeds(now, path)).toEqual(found?.seeds)
    now.close()
  })
})

describe('documents and chunks', () => {
  const text = `# One\n\n${'Some words here. '.repeat(60)}\n\n# Two\n\n${'Other words there. '.repeat(60)}`
  const approximate = { tokenizer: 'approximate', maxTokens: 100 }
  const add = (name = 'a.md', sha256 = 'f00d') =>
    saveDocument(
      db,
      { leaf: path, name, type: 'markdown', sha256, sizeBytes: 9, original: null, pageStarts: null, notes: [] },
      1,
    )
  beforeEach(() => saveLeaf(db, leafOf(), 1))

  it('takes the same text in the same leaf for the same document', () => {
    expect(add('a.md')).toBe(add('b.md'))
    expect(add('c.md', 'beef')).not.toBe(add('b.md'))
    expect(listDocuments(db, path).map(({ name }) => name)).toEqual(['b.md', 'c.md'])
  })
  it('gives a piece the same chunk id however the document is cut', () => {
    const documentId = add()
    const chunks = chunkDocument(text, { maxTokens: 100 })
    saveChunking(db, { documentId, ...approximate }, chunks)
    saveChunking(db, { documentId, ...approximate }, chunks)
    saveChunking(db, { documentId, tokenizer: 'student', maxTokens: 100 }, chunks)
    const kept = listChunks(db, documentId, approximate)
    expect(kept.map((chunk) => chunk.text)).toEqual(chunks.map((chunk) => chunk.text))
    expect(kept.map(({ index, headings }) => [index, headings])).toEqual(chunks.map((c, at) => [at, c.headings]))
    expect(listChunks(db, documentId, { tokenizer: 'student', maxTokens: 100 })).toEqual(kept)
    expect(findDocument(db, documentId)?.chunkCount).toBe(chunks.length)
    expect(listChunks(db, documentId, { tokenizer: 'approximate', maxTokens: 99 })).toEqual([])
  })
  it('hides a removed document and those of a removed leaf, and still answers for them by id', () => {
    const documentId = add()
    saveChunking(db, { documentId, ...approximate }, chunkDocument(text, { maxTokens: 100 }))
    expect(removeDocument(db, documentId, 2)).toBe(true)
    expect(listDocuments(db)).toEqual([])
    expect(findDocument(db, documentId)?.name).toBe('a.md')
    expect(listChunks(db, documentId, approximate).length).toBeGreaterThan(0)
    add()
    expect(listDocuments(db)).toHaveLength(1)
    removeLeaf(db, path, 3)
    expect(listDocuments(db)).toEqual([])
  })
})
