import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LeafPath } from '../../main/contract/ids.ts'
import { AppError } from '../../main/contract/errors.ts'
import type { ImportOutcome } from '../../main/contract/taxonomy.ts'
import { branchOf } from '../../main/domain/leaf-path.ts'
import { readQna } from '../../main/domain/qna.ts'
import { listPublicRows } from '../../main/store/taxonomy.ts'
import { knowledge, pairs, skill } from '../support/qna-texts.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let folder: string
beforeEach(async () => {
  engine = await createTestEngine()
  await engine.call('project.create', { name: 'Import' })
  folder = mkdtempSync(join(tmpdir(), 'labdesk-taxonomy-'))
})
afterEach(async () => {
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), content)
}
const filesBelow = (root: string) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
/** `outcome path` with errors as `line:column field`. */
const told = (outcomes: readonly ImportOutcome[]) =>
  outcomes.map(({ path, outcome, problems }) => {
    const errors = problems.filter(({ severity }) => severity === 'error')
    return [
      relative(folder, path),
      outcome,
      ...errors.map(({ line, column, field }) => `${line}:${column} ${field}`),
    ].join(' ')
  })
const skills = 'compositional_skills'

describe('taxonomy.import', () => {
  it('ends every file as valid, upgraded or refused, and no bad one stops the next', async () => {
    put(`${skills}/a/qna.yaml`, skill())
    put(`${skills}/b/qna.yaml`, skill(pairs(5), ''))
    put(`${skills}/c/qna.yaml`, skill().replace('A1.', '7'))
    put(`${skills}/d/qna.yaml`, 'seed_examples: "\n')
    put(`${skills}/e/qna.yaml`, Buffer.from('created_by: Zo\xeb', 'latin1'))
    put(`${skills}/f/qna.yaml`, '')
    put(`${skills}/g/qna.yml`, skill())
    put(`${skills}/h/qna.yaml`, `#${'x'.repeat(1_100_000)}`)
    put('elsewhere/qna.yaml', skill())
    put(`${skills}/i/qna.yaml`, `#${'x'.repeat(4_100_000)}`)
    put(`${skills}/j/qna.yaml`, skill())
    put(`${skills}/j/attribution.txt`, Buffer.from('Creator names: Zo\xeb', 'latin1'))
    put(`${skills}/z/qna.yaml`, skill())
    const outcomes = await engine.call('taxonomy.import', { folder })
    expect(told(outcomes)).toEqual([
      `${skills}/a/qna.yaml valid`,
      `${skills}/b/qna.yaml upgraded`,
      `${skills}/c/qna.yaml refused 8:11 seed_examples[1].answer`,
      `${skills}/d/qna.yaml refused 2:1 `,
      `${skills}/e/qna.yaml refused 1:1 `,
      `${skills}/f/qna.yaml refused 1:1 `,
      `${skills}/g/qna.yml refused 1:1 `,
      `${skills}/h/qna.yaml refused 1:1 `,
      `${skills}/i/qna.yaml refused 1:1 `,
      `${skills}/j/qna.yaml refused 1:1 `,
      `${skills}/z/qna.yaml valid`,
      'elsewhere/qna.yaml refused 1:1 ',
    ])
    expect(outcomes.find(({ path }) => path.includes('/j/'))?.problems[0]?.message).toBe(
      'attribution.txt is not in UTF-8.',
    )
    for (const { problems } of outcomes) for (const { remedy } of problems) expect(remedy.length).toBeGreaterThan(10)
    expect((await engine.call('taxonomy.list', {})).map(({ path }) => path)).toEqual(
      ['a', 'b', 'z'].map((name) => `${skills}/${name}`),
    )
  })
  it('takes any part of a taxonomy', async () => {
    put(`${skills}/writing/poems/qna.yaml`, skill())
    for (const part of [folder, join(folder, skills), join(folder, skills, 'writing/poems')]) {
      const [outcome] = await engine.call('taxonomy.import', { folder: part })
      expect(outcome?.leaf).toBe(`${skills}/writing/poems`)
    }
    expect(await engine.call('taxonomy.list', {})).toMatchObject([
      { persona: 'creative', language: 'en', seedCount: 5 },
    ])
  })
  it('warns of folders that are not in lower_snake_case and still takes them', async () => {
    put(`${skills}/My Poems/qna.yaml`, skill())
    const [outcome] = await engine.call('taxonomy.import', { folder })
    expect(outcome).toMatchObject({ outcome: 'valid', leaf: `${skills}/My Poems` })
    expect(outcome?.problems).toContainEqual(expect.objectContaining({ severity: 'warning', field: 'path' }))
  })
  it('refuses links that lead out of the folder and never walks in circles', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'labdesk-outside-'))
    writeFileSync(join(outside, 'qna.yaml'), skill())
    put(`${skills}/a/qna.yaml`, skill())
    mkdirSync(join(folder, skills, 'b'))
    symlinkSync(join(outside, 'qna.yaml'), join(folder, skills, 'b/qna.yaml'))
    symlinkSync(outside, join(folder, skills, 'c'))
    symlinkSync(folder, join(folder, skills, 'circle'))
    symlinkSync('nowhere', join(folder, skills, 'broken'))
    const outcomes = await engine.call('taxonomy.import', { folder })
    expect(told(outcomes).sort()).toEqual([
      `${skills}/a/qna.yaml valid`,
      `${skills}/b/qna.yaml refused 1:1 `,
      `${skills}/broken refused 1:1 `,
      `${skills}/c refused 1:1 `,
    ])
    rmSync(outside, { recursive: true })
  })
  it('says so when there is no folder, or nothing to import in it', async () => {
    await expect(engine.call('taxonomy.import', { folder: join(folder, 'none') })).rejects.toMatchObject({
      code: 'not-found',
    })
    await expect(engine.call('taxonomy.import', { folder })).rejects.toMatchObject({ code: 'bad-input' })
  })
  it('keeps what the user chose by hand when a leaf is imported again', async () => {
    put(`${skills}/a/qna.yaml`, skill())
    await engine.call('taxonomy.import', { folder })
    const leaf = await engine.call('taxonomy.leaf', { leaf: `${skills}/a` as LeafPath })
    await engine.call('taxonomy.save', { ...leaf, persona: 'creative', language: 'ja' })
    await engine.call('taxonomy.import', { folder })
    const again = await engine.call('taxonomy.leaf', { leaf: leaf.path })
    expect(again).toMatchObject({ persona: 'creative', language: 'ja', sourceText: skill() })
    expect(again.seeds).toEqual(leaf.seeds)
  })
  it('takes the public dataset of a foundational leaf, in any usual form', async () => {
    const rows = [
      { question: 'Q?', answer: 'A <<1+1=2>>2\n#### 2' },
      { user: 'U', assistant: 'B', system: 'S' },
      {
        messages: [
          { role: 'system', content: 'S' },
          { role: 'user', content: 'U' },
          { role: 'assistant', content: 'C' },
        ],
      },
      { instruction: 'I', input: 'X', output: 'D' },
    ]
    const lines = rows.map((row) => JSON.stringify(row))
    put('foundational_skills/math/qna.yaml', skill())
    put('foundational_skills/math/dataset.jsonl', `${lines.join('\n')}\nnot json\n{"question": "only"}\n`)
    const [outcome] = await engine.call('taxonomy.import', { folder })
    expect(outcome?.problems.filter(({ field }) => field === 'dataset.jsonl').map(({ line }) => line)).toEqual([5, 6])
    expect(await engine.call('taxonomy.list', {})).toMatchObject([{ datasetRowCount: 4 }])
    expect(listPublicRows(engine.lab.project().db, 'foundational_skills/math' as LeafPath)).toEqual([
      { row: 0, system: '', context: '', question: 'Q?', answer: 'A 2\n#### 2' },
      { row: 1, system: 'S', context: '', question: 'U', answer: 'B' },
      { row: 2, system: 'S', context: '', question: 'U', answer: 'C' },
      { row: 3, system: '', context: 'X', question: 'I', answer: 'D' },
    ])
  })

  it('says of a leaf whose import was cut short that it was, until it is imported again', async () => {
    put('foundational_skills/math/qna.yaml', skill())
    const rows = Array.from({ length: 500 }, (_, at) => JSON.stringify({ question: `Q${at}?`, answer: `A${at}` }))
    put('foundational_skills/math/dataset.jsonl', rows.join('\n'))
    const { db } = engine.lab.project()
    db.exec(`create trigger no_room before insert on public_rows
      when new.row >= 300 begin select raise(abort, 'no room'); end`)
    await expect(engine.call('taxonomy.import', { folder })).rejects.toBeInstanceOf(AppError)
    const shortened = async () =>
      (await engine.call('taxonomy.list', {}))[0]?.problems.filter(({ message }) => message.includes('cut short'))
    expect(await shortened()).toHaveLength(1)
    db.exec('drop trigger no_room')
    await engine.call('taxonomy.import', { folder })
    expect(await shortened()).toEqual([])
    expect(await engine.call('taxonomy.list', {})).toMatchObject([{ datasetRowCount: 500 }])
  })
})

