import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import type { GenerationId, JobId, LeafPath } from '../../main/contract/ids.ts'
import { setGenerationJob } from '../../main/store/generation.ts'
import { followingTables, frozenTables } from '../../main/store/leaf-moves.ts'
import { keepRunContents } from '../../main/store/leaf-contents.ts'
import { insertTestCandidates, insertTestGeneration, testCandidate, testGeneration } from '../support/candidates.ts'
import { skill } from '../support/qna-texts.ts'
import { createTestFolder, type TestFolder } from '../support/taxonomy-files.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let folder: TestFolder
beforeEach(async () => {
  engine = await createTestEngine()
  await engine.call('project.create', { name: 'History' })
  folder = createTestFolder()
})
afterEach(async () => {
  await engine.dispose()
  folder.dispose()
})

const birds = 'knowledge/birds' as LeafPath
const rhymes = 'compositional_skills/writing/rhymes' as LeafPath
const path = (text: string) => text as LeafPath
const seeds = (count: number) => Array.from({ length: count }, (_, at) => ({ question: `Q${at}?`, answer: `A${at}.` }))
const rhymeDraft: MethodInput<'taxonomy.save'> = {
  path: rhymes,
  branch: 'compositional_skills',
  taskDescription: 'Find a rhyme.',
  seeds: seeds(5),
}
const birdDraft: MethodInput<'taxonomy.save'> = {
  path: birds,
  branch: 'knowledge',
  domain: 'birds',
  documentOutline: 'All about birds.',
  seeds: seeds(3).map((seed) => ({ ...seed, context: 'Birds sing at dawn.' })),
}
const pathsNow = async () => (await engine.call('taxonomy.list', {})).map((leaf) => leaf.path)

