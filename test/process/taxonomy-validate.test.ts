import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  closeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileReport } from '../../main/contract/authoring.ts'
import { checkTaxonomyFolder } from '../../main/engine.ts'
import { knowledge, pairs, skill } from '../support/qna-texts.ts'
import { createTestFolder, type TestFolder } from '../support/taxonomy-files.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let folder: TestFolder
const engines: TestEngine[] = []
beforeEach(() => {
  folder = createTestFolder()
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose()
  folder.dispose()
})
const openEngine = async () => {
  const engine = await createTestEngine()
  engines.push(engine)
  await engine.call('project.create', { name: 'Files' })
  return engine
}
const skills = 'compositional_skills'
const told = (reports: readonly FileReport[]) =>
  reports.map(({ path, outcome, repaired }) => [path.slice(folder.path.length + 1), outcome, ...repaired].join(' '))

describe('taxonomy.validate', () => {
  it('reports on every file and writes nothing', async () => {
    folder.put(`${skills}/a/qna.yaml`, skill())
    folder.put(`${skills}/b/qna.yaml`, skill(pairs(5), ''))
    folder.put(`${skills}/c/qna.yaml`, skill().replace('A1.', '7'))
    folder.put(`${skills}/d/qna.yml`, skill())
    folder.put('elsewhere/qna.yaml', skill())
    folder.put(`${skills}/e/qna.yaml`, Buffer.from('created_by: Zo\xeb', 'latin1'))
    const before = folder.files()
    const reports = await checkTaxonomyFolder({ folder: folder.path })
    expect(told(reports)).toEqual([
      `${skills}/a/qna.yaml valid`,
      `${skills}/b/qna.yaml upgraded`,
      `${skills}/c/qna.yaml refused`,
      `${skills}/d/qna.yml refused`,
      `${skills}/e/qna.yaml refused`,
      'elsewhere/qna.yaml refused',
    ])
    expect(reports[2]?.problems[0]).toMatchObject({ line: 8, column: 11, repair: { kind: 'quotes' } })
    expect(folder.files()).toEqual(before)
  })
  it('with fix mends what can be mended, takes passages from the documents, and leaves the rest alone', async () => {
    folder.put(`${skills}/a/qna.yaml`, skill().replace('A1.', '7').replace('Q2?', 'Q2?  ').trimEnd())
    folder.put(`${skills}/b/qna.yaml`, skill(pairs(5), ''))
    const hopeless = skill().replace('created_by: ada\n', '')
    folder.put(`${skills}/c/qna.yaml`, hopeless)
    const old = knowledge(0, 'version: 2\ntask_description: Know birds.\n').replace(/document_outline.*\n/, '')
    folder.put('knowledge/birds/qna.yaml', old + pairs(5))
    const passage = 'It is said that Q0 and Q1 and all the others are told here at length.'
    folder.put('texts/birds.md', passage)
    const wish = { folder: folder.path, documentsFolder: join(folder.path, 'texts'), fix: true }
    const reports = await checkTaxonomyFolder(wish)
    expect(told(reports)).toEqual([
      `${skills}/a/qna.yaml valid quotes trailing-spaces final-newline`,
      `${skills}/b/qna.yaml valid version`,
      `${skills}/c/qna.yaml refused`,
      'knowledge/birds/qna.yaml valid upgrade',
    ])
    const text = (path: string) => readFileSync(join(folder.path, path), 'utf8')
    expect(text(`${skills}/a/qna.yaml`)).toBe(skill().replace('A1.', "'7'"))
    expect(text(`${skills}/c/qna.yaml`)).toBe(hopeless)
    expect(text('knowledge/birds/qna.yaml')).toContain(`- context: ${passage}`)
    expect(told(await checkTaxonomyFolder(wish)).join()).not.toMatch(/quotes|spaces|version|upgrade/)
    expect(folder.files()).toHaveLength(5)
  })
  it('writes no file that a link leads to outside', async () => {
    const outside = createTestFolder()
    const target = outside.put('qna.yaml', skill().trimEnd())
    mkdirSync(join(folder.path, skills, 'a'), { recursive: true })
    symlinkSync(target, join(folder.path, skills, 'a/qna.yaml'))
    expect(told(await checkTaxonomyFolder({ folder: folder.path, fix: true }))).toEqual([
      `${skills}/a/qna.yaml refused`,
    ])
    expect(readFileSync(target, 'utf8')).toBe(skill().trimEnd())
    outside.dispose()
  })
})