describe('documents of imported knowledge', () => {
  const documentsOf = async (files: Record<string, string | Uint8Array>, leaf = 'knowledge/nature/tit') => {
    put(`taxonomy/${leaf}/qna.yaml`, knowledge())
    mkdirSync(join(folder, 'texts'), { recursive: true })
    for (const [path, content] of Object.entries(files)) put(`texts/${path}`, content)
    const outcomes = await engine.call('taxonomy.import', {
      folder: join(folder, 'taxonomy'),
      documentsFolder: join(folder, 'texts'),
    })
    const documents = await engine.call('document.list', {})
    return { names: documents.map(({ name }) => name), problems: outcomes[0]?.problems ?? [], documents }
  }
  it('are found by pattern, and cut', async () => {
    const { names, documents } = await documentsOf({
      'deep/birds.md': `# Birds\n\n${'A bird sings. '.repeat(400)}`,
      'other.md': 'x',
    })
    expect(names).toEqual(['birds.md'])
    expect(documents[0]?.chunkCount).toBeGreaterThan(1)
    const chunks = await engine.call('document.chunks', { documentId: documents[0]!.id, tokens: 100 })
    expect(chunks.length).toBeGreaterThan(documents[0]!.chunkCount)
    expect(Math.max(...chunks.map(({ tokenCount }) => tokenCount))).toBeLessThanOrEqual(100)
    const { text } = await engine.call('document.text', { documentId: documents[0]!.id })
    for (const chunk of chunks) expect(text).toContain(chunk.text)
  })
  it('are found in a folder of the leaf, and by the name of the leaf', async () => {
    expect((await documentsOf({ 'tit/one.txt': 'one', 'tit/two.txt': 'two' })).names).toEqual(['one.txt', 'two.txt'])
  })
  it('are told about when they are missing or no text, and the leaf is taken all the same', async () => {
    const missing = await documentsOf({ 'else.md': 'x' })
    expect(missing.problems).toContainEqual(
      expect.objectContaining({ severity: 'warning', field: 'document.patterns' }),
    )
    const binary = await documentsOf({ 'birds.md': Buffer.from('%PDF-1.4') })
    expect(binary.problems.find(({ message }) => message.includes('PDF'))?.remedy).toContain('ending .pdf')
    expect(await engine.call('taxonomy.list', {})).toHaveLength(1)
  })
})

