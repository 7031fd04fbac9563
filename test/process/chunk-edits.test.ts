// Chunks as the user changes them: parted, joined, left out, taken back; at every size, and as generation reads them.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { DocumentSummary, PlacedChunk } from '../../main/contract/taxonomy.ts'
import { chunksOf } from '../../main/pipelines/chunks.ts'
import { linesAt, writePdf } from '../support/pdf-writer.ts'
import { writeDocx } from '../support/zip-writer.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

const leaf = 'knowledge/birds' as LeafPath
const seeds = Array.from({ length: 15 }, (_, at) => ({
  context: `Bird ${Math.floor(at / 3)} sings.`,
  question: `Which bird is it, ${at}?`,
  answer: 'It is a bird.',
}))
const draft: MethodInput<'taxonomy.save'> = {
  path: leaf,
  branch: 'knowledge',
  domain: 'birds',
  documentOutline: 'About birds',
  seeds,
}
const sentence = (at: number) => `Bird number ${at} lives in the wood and sings in the morning.`
const text = `# Birds\n\n${Array.from({ length: 40 }, (_, at) => sentence(at)).join('\n\n')}\n`

let engine: TestEngine
let folder = ''
let document: DocumentSummary
beforeEach(async () => {
  engine = await createTestEngine()
  folder = mkdtempSync(join(tmpdir(), 'labdesk-chunks-'))
  await engine.call('taxonomy.save', draft)
  document = await engine.call('document.add', { leaf, name: 'birds.md', text })
})
afterEach(async () => {
  await engine.dispose()
  rmSync(folder, { recursive: true, force: true })
})

const tokens = 100
const show = (size = tokens) => engine.call('document.chunks', { documentId: document.id, tokens: size })
const edit = (change: MethodInput<'document.edit'>['edit']) =>
  engine.call('document.edit', { documentId: document.id, tokens, edit: change })
const idsOf = (chunks: readonly PlacedChunk[]) => chunks.map(({ id }) => id)
const generated = (maxTokens = tokens) => chunksOf(engine.lab.project(), document.id, { maxTokens })

describe('edits of chunks', () => {
  test('joining two makes one, and leaves every other chunk its id', async () => {
    const before = await show()
    const after = await edit({ kind: 'join', at: before[2]?.start ?? 0 })
    expect(after).toHaveLength(before.length - 1)
    expect(after[1]?.text).toBe(text.slice(before[1]?.start, before[2]?.end))
    expect(idsOf(after).filter((id) => !idsOf(before).includes(id))).toHaveLength(1)
    expect(after.map(({ index }) => index)).toEqual(after.map((_, at) => at))
    expect((await engine.call('document.list', {}))[0]?.chunkCount).toBe(after.length)
  })

  test('parting one makes two that together say the same, with the headings above them', async () => {
    const before = await show()
    const chunk = before[1] as PlacedChunk
    const at = chunk.start + chunk.text.indexOf('\n\n') + 2
    const after = await edit({ kind: 'cut', at })
    expect(after.slice(1, 3).map(({ text: part }) => part)).toEqual([
      chunk.text.slice(0, at - chunk.start).trim(),
      chunk.text.slice(at - chunk.start),
    ])
    expect(after[2]?.headings).toEqual(['Birds'])
    expect(await edit({ kind: 'join', at })).toEqual(before)
  })

  test('what is left out is shown as such and not generated from, at any size', async () => {
    const before = await show()
    const { start, end } = before[1] as PlacedChunk
    const after = await edit({ kind: 'exclude', start, end })
    expect(after.map(({ isExcluded }) => isExcluded)).toEqual(before.map((_, at) => at === 1))
    for (const size of [tokens, 40, 2000]) {
      const made = await generated(size)
      expect(made.some((chunk) => chunk.start < end && chunk.end > start)).toBe(false)
      const whole = made.map((chunk) => chunk.text).join('\n\n')
      expect(whole).toContain(sentence(0))
      expect(whole).toContain(sentence(39))
    }
    expect((await edit({ kind: 'include', start, end })).some(({ isExcluded }) => isExcluded)).toBe(false)
    expect(await generated()).toHaveLength(before.length)
  })

  test('undo and redo walk along; a new edit ends what could be redone', async () => {
    const walk = (way: 'undo' | 'redo') => engine.call(`document.${way}`, { documentId: document.id, tokens })
    const before = await show()
    const joined = await edit({ kind: 'join', at: before[1]?.start ?? 0 })
    const twice = await edit({ kind: 'join', at: before[3]?.start ?? 0 })
    expect(await walk('undo')).toEqual(joined)
    expect(await walk('undo')).toEqual(before)
    expect(await walk('undo')).toEqual(before)
    expect(await walk('redo')).toEqual(joined)
    expect(await walk('redo')).toEqual(twice)
    expect(await walk('redo')).toEqual(twice)
    await walk('undo')
    const other = await edit({ kind: 'join', at: before[2]?.start ?? 0 })
    expect(await walk('redo')).toEqual(other)
    await walk('undo')
    await walk('undo')
    expect((await engine.call('document.list', {}))[0]?.chunkCount).toBe(document.chunkCount)
  })

  test('edits that make no sense are refused and not kept', async () => {
    const before = await show()
    const { start = 0, end = 0 } = before[1] ?? {}
    for (const wrong of [
      { kind: 'join', at: 0 },
      { kind: 'join', at: start + 1 },
      { kind: 'cut', at: start },
      { kind: 'cut', at: 10_000_000 },
      { kind: 'exclude', start: start + 1, end: end - 1 },
    ] as const)
      await expect(edit(wrong)).rejects.toMatchObject({ code: 'bad-input' })
    expect(await show()).toEqual(before)
  })

  test('a chunk made by hand can be found by its id after it was edited away', async () => {
    const before = await show()
    await edit({ kind: 'join', at: before[1]?.start ?? 0 })
    const [made] = await generated()
    await engine.call('document.undo', { documentId: document.id, tokens })
    const kept = engine.lab.project().db.prepare('select text from chunks where id = ?').get(made?.id)
    expect(kept).toEqual({ text: made?.text })
  })

  test('looking at sizes writes nothing', async () => {
    const count = () => engine.lab.project().db.prepare('select count(*) as n from chunks').get()
    const before = count()
    for (const size of [40, 60, 80, 500]) await show(size)
    expect(count()).toEqual(before)
  })
})