describe('taxonomy.repair of a file', () => {
  it('shows the difference first and writes only when asked to', async () => {
    const engine = await openEngine()
    const broken = skill().replace('A1.', '7')
    const path = folder.put(`${skills}/a/qna.yaml`, broken)
    const wish = {
      subject: { kind: 'file' as const, path },
      places: [{ kind: 'quotes' as const, line: 8, column: 11 }],
    }
    const preview = await engine.call('taxonomy.repair', wish)
    expect(preview).toMatchObject({ before: broken, after: skill().replace('A1.', "'7'"), made: ['quotes'] })
    expect(readFileSync(path, 'utf8')).toBe(broken)
    await engine.call('taxonomy.repair', { ...wish, apply: true })
    expect(readFileSync(path, 'utf8')).toBe(preview.after)
  })
  it('takes nothing but a qna.yaml of a taxonomy', async () => {
    const engine = await openEngine()
    const other = folder.put('notes.yaml', 'a: b  ')
    const elsewhere = folder.put('qna.yaml', skill().trimEnd())
    const link = join(folder.path, skills, 'a/qna.yaml')
    mkdirSync(join(folder.path, skills, 'a'), { recursive: true })
    symlinkSync(elsewhere, link)
    for (const path of [other, elsewhere, link, join(folder.path, skills)]) {
      const wish = { subject: { kind: 'file' as const, path }, apply: true }
      await expect(engine.call('taxonomy.repair', wish)).rejects.toMatchObject({ code: 'bad-input' })
    }
    const none = { kind: 'file' as const, path: join(folder.path, skills, 'none/qna.yaml') }
    await expect(engine.call('taxonomy.repair', { subject: none })).rejects.toMatchObject({ code: 'not-found' })
    expect(readFileSync(elsewhere, 'utf8')).toBe(skill().trimEnd())
  })
})

describe('bad input', () => {
  it('of 500 MB is refused unread, whichever file of a leaf it is', async () => {
    const engine = await openEngine()
    const grow = (path: string) => {
      folder.put(path, '')
      closeSync(openSync(join(folder.path, path), 'r+'))
      truncateSync(join(folder.path, path), 500_000_000)
    }
    grow(`${skills}/a/qna.yaml`)
    for (const name of ['attribution.txt', 'labdesk.yaml']) {
      folder.put(`${skills}/${name[0]}/qna.yaml`, skill())
      grow(`${skills}/${name[0]}/${name}`)
    }
    folder.put('foundational_skills/d/qna.yaml', skill())
    grow('foundational_skills/d/dataset.jsonl')
    const started = performance.now()
    const before = process.memoryUsage().rss
    const outcomes = await engine.call('taxonomy.import', { folder: folder.path })
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused'])
    for (const { problems } of outcomes) expect(problems[0]?.message).toMatch(/is larger than \d+ MB/)
    expect(performance.now() - started).toBeLessThan(5000)
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000)
  })
  it('of 2,000 leaves is checked and imported in bounded time, and says how far it is', async () => {
    const engine = await openEngine()
    const count = 2000
    for (let at = 0; at < count; at++) {
      const place = `${skills}/area_${at % 100}/leaf_${at}`
      folder.put(`${place}/qna.yaml`, skill().replace('Do it.', `Do ${at}.`))
      folder.put(`${place}/attribution.txt`, 'Title of work: x\n')
    }
    expect(await checkTaxonomyFolder({ folder: folder.path })).toHaveLength(count)
    // Processor time, so that a busy machine does not count: 1.3 s; 6 s when each leaf was a transaction of its own.
    const before = process.cpuUsage()
    const outcomes = await engine.call('taxonomy.import', { folder: folder.path })
    const { user, system } = process.cpuUsage(before)
    expect(outcomes.filter(({ outcome }) => outcome === 'valid')).toHaveLength(count)
    expect((user + system) / 1000).toBeLessThan(4000)
    const progress = engine.events.flatMap((event) => (event.kind === 'taxonomy.import' ? [event.done] : []))
    expect(progress.length).toBeGreaterThan(2)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    const listed = process.cpuUsage()
    expect(await engine.call('taxonomy.list', {})).toHaveLength(count)
    expect(process.cpuUsage(listed).user / 1000).toBeLessThan(500)
  }, 100_000)
  it('of an export folder with a link out of it writes nothing outside', async () => {
    const engine = await openEngine()
    const outside = createTestFolder()
    folder.put(`in/${skills}/a/qna.yaml`, skill())
    await engine.call('taxonomy.import', { folder: join(folder.path, 'in') })
    mkdirSync(join(folder.path, 'out'))
    symlinkSync(outside.path, join(folder.path, 'out', skills))
    await expect(engine.call('taxonomy.export', { folder: join(folder.path, 'out') })).rejects.toMatchObject({
      code: 'file-access',
      remedy: expect.stringContaining('empty folder'),
    })
    expect(outside.files()).toEqual([])
    const file = outside.put('target.yaml', 'mine')
    mkdirSync(join(folder.path, 'safe', skills, 'a'), { recursive: true })
    symlinkSync(file, join(folder.path, 'safe', skills, 'a/qna.yaml'))
    await engine.call('taxonomy.export', { folder: join(folder.path, 'safe') })
    expect(readFileSync(file, 'utf8')).toBe('mine')
    outside.dispose()
  })
})

