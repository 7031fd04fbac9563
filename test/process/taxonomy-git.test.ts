import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ImportOutcome } from '../../main/contract/taxonomy.ts'
import { knowledge, skill } from '../support/qna-texts.ts'
import { createTestFolder, type TestFolder } from '../support/taxonomy-files.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let folder: TestFolder
const { PATH } = process.env
beforeEach(async () => {
  engine = await createTestEngine()
  await engine.call('project.create', { name: 'Clones' })
  folder = createTestFolder()
})
afterEach(async () => {
  process.env['PATH'] = PATH
  await engine.dispose()
  folder.dispose()
})

const leaf = 'taxonomy/knowledge/birds/qna.yaml'
const source = (commit: string, pattern = 'birds.md', repo = 'https://example.org/ada/r.git') =>
  knowledge().replace('abc123', commit).replace('- birds.md', `- ${pattern}`).replace('https://example.org/r.git', repo)
const importFrom = async (documents: string): Promise<ImportOutcome> => {
  const [outcome] = await engine.call('taxonomy.import', {
    folder: join(folder.path, 'taxonomy'),
    documentsFolder: join(folder.path, documents),
  })
  return outcome!
}
const documents = async () => {
  const known = await engine.call('document.list', {})
  return Promise.all(
    known.map(async ({ id, name }) => [name, (await engine.call('document.text', { documentId: id })).text]),
  )
}
const told = ({ problems }: ImportOutcome) =>
  problems
    .filter(({ field }) => field.startsWith('document.patterns'))
    .map(({ severity, message }) => `${severity}: ${message}`)