describe('moving a leaf', () => {
  beforeEach(async () => {
    await engine.call('taxonomy.save', birdDraft)
    await engine.call('document.add', { leaf: birds, name: 'b.md', text: 'Birds sing.' })
    const { db } = engine.lab.project()
    const { seeds: known } = await engine.call('taxonomy.leaf', { leaf: birds })
    insertTestGeneration(db)
    insertTestCandidates(
      db,
      [1, 2].map((slot) => testCandidate(slot, { seedIds: [known[0]!.id] })),
    )
  })
  const to = path('knowledge/nature/wild_birds')

  it('takes everything along that points to it, under the ids it had', async () => {
    const before = await engine.call('taxonomy.leaf', { leaf: birds })
    await engine.call('taxonomy.move', { from: birds, to })
    expect(await pathsNow()).toEqual([to])
    const after = await engine.call('taxonomy.leaf', { leaf: to })
    expect(after).toEqual({ ...before, path: to })
    expect(await engine.call('document.list', {})).toMatchObject([{ leaf: to, name: 'b.md' }])
    const samples = await engine.call('sample.list', { filter: { leaf: to } })
    expect(samples.total).toBe(2)
    expect((await engine.call('sample.list', { filter: { leaf: birds } })).total).toBe(0)
    const sample = await engine.call('sample.get', { candidateId: testCandidate(1).id })
    expect(sample).toMatchObject({ leaf: to, seedIds: [before.seeds[0]!.id] })
    expect((await engine.call('generation.get', { generationId: testGeneration })).funnel).toMatchObject([
      { leaf: to, attempted: 2 },
    ])
    await expect(engine.call('taxonomy.leaf', { leaf: birds })).rejects.toMatchObject({ code: 'not-found' })
  })
  it('keeps the ids of seeds and documents when the leaf is saved and imported again afterwards', async () => {
    const before = await engine.call('taxonomy.leaf', { leaf: birds })
    await engine.call('taxonomy.move', { from: birds, to })
    const saved = await engine.call('taxonomy.save', { ...birdDraft, path: to, domain: 'wild birds' })
    await engine.call('document.add', { leaf: to, name: 'b.md', text: 'Birds sing.' })
    expect(saved.seeds).toEqual(before.seeds)
    expect((await engine.call('taxonomy.leaf', { leaf: to })).documents).toEqual(before.documents)
  })
  it('leaves its old place free for another leaf of the very same words', async () => {
    await engine.call('taxonomy.move', { from: birds, to })
    const moved = await engine.call('taxonomy.leaf', { leaf: to })
    const again = await engine.call('taxonomy.save', birdDraft)
    const document = await engine.call('document.add', { leaf: birds, name: 'other.md', text: 'Birds sing.' })
    const ids = [...again.seeds, ...moved.seeds].map(({ id }) => id)
    expect(new Set(ids).size).toBe(6)
    expect(document.id).not.toBe(moved.documents[0]?.id)
    expect(await engine.call('taxonomy.leaf', { leaf: to })).toEqual(moved)
    await engine.call('taxonomy.move', { from: birds, to: path('knowledge/more_birds') })
    await engine.call('taxonomy.save', birdDraft)
    const third = await engine.call('document.add', { leaf: birds, name: 'third.md', text: 'Birds sing.' })
    expect(new Set([third.id, document.id, moved.documents[0]?.id]).size).toBe(3)
  })
  it('to the place of a removed leaf mixes nothing of the two', async () => {
    await engine.call('taxonomy.save', { ...birdDraft, path: to, domain: 'other birds' })
    await engine.call('document.add', { leaf: to, name: 'old.md', text: 'Old.' })
    await engine.call('taxonomy.remove', { leaf: to })
    await engine.call('taxonomy.move', { from: birds, to })
    const leaf = await engine.call('taxonomy.leaf', { leaf: to })
    expect(leaf).toMatchObject({ domain: 'birds', documentCount: 1, documents: [{ name: 'b.md' }] })
    const acts = (await engine.call('taxonomy.revisions', { leaf: to })).map(({ act }) => act)
    expect(acts).toEqual(['moved', 'saved'])
  })
  it('is told in its history', async () => {
    await engine.call('taxonomy.move', { from: birds, to })
    expect(await engine.call('taxonomy.revisions', { leaf: to })).toMatchObject([
      { act: 'moved', path: to },
      { act: 'saved', path: birds },
    ])
    expect(await engine.call('taxonomy.revisions', { leaf: birds })).toEqual([])
  })
  it('waits for a generation that is at work on it', async () => {
    const { db } = engine.lab.project()
    setGenerationJob(db, testGeneration, 'job-1' as JobId)
    db.prepare(
      `insert into jobs (id, kind, title, subject, parameters_json, state, progress_json, queue_number, created_at_ms)
       values ('job-1', 'generate', 't', ?, 'null', 'running', '{}', 1, 1)`,
    ).run(testGeneration)
    await expect(engine.call('taxonomy.move', { from: birds, to })).rejects.toMatchObject({ code: 'conflict' })
    db.prepare(`update jobs set state = 'paused'`).run()
    await engine.call('taxonomy.move', { from: birds, to })
    expect(await pathsNow()).toEqual([to])
  })
  it.each([
    ['a leaf that is not there', { from: 'knowledge/none', to: 'knowledge/x' }, 'not-found'],
    ['a place that is taken', { from: 'knowledge/birds', to: 'knowledge/owls' }, 'conflict'],
    ['a path that climbs', { from: 'knowledge/birds', to: 'knowledge/../x' }, 'bad-input'],
    ['no branch', { from: 'knowledge/birds', to: 'birds' }, 'bad-input'],
    ['knowledge to a skill', { from: 'knowledge/birds', to: 'compositional_skills/birds' }, 'bad-input'],
    ['a folder that is not there', { from: 'knowledge/none', to: 'knowledge/x', isFolder: true }, 'not-found'],
    ['a folder into itself', { from: 'knowledge', to: 'knowledge/x', isFolder: true }, 'bad-input'],
  ])('refuses %s and moves nothing', async (_, wish, code) => {
    await engine.call('taxonomy.save', { ...birdDraft, path: path('knowledge/owls') })
    const before = await pathsNow()
    const input = wish as unknown as MethodInput<'taxonomy.move'>
    await expect(engine.call('taxonomy.move', input)).rejects.toMatchObject({
      code,
      remedy: expect.stringMatching(/\w/),
    })
    expect(await pathsNow()).toEqual(before)
  })
  it('knows of every table that names a leaf', () => {
    const { db } = engine.lab.project()
    const tables = db
      .prepare<[], string>(
        `select m.name from sqlite_schema m join pragma_table_info(m.name) c where m.type = 'table' and c.name = 'leaf'`,
      )
      .pluck()
      .all()
    expect(tables.sort()).toEqual([...followingTables, ...frozenTables].sort())
  })
})

