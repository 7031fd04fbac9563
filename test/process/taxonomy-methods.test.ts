import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import type { DocumentId, LeafPath } from '../../main/contract/ids.ts'
import type { DocumentSummary } from '../../main/contract/taxonomy.ts'
import { readQna } from '../../main/domain/qna.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let folder: string
beforeEach(async () => {
  engine = await createTestEngine()
  await engine.call('project.create', { name: 'Leaves' })
  folder = mkdtempSync(join(tmpdir(), 'labdesk-leaves-'))
})
afterEach(async () => {
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const seeds = (count: number, context?: string) =>
  Array.from({ length: count }, (_, at) => ({ question: `Q${at}?`, answer: `A${at}.`, ...(context && { context }) }))
const skillPath = 'compositional_skills/rhymes' as LeafPath
const birdsPath = 'knowledge/birds' as LeafPath
const skillDraft: MethodInput<'taxonomy.save'> = {
  path: skillPath,
  branch: 'compositional_skills',
  taskDescription: 'Find a rhyme.',
  seeds: seeds(5),
}
const birdsDraft: MethodInput<'taxonomy.save'> = {
  path: birdsPath,
  branch: 'knowledge',
  domain: 'birds',
  documentOutline: 'All about birds.',
  seeds: seeds(3, 'Birds sing.'),
}

describe('taxonomy.save and taxonomy.check', () => {
  it('saves a leaf written by hand and gives its seeds ids', async () => {
    const leaf = await engine.call('taxonomy.save', skillDraft)
    expect(leaf).toMatchObject({ path: skillPath, seedCount: 5, isGrounded: false, sourceText: null, problems: [] })
    expect(new Set(leaf.seeds.map(({ id }) => id)).size).toBe(5)
    expect(engine.events).toContainEqual({ kind: 'changed', what: 'taxonomy' })
  })
  it('takes an empty context of a skill for none', async () => {
    const draft = { ...skillDraft, seeds: seeds(5).map((seed) => ({ ...seed, context: ' ' })) }
    expect(await engine.call('taxonomy.save', draft)).toMatchObject({ isGrounded: false })
  })
  it.each([
    ['a path outside the branches', { path: 'rhymes' }],
    ['a path that climbs', { path: 'compositional_skills/../../rhymes' }],
    ['a path of another branch', { path: 'knowledge/rhymes' }],
    ['no task', { taskDescription: ' ' }],
    ['no seeds', { seeds: [] }],
    ['the same seed twice', { seeds: [...seeds(5), ...seeds(1)] }],
    ['grounded and freeform seeds in one leaf', { seeds: [...seeds(5), ...seeds(1, 'C')] }],
  ])('refuses %s, with a remedy, and saves nothing', async (_, change) => {
    const draft = { ...skillDraft, ...change } as typeof skillDraft
    const problems = await engine.call('taxonomy.check', draft)
    expect(problems.some(({ severity }) => severity === 'error')).toBe(true)
    await expect(engine.call('taxonomy.save', draft)).rejects.toMatchObject({
      code: 'bad-qna',
      remedy: expect.stringMatching(/\w/),
    })
    expect(await engine.call('taxonomy.list', {})).toEqual([])
  })
  it('wants a context for every seed of knowledge', async () => {
    const draft = { ...birdsDraft, seeds: seeds(3) }
    expect((await engine.call('taxonomy.check', draft)).map(({ field }) => field)).toContain('seed_examples[0].context')
  })
  it('keeps an imported file as it was until its content changes', async () => {
    const text =
      '# mine\nversion: 3\ncreated_by: ada\ntask_description: Find a rhyme.\nseed_examples:\n- {question: Q0?, answer: A0.}\n'
    const path = join(folder, 'compositional_skills')
    writeFileSync(join(folder, 'qna.yaml'), text)
    await expect(engine.call('taxonomy.import', { folder })).resolves.toMatchObject([{ outcome: 'refused' }])
    mkdirSync(join(path, 'rhymes'), { recursive: true })
    writeFileSync(join(path, 'rhymes/qna.yaml'), text)
    await engine.call('taxonomy.import', { folder: path })
    const leaf = await engine.call('taxonomy.leaf', { leaf: skillPath })
    const untouched = await engine.call('taxonomy.save', { ...leaf, language: 'de' })
    expect(untouched).toMatchObject({ sourceText: text, language: 'de', problems: leaf.problems })
    const edited = await engine.call('taxonomy.save', { ...leaf, taskDescription: 'Find two rhymes.' })
    expect(edited.sourceText).toBeNull()
  })
})

describe('taxonomy.remove', () => {
  it('takes a leaf out, and saving it again brings back its documents', async () => {
    await engine.call('taxonomy.save', birdsDraft)
    await engine.call('document.add', { leaf: birdsPath, name: 'b.md', text: 'Birds sing.' })
    await engine.call('taxonomy.remove', { leaf: birdsPath })
    expect(await engine.call('taxonomy.list', {})).toEqual([])
    await expect(engine.call('taxonomy.leaf', { leaf: birdsPath })).rejects.toMatchObject({ code: 'not-found' })
    await expect(engine.call('taxonomy.remove', { leaf: birdsPath })).rejects.toMatchObject({ code: 'not-found' })
    expect(await engine.call('taxonomy.save', birdsDraft)).toMatchObject({ documentCount: 1 })
  })
})

describe('document.*', () => {
  beforeEach(() => engine.call('taxonomy.save', birdsDraft))
  const add = (text: string, name = 'birds.md') => engine.call('document.add', { leaf: birdsPath, name, text })

  it('adds a file, shows its text and chunks, and takes it away', async () => {
    writeFileSync(join(folder, 'notes.txt'), `\ufeff# Birds\r\n\r\n${'Birds sing. '.repeat(300)}`)
    const { added, refused } = await engine.call('document.import', {
      leaf: birdsPath,
      paths: [join(folder, 'notes.txt')],
    })
    const document = added[0] as DocumentSummary
    expect(refused).toEqual([])
    expect(document).toMatchObject({ name: 'notes.txt', leaf: birdsPath })
    const chunks = await engine.call('document.chunks', { documentId: document.id })
    expect(chunks).toHaveLength(document.chunkCount)
    expect(chunks[0]?.text.startsWith('# Birds\r\n')).toBe(true)
    expect(document).toMatchObject({ type: 'text', pageCount: null, notes: [] })
    await engine.call('document.remove', { documentId: document.id })
    expect(await engine.call('document.list', { leaf: birdsPath })).toEqual([])
    const { text } = await engine.call('document.text', { documentId: document.id })
    expect(text).toContain('Birds sing.')
  })
  it('keeps one copy of the same text in two leaves', async () => {
    await engine.call('taxonomy.save', { ...birdsDraft, path: 'knowledge/owls' as LeafPath })
    const one = await add('Same text.')
    const other = await engine.call('document.add', {
      leaf: 'knowledge/owls' as LeafPath,
      name: 'o.md',
      text: 'Same text.',
    })
    expect(one.sha256).toBe(other.sha256)
    expect(one.id).not.toBe(other.id)
  })
  it('refuses blank and binary documents, folders, skills and leaves that are not there', async () => {
    await expect(add(' \n')).rejects.toMatchObject({ code: 'bad-document' })
    writeFileSync(join(folder, 'a.pdf'), '%PDF-1.7')
    const load = (path: string, leaf = birdsPath) => engine.call('document.import', { leaf, paths: [path] })
    const refusal = async (path: string) => (await load(path)).refused[0]?.message
    expect(await refusal(join(folder, 'a.pdf'))).toMatch(/cut short/)
    expect(await refusal(folder)).toMatch(/not a file/)
    expect(await refusal(join(folder, 'none.md'))).toMatch(/not there/)
    await expect(load(join(folder, 'a.pdf'), 'knowledge/none' as LeafPath)).rejects.toMatchObject({ code: 'not-found' })
    await engine.call('taxonomy.save', skillDraft)
    await expect(load(join(folder, 'a.pdf'), skillPath)).rejects.toMatchObject({ code: 'bad-input' })
    await expect(engine.call('document.text', { documentId: 'document-none' as DocumentId })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
  it('never lets a name lead out of its folder', async () => {
    expect((await add('One.', '../../evil.md')).name).toBe('_.._evil.md')
    expect((await add('Two.', '..')).name).toBe('document')
  })
  it('notices a text that was changed or lost on disk, and a new import repairs it', async () => {
    const document = await add('Birds sing.')
    const kept = join(engine.lab.project().folder, 'documents', document.sha256)
    writeFileSync(kept, 'Birds bark.')
    await expect(engine.call('document.text', { documentId: document.id })).rejects.toMatchObject({
      code: 'bad-document',
    })
    rmSync(kept)
    await expect(engine.call('document.text', { documentId: document.id })).rejects.toMatchObject({
      code: 'bad-document',
    })
    await add('Birds sing.')
    expect(await engine.call('document.text', { documentId: document.id })).toEqual({ text: 'Birds sing.' })
  })
})

describe('taxonomy.export', () => {
  it('writes leaves made here as version 3 with their documents, and two of one name apart', async () => {
    await engine.call('taxonomy.save', skillDraft)
    await engine.call('taxonomy.save', birdsDraft)
    await engine.call('document.add', { leaf: birdsPath, name: 'b.md', text: 'One.' })
    await engine.call('document.add', { leaf: birdsPath, name: 'B.md', text: 'Two.' })
    const { files } = await engine.call('taxonomy.export', { folder })
    for (const { path, sizeBytes } of files) expect(readFileSync(path)).toHaveLength(sizeBytes)
    const qna = readQna(readFileSync(join(folder, birdsPath, 'qna.yaml'), 'utf8'), 'knowledge')
    expect(qna).toMatchObject({
      outcome: 'valid',
      content: { version: 3, createdBy: 'labdesk', documentSource: { repo: 'local' } },
    })
    const texts = qna.content!.documentSource!.patterns.map((name) =>
      readFileSync(join(folder, 'documents', birdsPath, name), 'utf8'),
    )
    expect(texts.sort()).toEqual(['One.', 'Two.'])
    expect(existsSync(join(folder, skillPath, 'attribution.txt'))).toBe(false)
  })
})