describe('documents of a local clone', () => {
  it('are those of the commit the leaf names, whatever lies in the folder now', async () => {
    folder.put('r/birds.md', 'Birds sing at dawn.')
    folder.put('r/deep/birds.md', 'Others.')
    const commit = folder.commit('r')
    folder.put('r/birds.md', 'Changed since.')
    for (const place of ['r', '.']) {
      folder.put(leaf, source(commit))
      const outcome = await importFrom(place)
      expect(outcome).toMatchObject({ outcome: 'valid' })
      expect(told(outcome)).toEqual([])
      expect(await documents()).toEqual([['birds.md', 'Birds sing at dawn.']])
    }
  })
  it('are found among several clones by the name of the repository, below its owner too', async () => {
    folder.put('clones/ada/r/docs/a.md', 'One.')
    folder.put('clones/ada/r/docs/deep/b.md', 'Two.')
    const commit = folder.commit('clones/ada/r')
    folder.put('clones/other/a.md', 'Not this.')
    folder.commit('clones/other')
    for (const repo of ['https://example.org/ada/r', 'git@example.org:ada/r.git', 'https://example.org/ada/r.git/']) {
      folder.put(leaf, source(commit, '"docs/**/*.md"', repo))
      expect(told(await importFrom('clones'))).toEqual([])
    }
    expect((await documents()).map(([name]) => name)).toEqual(['a.md', 'b.md'])
  })
  it('are not guessed at when the commit is not there, or is a name and not a commit', async () => {
    folder.put('r/birds.md', 'Birds.')
    folder.commit('r')
    for (const commit of ['0123456789012345678901234567890123456789', 'main', '--output=x', 'HEAD;id']) {
      folder.put(leaf, source(`"${commit}"`))
      const outcome = await importFrom('r')
      expect(outcome.outcome).toBe('valid')
      expect(told(outcome)).toEqual([expect.stringContaining(`The commit "${commit}" is not in the clone`)])
    }
    expect(await documents()).toEqual([])
  })
  it.each(['"../secret.md"', '"docs/../../secret.md"', '/etc/hostname', '"C:\\\\secret.md"', '"..\\\\secret.md"'])(
    'named by %s are refused by name, in a clone and in a folder',
    async (pattern) => {
      folder.put('secret.md', 'Secret.')
      folder.put('r/birds.md', 'Birds.')
      folder.put(leaf, source(folder.commit('r'), pattern))
      const ofClone = await importFrom('r')
      expect(told(ofClone)[0]).toMatch(/^warning: The pattern ".*" leads out of the/)
      folder.put('plain/birds.txt', 'Birds.')
      expect(told(await importFrom('plain')).join('\n')).toMatch(/leads out of the folder, so it was refused/)
      expect((await documents()).map(([name]) => name)).not.toContain('secret.md')
    },
  )
  it('that are links are refused by name', async () => {
    folder.put('secret.md', 'Secret.')
    folder.put('r/real.md', 'Real.')
    symlinkSync('../secret.md', join(folder.path, 'r/birds.md'))
    folder.put(leaf, source(folder.commit('r'), '"*.md"'))
    expect(told(await importFrom('r'))).toEqual(['warning: "birds.md" is a link, so it was refused.'])
    expect(await documents()).toEqual([['real.md', 'Real.']])
    folder.put(leaf, source('abc123'))
    rmSync(join(folder.path, 'r/.git'), { recursive: true })
    expect(told(await importFrom('r')).join('\n')).toMatch(/birds\.md": This is a link to a place outside/)
  })
  it('are taken from a plain folder with a notice that the commit was not checked', async () => {
    folder.put('plain/birds.md', 'Birds.')
    folder.put(leaf, source('abc123'))
    expect(told(await importFrom('plain'))).toEqual([expect.stringMatching(/^hint: .*no clone.*commit abc123/)])
    expect(await documents()).toEqual([['birds.md', 'Birds.']])
  })
  it('are looked for in no repository around the folder', async () => {
    folder.put('r/texts/birds.md', 'Birds.')
    folder.put(leaf, source(folder.commit('r')))
    expect(told(await importFrom('r/texts'))).toEqual([expect.stringMatching(/^hint: .*no clone/)])
  })
  it('are named by the same repository, commit and patterns when they are exported', async () => {
    folder.put('r/birds.md', 'Birds.')
    const commit = folder.commit('r')
    folder.put(leaf, source(commit))
    await importFrom('r')
    const detail = await engine.call('taxonomy.leaf', { leaf: 'knowledge/birds' as never })
    const documentSource = { repo: 'https://example.org/ada/r.git', commit, patterns: ['birds.md'] }
    expect(detail.documentSource).toEqual(documentSource)
    await engine.call('taxonomy.save', { ...detail, domain: 'wild birds' })
    await engine.call('taxonomy.export', { folder: join(folder.path, 'out') })
    await engine.call('project.create', { name: 'Copy' })
    await engine.call('taxonomy.import', { folder: join(folder.path, 'out') })
    const copy = await engine.call('taxonomy.leaf', { leaf: detail.path })
    expect(copy).toMatchObject({ documentSource, domain: 'wild birds' })
  })
  it('need git, and say so', async () => {
    folder.put('r/birds.md', 'Birds.')
    folder.put(leaf, source(folder.commit('r')))
    process.env['PATH'] = folder.path
    const outcome = await importFrom('r')
    expect(outcome).toMatchObject({ outcome: 'refused' })
    expect(outcome.problems[0]).toMatchObject({
      message: expect.stringContaining('"git" is not installed'),
      remedy: expect.stringContaining('Install git'),
    })
  })
})

describe('taxonomy.diff against a revision of a repository', () => {
  const at = (name: string) => `work/compositional_skills/${name}/qna.yaml`
  const diff = (git: string, place = 'work') => engine.call('taxonomy.diff', { git, folder: join(folder.path, place) })

  it('tells added, changed and removed leaves by what they say', async () => {
    for (const name of ['same', 'form', 'words', 'gone', 'broken']) folder.put(at(name), skill())
    folder.put('work/readme.md', 'x')
    const commit = folder.commit('work')
    folder.put(at('form'), `# a comment\n${skill()}`)
    folder.put(at('words'), skill().replace('Q1?', 'Other?'))
    folder.put(at('broken'), 'a: "\n')
    folder.put(at('fresh'), skill())
    rmSync(join(folder.path, 'work/compositional_skills/gone'), { recursive: true })
    const expected = {
      base: { kind: 'git', commit },
      added: ['compositional_skills/fresh'],
      changed: ['compositional_skills/broken', 'compositional_skills/words'],
      removed: ['compositional_skills/gone'],
      sameCount: 2,
    }
    expect(await diff('HEAD')).toEqual(expected)
    expect(await diff(commit.slice(0, 8), 'work/compositional_skills')).toEqual(expected)
    folder.commit('work')
    expect(await diff('HEAD~1')).toEqual(expected)
    expect(await diff('HEAD')).toMatchObject({ added: [], changed: [], removed: [], sameCount: 5 })
  })
  it('refuses what is no repository or no revision, with a remedy', async () => {
    folder.put(at('a'), skill())
    await expect(diff('HEAD')).rejects.toMatchObject({ code: 'not-found', remedy: expect.stringMatching(/clone/) })
    folder.commit('work')
    for (const name of ['none', '--output=x', '-h', 'HEAD:work', '$(id)'])
      await expect(diff(name)).rejects.toMatchObject({ code: 'not-found' })
    await expect(diff('HEAD', 'nowhere')).rejects.toMatchObject({ code: 'not-found' })
    process.env['PATH'] = folder.path
    await expect(diff('HEAD')).rejects.toMatchObject({ message: expect.stringContaining('not installed') })
  })
})