describe('moving a folder', () => {
  it('moves every leaf below it, and skills between their branches', async () => {
    for (const name of ['writing/rhymes', 'writing/verse/odes', 'writings', 'maths'])
      await engine.call('taxonomy.save', { ...rhymeDraft, path: path(`compositional_skills/${name}`) })
    const moved = await engine.call('taxonomy.move', {
      from: path('compositional_skills/writing'),
      to: path('foundational_skills/language'),
      isFolder: true,
    })
    expect(moved).toHaveLength(2)
    expect(await pathsNow()).toEqual([
      'compositional_skills/maths',
      'compositional_skills/writings',
      'foundational_skills/language/rhymes',
      'foundational_skills/language/verse/odes',
    ])
    const leaf = await engine.call('taxonomy.leaf', { leaf: path('foundational_skills/language/rhymes') })
    expect(leaf.branch).toBe('foundational_skills')
  })
  it('moves none when one has no place', async () => {
    for (const name of ['a/x', 'a/y', 'b/y'])
      await engine.call('taxonomy.save', { ...rhymeDraft, path: path(`compositional_skills/${name}`) })
    const before = await pathsNow()
    await expect(
      engine.call('taxonomy.move', {
        from: path('compositional_skills/a'),
        to: path('compositional_skills/b'),
        isFolder: true,
      }),
    ).rejects.toMatchObject({ code: 'conflict' })
    expect(await pathsNow()).toEqual(before)
  })
  it('of 5,000 leaves takes seconds at most', async () => {
    const { db } = engine.lab.project()
    await engine.call('taxonomy.save', rhymeDraft)
    db.exec(`with recursive n(i) as (select 0 union all select i + 1 from n where i < 4999)
      insert into leaves select 'compositional_skills/many/l' || i, branch, task_description, domain, document_outline, created_by,
        is_grounded, persona, language, document_source_json, attribution, source_text, is_source_current, public_file_sha256,
        problems_json, created_at_ms, updated_at_ms, removed_at_ms, answer_format, content_sha256 from n, leaves
      where path = '${rhymes}'`)
    const started = performance.now()
    const from = path('compositional_skills/many')
    await engine.call('taxonomy.move', { from, to: path('compositional_skills/most'), isFolder: true })
    expect(performance.now() - started).toBeLessThan(20_000)
    expect(await pathsNow()).toHaveLength(5001)
  })
})