describe('tables', () => {
  test('a table parted over chunks repeats its header row in each', async () => {
    const rows = Array.from({ length: 60 }, (_, at) => `bird ${at},wood ${at},${at} grams`)
    writeFileSync(join(folder, 'birds.csv'), `name,home,weight\n${rows.join('\n')}\n`)
    const { added } = await engine.call('document.import', { leaf, paths: [join(folder, 'birds.csv')] })
    document = added[0] as DocumentSummary
    const chunks = await show()
    expect(chunks.length).toBeGreaterThan(4)
    for (const chunk of chunks) {
      expect(chunk.text.startsWith('| name | home | weight |\n| --- | --- | --- |\n| bird ')).toBe(true)
      expect(chunk.tokenCount).toBeLessThanOrEqual(tokens)
    }
    expect(await generated()).toEqual(chunks)
    const [first, second] = chunks as [PlacedChunk, PlacedChunk]
    const [joined] = await edit({ kind: 'join', at: second.start })
    expect(joined?.text.match(/\| name \|/g)).toHaveLength(1)
    const cut = await edit({ kind: 'cut', at: first.start + first.text.indexOf('| bird 2') })
    expect(cut[1]?.text.startsWith('| name | home | weight |\n| --- | --- | --- |\n| bird 2 |')).toBe(true)
  })
})

describe('import of files', () => {
  test('keeps the file and its Markdown by their hashes, and says from which pages a chunk is', async () => {
    const page = (number: number) =>
      linesAt(
        [72, 100],
        Array.from({ length: 30 }, (_, at) => `Line ${at} of page ${number} says something of its own.`),
      )
    const bytes = writePdf([page(1), page(2), page(3)])
    writeFileSync(join(folder, 'pages.pdf'), bytes)
    const { added } = await engine.call('document.import', { leaf, paths: [join(folder, 'pages.pdf')] })
    document = added[0] as DocumentSummary
    expect(document).toMatchObject({ type: 'pdf', pageCount: 3, sizeBytes: bytes.length })
    const stored = join(engine.lab.project().folder, 'documents')
    expect(readFileSync(join(stored, document.originalSha256)).equals(bytes)).toBe(true)
    expect(readdirSync(stored)).toContain(document.sha256)
    const chunks = await show(300)
    for (const { text: part, pages } of chunks) {
      const named = [...part.matchAll(/of page (\d)/g)].map(([, number]) => Number(number))
      expect(pages).toEqual({ first: Math.min(...named), last: Math.max(...named) })
    }
    expect((await generated(300)).map(({ pages }) => pages)).toEqual(chunks.map(({ pages }) => pages))
    expect(chunks.some(({ pages }) => pages?.first !== pages?.last)).toBe(true)
  })

  test('takes the good files of many and says of each bad one why', async () => {
    const long = join(folder, 'long.pdf')
    writeFileSync(long, '')
    // As long as it says, without taking the disk.
    const { truncateSync } = await import('node:fs')
    truncateSync(long, 500 << 20)
    writeFileSync(join(folder, 'good.docx'), writeDocx(['# Good', 'Words of it.']))
    writeFileSync(join(folder, 'scan.pdf'), writePdf([[]]))
    writeFileSync(join(folder, 'page.html'), '<h1>Page</h1><p>Words.')
    const names = ['long.pdf', 'good.docx', 'scan.pdf', 'none.md', 'page.html']
    const { added, refused } = await engine.call('document.import', {
      leaf,
      paths: names.map((name) => join(folder, name)),
    })
    expect(added.map(({ name, type }) => [name, type])).toEqual([
      ['good.docx', 'docx'],
      ['page.html', 'html'],
    ])
    expect(refused.map(({ message }) => message)).toEqual([
      expect.stringMatching(/"long.pdf" is larger than 100 MB/),
      expect.stringMatching(/no text layer/),
      expect.stringMatching(/not there/),
    ])
    for (const { remedy } of refused) expect(remedy.length).toBeGreaterThan(10)
  })

  test('takes the bytes of a file of the client itself', async () => {
    const base64 = writeDocx(['# Sent', 'Words that were sent.']).toString('base64')
    const sent = await engine.call('document.upload', { leaf, name: 'sent.docx', base64 })
    expect(sent).toMatchObject({ name: 'sent.docx', type: 'docx', chunkCount: 1 })
    await expect(engine.call('document.upload', { leaf, name: 'sent.docx', base64: '!!!' })).rejects.toMatchObject({
      code: 'bad-document',
    })
  })
})
