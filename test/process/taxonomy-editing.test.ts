import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import { pairs, skill } from '../support/qna-texts.ts'
import { createTestFolder, type TestFolder } from '../support/taxonomy-files.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let folder: TestFolder
beforeEach(async () => {
  engine = await createTestEngine()
  await engine.call('project.create', { name: 'Editing' })
  folder = createTestFolder()
})
afterEach(async () => {
  await engine.dispose()
  folder.dispose()
})

const path = (text: string) => text as LeafPath

describe('a leaf in its editor', () => {
  const leaf = path('compositional_skills/a')
  const importText = async (text: string) => {
    folder.put('in/compositional_skills/a/qna.yaml', text)
    await engine.call('taxonomy.import', { folder: `${folder.path}/in` })
    const { attribution, seeds: known, ...detail } = await engine.call('taxonomy.leaf', { leaf })
    return { ...detail, attribution, seeds: known.map(({ id: _id, ...seed }) => seed) } as MethodInput<'taxonomy.save'>
  }
  it('that still is its file shows the problems of that file; their repair is saved into it', async () => {
    const draft = await importText(`# mine\n${skill()}`.replace('Q1?', 'Q1?  ').trimEnd())
    const problems = await engine.call('taxonomy.check', draft)
    expect(problems.map(({ repair }) => repair?.kind).filter(Boolean)).toEqual(['trailing-spaces', 'final-newline'])
    const subject = { kind: 'leaf' as const, draft: draft as never }
    const preview = await engine.call('taxonomy.repair', { subject })
    expect(preview.after).toBe(`# mine\n${skill()}`)
    expect((await engine.call('taxonomy.leaf', { leaf })).sourceText).toBe(preview.before)
    await engine.call('taxonomy.repair', { subject, apply: true })
    expect((await engine.call('taxonomy.leaf', { leaf })).sourceText).toBe(`# mine\n${skill()}`)
    expect(await engine.call('taxonomy.check', draft)).toEqual([])
    expect((await engine.call('taxonomy.revisions', { leaf })).map(({ act }) => act)).toEqual(['repaired', 'imported'])
  })
  it('that was edited gets the mended leaf back and nothing is saved', async () => {
    const draft = await importText(skill())
    const edited = {
      ...draft,
      seeds: [...draft.seeds, { ...draft.seeds[0]!, turns: [{ question: 'q', answer: 'a' }] }],
    }
    const outcome = await engine.call('taxonomy.repair', {
      subject: { kind: 'leaf', draft: edited as never },
      apply: true,
    })
    expect(outcome.made).toEqual(['repeated-seed'])
    expect(outcome.draft?.seeds).toHaveLength(5)
    expect((await engine.call('taxonomy.leaf', { leaf })).sourceText).toBe(skill())
  })
  it('keeps its extensions, checks them, and writes them only when asked to', async () => {
    const draft = await importText(skill())
    const turns = [{ question: 'Hello?', answer: 'Good day.' }]
    const attribution = 'Title of work: Rhymes\nLink to work: -\nLicense of the work: CC0-1.0\nCreator names: Ada\n'
    const extended = {
      ...draft,
      answerFormat: 'number' as const,
      attribution,
      seeds: draft.seeds.map((seed, at) => (at === 2 ? { ...seed, turns } : seed)),
    }
    const warned = await engine.call('taxonomy.check', extended)
    expect(warned.filter(({ field }) => field === 'answer_format')).toHaveLength(5)
    const saved = await engine.call('taxonomy.save', {
      ...extended,
      answerFormat: 'list',
      attribution: `${attribution}Odd\n`,
    })
    expect(saved).toMatchObject({ answerFormat: 'list', sourceText: skill(), seeds: { 2: { turns } } })

    await engine.call('taxonomy.export', { folder: `${folder.path}/clean` })
    expect(folder.files().filter((name) => name.startsWith('clean/'))).toEqual([
      'clean/compositional_skills/a/attribution.txt',
      'clean/compositional_skills/a/qna.yaml',
    ])
    await engine.call('taxonomy.export', { folder: `${folder.path}/extended`, extended: true })
    await engine.call('project.create', { name: 'Copy' })
    const [outcome] = await engine.call('taxonomy.import', { folder: `${folder.path}/extended` })
    expect(outcome).toMatchObject({ outcome: 'valid' })
    const copy = await engine.call('taxonomy.leaf', { leaf })
    expect(copy).toMatchObject({ answerFormat: 'list', persona: saved.persona, language: saved.language })
    expect(copy.seeds).toEqual(saved.seeds)
    await engine.call('taxonomy.import', { folder: `${folder.path}/clean` })
    expect((await engine.call('taxonomy.leaf', { leaf })).seeds).toEqual(saved.seeds)
  })
  it('refuses grounded and freeform seeds in one leaf, with the remedy', async () => {
    const draft = await importText(skill(pairs(5)))
    const mixed = { ...draft, seeds: [...draft.seeds, { question: 'Q?', answer: 'A.', context: 'C.' }] }
    await expect(engine.call('taxonomy.save', mixed)).rejects.toMatchObject({
      code: 'bad-qna',
      remedy: 'Give every seed a context or none, or make two leaves of them.',
    })
  })
})