describe('the history of a leaf', () => {
  it('keeps every state once, shows them as text, and brings any of them back', async () => {
    await engine.call('taxonomy.save', rhymeDraft)
    await engine.call('taxonomy.save', rhymeDraft)
    await engine.call('taxonomy.save', { ...rhymeDraft, taskDescription: 'Find two rhymes.', answerFormat: 'list' })
    const [second, first, ...more] = await engine.call('taxonomy.revisions', { leaf: rhymes })
    expect([second?.act, first?.act, more]).toEqual(['saved', 'saved', []])
    const text = (revision: number) => engine.call('taxonomy.revision', { leaf: rhymes, revision })
    expect((await text(first!.number)).text).toContain('Find a rhyme.')
    expect((await text(second!.number)).text).toMatch(/Find two rhymes\.[^]*answer_format: list/)
    const back = await engine.call('taxonomy.restore', { leaf: rhymes, revision: first!.number })
    expect(back).toMatchObject({ taskDescription: 'Find a rhyme.', answerFormat: 'text' })
    expect((await engine.call('taxonomy.revisions', { leaf: rhymes })).map(({ act }) => act)).toEqual([
      'restored',
      'saved',
      'saved',
    ])
    await expect(engine.call('taxonomy.restore', { leaf: rhymes, revision: 9999 })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
  it('of an imported leaf brings back its file byte for byte', async () => {
    const text = `# mine\n${skill()}`
    folder.put('in/compositional_skills/a/qna.yaml', text)
    await engine.call('taxonomy.import', { folder: `${folder.path}/in` })
    const leaf = path('compositional_skills/a')
    const { number } = (await engine.call('taxonomy.revisions', { leaf }))[0]!
    const detail = await engine.call('taxonomy.leaf', { leaf })
    await engine.call('taxonomy.save', { ...detail, taskDescription: 'Other.' })
    await engine.call('taxonomy.move', { from: leaf, to: path('compositional_skills/b') })
    const back = await engine.call('taxonomy.restore', { leaf: path('compositional_skills/b'), revision: number })
    expect(back).toMatchObject({ path: 'compositional_skills/b', sourceText: text, taskDescription: 'Do it.' })
    expect(back.seeds.map(({ id }) => id)).toEqual(detail.seeds.map(({ id }) => id))
  })
  it('begins with the state a leaf was found in that an older version wrote', async () => {
    await engine.call('taxonomy.save', rhymeDraft)
    engine.lab.project().db.exec('delete from leaf_revisions')
    await engine.call('taxonomy.save', { ...rhymeDraft, taskDescription: 'Other.' })
    expect((await engine.call('taxonomy.revisions', { leaf: rhymes })).map(({ act }) => act)).toEqual([
      'saved',
      'found',
    ])
  })
  it('survives the removal of the leaf, which can be undone', async () => {
    const before = await engine.call('taxonomy.save', rhymeDraft)
    await engine.call('taxonomy.remove', { leaf: rhymes })
    expect(await pathsNow()).toEqual([])
    expect(await engine.call('taxonomy.restore', { leaf: rhymes })).toEqual(before)
    expect((await engine.call('taxonomy.revisions', { leaf: rhymes })).map(({ act }) => act)).toEqual([
      'restored',
      'removed',
      'saved',
    ])
    await expect(engine.call('taxonomy.restore', { leaf: rhymes })).rejects.toMatchObject({ code: 'not-found' })
  })
})

describe('what changed since a run', () => {
  const changeOf = async () =>
    Object.fromEntries((await engine.call('taxonomy.list', {})).map((leaf) => [leaf.path, leaf.change]))

  it('is told by content, leaf by leaf, whatever is moved or saved without a change', async () => {
    const names = ['same', 'task', 'seed', 'format', 'moved', 'gone'].map((name) =>
      path(`compositional_skills/${name}`),
    )
    for (const name of names) await engine.call('taxonomy.save', { ...rhymeDraft, path: name })
    await engine.call('taxonomy.save', birdDraft)
    const { db } = engine.lab.project()
    insertTestGeneration(db, { leaves: [...names, birds], quota: 10 })
    keepRunContents(db, testGeneration, [...names, birds])
    expect(new Set(Object.values(await changeOf()))).toEqual(new Set(['same']))

    const [same, task, seed, format, moved, gone] = names as [
      LeafPath,
      LeafPath,
      LeafPath,
      LeafPath,
      LeafPath,
      LeafPath,
    ]
    await engine.call('taxonomy.save', { ...rhymeDraft, path: same, createdBy: 'bob' })
    await engine.call('taxonomy.save', { ...rhymeDraft, path: task, taskDescription: 'Other.' })
    await engine.call('taxonomy.save', { ...rhymeDraft, path: seed, seeds: seeds(6) })
    await engine.call('taxonomy.save', { ...rhymeDraft, path: format, answerFormat: 'word' })
    await engine.call('taxonomy.move', { from: moved, to: path('compositional_skills/other_place') })
    await engine.call('taxonomy.remove', { leaf: gone })
    await engine.call('document.add', { leaf: birds, name: 'b.md', text: 'Birds sing.' })
    await engine.call('taxonomy.save', { ...rhymeDraft, path: path('compositional_skills/fresh') })
    const expected = {
      added: ['compositional_skills/fresh'],
      changed: [format, seed, task, birds],
      removed: [gone],
      sameCount: 2,
    }
    expect(await engine.call('taxonomy.diff', {})).toEqual({ base: { kind: 'last-runs' }, ...expected })
    const since = await engine.call('taxonomy.diff', { since: testGeneration })
    expect(since).toEqual({ base: { kind: 'run', generationId: testGeneration }, ...expected })
    expect(await changeOf()).toMatchObject({ [task]: 'changed', [same]: 'same', 'compositional_skills/fresh': 'new' })
    const list = await engine.call('taxonomy.list', {})
    expect(list.find((leaf) => leaf.path === same)?.wantedCount).toBe(10)

    await engine.call('taxonomy.save', { ...rhymeDraft, path: task })
    expect((await changeOf())[task]).toBe('same')
  })
  it('is kept by a run when it is made', async () => {
    const { db } = engine.lab.project()
    await engine.call('taxonomy.save', rhymeDraft)
    db.exec('update leaves set content_sha256 = null')
    insertTestGeneration(db, { leaves: [rhymes] })
    keepRunContents(db, testGeneration, [rhymes])
    expect(await changeOf()).toEqual({ [rhymes]: 'same' })
  })
  it('cannot be told of a run that never was, or of two bases at once', async () => {
    const none = 'generation-none' as GenerationId
    await expect(engine.call('taxonomy.diff', { since: none })).rejects.toMatchObject({ code: 'not-found' })
    for (const wish of [{ git: 'HEAD' }, { folder: folder.path }, { git: 'HEAD', folder: folder.path, since: none }])
      await expect(engine.call('taxonomy.diff', wish)).rejects.toMatchObject({ code: 'bad-input' })
  })
})