describe('labdesk taxonomy', () => {
  const entry = join(import.meta.dirname, '../../main/hosts/cli/main.ts')
  const run = (...words: string[]) => {
    const data = join(folder.path, 'data')
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...words], {
      cwd: folder.path,
      env: { ...process.env, LABDESK_DATA: data },
      encoding: 'utf8',
    })
    return { code: status, json: stdout === '' ? null : (JSON.parse(stdout) as unknown), err: stderr, data }
  }
  it('validate checks a folder without a project, fixes it, and ends honestly', () => {
    folder.put(`tax/${skills}/a/qna.yaml`, skill().replace('A1.', '7'))
    const first = run('taxonomy', 'validate', 'tax')
    expect(first).toMatchObject({ code: 1, json: [{ outcome: 'refused', leaf: `${skills}/a` }] })
    expect(existsSync(first.data)).toBe(false)
    expect(run('taxonomy', 'validate', 'tax', '--fix')).toMatchObject({ code: 0, json: [{ repaired: ['quotes'] }] })
    expect(run('taxonomy', 'validate', 'tax')).toMatchObject({ code: 0, json: [{ outcome: 'valid' }] })
    expect(run('taxonomy', 'validate', 'nowhere').code).toBe(1)
    expect(run('taxonomy', 'validate').code).toBe(2)
    expect(run('taxonomy', 'validate', 'tax', '--fixed').code).toBe(2)
  })
  it('import, diff and export work in turn', () => {
    const empty = run('project', 'create', 'Taxonomy')
    expect(empty.code).toBe(0)
    folder.put('tax/knowledge/birds/qna.yaml', knowledge())
    folder.put('texts/birds.md', 'Birds sing at dawn.')
    const imported = run('taxonomy', 'import', 'tax', '--documents', 'texts')
    expect(imported).toMatchObject({ code: 0, json: [{ outcome: 'valid' }] })
    expect(run('document', 'list').json).toMatchObject([{ name: 'birds.md' }])
    expect(run('taxonomy', 'diff')).toMatchObject({ code: 0, json: { added: ['knowledge/birds'], changed: [] } })
    expect(run('taxonomy', 'diff', '--since', 'generation-none').code).toBe(1)
    folder.commit('tax')
    writeFileSync(join(folder.path, 'tax/knowledge/birds/qna.yaml'), knowledge().replace('Q0?', 'Other?'))
    const changed = run('taxonomy', 'diff', '--git', 'HEAD', '--folder', 'tax')
    expect(changed).toMatchObject({ code: 0, json: { changed: ['knowledge/birds'], added: [] } })
    expect(run('taxonomy', 'export', 'out', '--extended').code).toBe(0)
    expect(folder.files().filter((name) => name.startsWith('out/'))).toEqual([
      'out/documents/knowledge/birds/birds.md',
      'out/knowledge/birds/labdesk.yaml',
      'out/knowledge/birds/qna.yaml',
    ])
  }, 60_000)
})