const shared = join(import.meta.dirname, '../../../shared/data')
const isThere = existsSync(join(shared, 'instructlab-taxonomy'))
if (!isThere) console.log(`skipped: no InstructLab taxonomy at ${shared}`)
describe.runIf(isThere)("InstructLab's own taxonomy", () => {
  const root = realpathSync(join(shared, 'instructlab-taxonomy'))
  it('imports every file, finds both documents, and exports every file byte for byte, old ones with the number of version 3', async () => {
    const outcomes = await engine.call('taxonomy.import', { folder: root, documentsFolder: join(shared, 'documents') })
    const sources = filesBelow(root).filter((path) => path.endsWith('qna.yaml'))
    expect(outcomes.map(({ path }) => relative(root, path)).sort()).toEqual(sources)
    expect(sources).toHaveLength(16)
    for (const { outcome, problems } of outcomes) {
      expect(outcome).not.toBe('refused')
      for (const { line, message, remedy } of problems)
        expect(Math.min(line, message.length, remedy.length)).toBeGreaterThan(0)
    }
    const documents = await engine.call('document.list', {})
    expect(documents.map(({ name }) => name).sort()).toEqual(['chickadee.md', 'swifties.md'])
    for (const { name, id, chunkCount } of documents) {
      expect(chunkCount).toBeGreaterThan(10)
      const { text } = await engine.call('document.text', { documentId: id })
      expect(text).toBe(readFileSync(join(shared, 'documents', name), 'utf8'))
    }

    await engine.call('taxonomy.export', { folder })
    for (const { path, outcome } of outcomes) {
      const name = relative(root, path)
      const written = readFileSync(join(folder, name))
      const original = readFileSync(path)
      if (outcome === 'valid') expect(written.equals(original), name).toBe(true)
      else {
        expect(written.toString().replace('version: 3\n', ''), name).toBe(original.toString())
        expect(readQna(written.toString(), branchOf(name)!)).toMatchObject({
          outcome: 'valid',
          content: { version: 3 },
        })
      }
    }
    for (const name of filesBelow(root).filter((path) => path.endsWith('attribution.txt')))
      expect(readFileSync(join(folder, name)).equals(readFileSync(join(root, name)))).toBe(true)
  })
  it('imports its own export to the same leaves, seeds and documents', async () => {
    await engine.call('taxonomy.import', { folder: root, documentsFolder: join(shared, 'documents') })
    const everything = async () => {
      const leaves = await engine.call('taxonomy.list', {})
      return Promise.all(
        leaves.map(async ({ path }) => {
          const leaf = await engine.call('taxonomy.leaf', { leaf: path })
          return { path, seeds: leaf.seeds, documents: leaf.documents, task: leaf.taskDescription, domain: leaf.domain }
        }),
      )
    }
    const before = await everything()
    await engine.call('taxonomy.export', { folder })
    await engine.call('project.create', { name: 'Copy' })
    await engine.call('taxonomy.import', { folder, documentsFolder: join(folder, 'documents') })
    expect(await everything()).toEqual(before)
  })
})
