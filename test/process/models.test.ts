// Models of a project: what a GGUF says, what is refused and how, roles, files that move or vanish.

import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readGguf } from '../../main/domain/gguf.ts'
import { textEntry, writeTestGguf } from '../support/gguf-files.ts'
import { writeGgufFile } from '../support/gguf-writer.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

let engine: TestEngine
let folder = ''
beforeEach(async () => {
  engine = await createTestEngine()
  folder = join(engine.dataDir, 'files')
  mkdirSync(folder)
})
afterEach(() => engine.dispose())

const inFolder = (name: string) => join(folder, name)
const add = (path: string) => engine.call('model.add', { path })

/** What every model that answers is not fit for. */
const speaks = { embedder: expect.stringMatching(/writes answers/) as string }

describe('a whole model', () => {
  test('is described by its header and its content', async () => {
    const model = await add(writeTestGguf(inFolder('finch.gguf')))
    expect(model).toMatchObject({
      name: 'Finch 1B',
      architecture: 'llama',
      parameterCount: 32,
      contextLength: 512,
      vocabSize: 3,
      fileType: 'F32',
      licence: 'apache-2.0',
      hasChatTemplate: true,
      promptPack: 'standard',
      isDemo: false,
      isMissing: false,
      roles: [],
      unfit: speaks,
      sizeBytes: statSync(inFolder('finch.gguf')).size,
    })
    expect(model.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(await engine.call('model.list', {})).toEqual([model])
  })

  test('says so when it is a learning toy with the compact prompts', async () => {
    const path = writeTestGguf(inFolder('toy.gguf'), {
      ...textEntry('labdesk.prompt_pack', 'compact'),
      'labdesk.demo': { key: 'labdesk.demo', type: 'bool', value: true },
    })
    expect(await add(path)).toMatchObject({ isDemo: true, promptPack: 'compact' })
    const shipped = writeTestGguf(inFolder('shipped.gguf'), textEntry('labdesk.recipe_hash', 'abc'), 6)
    expect(await add(shipped)).toMatchObject({ isDemo: true, promptPack: 'standard' })
  })

  test('added twice is one model', async () => {
    const path = writeTestGguf(inFolder('finch.gguf'))
    await add(path)
    await add(path)
    copyFileSync(path, inFolder('copy.gguf'))
    expect((await add(inFolder('copy.gguf'))).path).toBe(path)
    expect(await engine.call('model.list', {})).toHaveLength(1)
  })
})

describe('what is refused, by name', () => {
  const cases: { what: string; make: () => string; code: string; message: RegExp }[] = [
    { what: 'a path where nothing is', make: () => inFolder('none.gguf'), code: 'not-found', message: /none\.gguf/ },
    { what: 'a folder', make: () => folder, code: 'bad-input', message: /not a file/ },
    { what: 'an empty file', make: () => written(''), code: 'bad-gguf', message: /GGUF mark/ },
    { what: 'another kind of file', make: () => written('PK a zip, really'), code: 'bad-gguf', message: /GGUF mark/ },
    { what: 'a header cut off', make: () => cut(60), code: 'bad-gguf', message: /inside its header|claims a text/ },
    { what: 'weights cut off', make: () => cut(wholeSize() - 40), code: 'bad-gguf', message: /cut short/ },
    { what: 'an adapter', make: () => adapter(), code: 'bad-gguf', message: /LoRA/ },
  ]
  const wholeSize = () => statSync(writeTestGguf(inFolder('size.gguf'))).size
  const adapter = () => writeTestGguf(inFolder('lora.gguf'), textEntry('general.type', 'adapter'))
  function written(content: string): string {
    writeFileSync(inFolder('foreign.gguf'), content)
    return inFolder('foreign.gguf')
  }
  function cut(bytes: number): string {
    truncateSync(writeTestGguf(inFolder('cut.gguf')), bytes)
    return inFolder('cut.gguf')
  }
  test.each(cases)('$what', async ({ make, code, message }) => {
    const failed = add(make())
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    await expect(failed).rejects.toMatchObject({ remedy: expect.stringMatching(/\.$/) })
    expect(await engine.call('model.list', {})).toEqual([])
  })

  test('a bad file in a scanned folder does not keep the good ones out', async () => {
    mkdirSync(inFolder('deep'))
    writeTestGguf(inFolder('deep/good.gguf'))
    written('nonsense')
    writeTestGguf(inFolder('big-00002-of-00003.gguf'), {}, 6)
    writeFileSync(inFolder('notes.txt'), 'not a model')
    const outcome = await engine.call('model.scan', { folder })
    expect(outcome.added.map((model) => model.path)).toEqual([inFolder('deep/good.gguf')])
    expect(outcome.refused).toMatchObject([{ path: inFolder('foreign.gguf') }])
    expect(await engine.call('model.scan', { folder })).toMatchObject({ added: [] })
    await expect(engine.call('model.scan', { folder: inFolder('nowhere') })).rejects.toMatchObject({
      code: 'not-found',
    })
  })
})

describe('roles', () => {
  test('go to one model at a time', async () => {
    const first = await add(writeTestGguf(inFolder('a.gguf'), {}, 4))
    const second = await add(writeTestGguf(inFolder('b.gguf'), {}, 5))
    await engine.call('model.assign', { modelId: first.id, role: 'teacher' })
    await engine.call('model.assign', { modelId: first.id, role: 'student' })
    const models = await engine.call('model.assign', { modelId: second.id, role: 'teacher' })
    expect(models.map((model) => model.roles)).toEqual([['student'], ['teacher']])
  })

  test.each([
    {
      what: 'no chat template',
      change: { 'tokenizer.chat_template': null },
      role: 'teacher' as const,
      code: 'model-role',
      reason: /chat template/,
    },
    {
      what: 'an embedding model',
      change: textEntry('general.architecture', 'nomic-bert'),
      role: 'teacher' as const,
      code: 'model-role',
      reason: /embedding/,
    },
    {
      what: 'an architecture the trainer does not know',
      change: textEntry('general.architecture', 'mamba'),
      role: 'student' as const,
      code: 'unsupported-architecture',
      reason: /mamba/,
    },
  ])('are refused to $what, with the reason', async ({ change, role, code, reason }) => {
    const model = await add(writeTestGguf(inFolder('odd.gguf'), change))
    expect(model.unfit[role]).toMatch(reason)
    const failed = engine.call('model.assign', { modelId: model.id, role })
    await expect(failed).rejects.toMatchObject({ code, message: expect.stringMatching(reason) })
  })

  const ofArchitecture = (architecture: string, experts = 0) => ({
    ...textEntry('general.architecture', architecture),
    [`${architecture}.expert_count`]: { key: `${architecture}.expert_count`, type: 'u32' as const, value: experts },
  })

  test.each(['llama', 'qwen2', 'qwen3', 'gemma2', 'gemma3', 'phi3', 'granite', 'olmo2'])(
    'of the student are open to %s, but not as a mixture of experts',
    async (architecture) => {
      expect((await add(writeTestGguf(inFolder('dense.gguf'), ofArchitecture(architecture), 4))).unfit).toEqual(speaks)
      const mixed = await add(writeTestGguf(inFolder('mixed.gguf'), ofArchitecture(architecture, 8), 5))
      expect(mixed.unfit).toEqual({ ...speaks, student: expect.stringMatching(/mixture of experts.*qwen3moe/) })
    },
  )

  test.each(['qwen3moe', 'granitemoe'])('of the student are open to %s as a mixture of experts only', async (name) => {
    expect((await add(writeTestGguf(inFolder('mixed.gguf'), ofArchitecture(name, 8), 4))).unfit).toEqual(speaks)
    const dense = await add(writeTestGguf(inFolder('dense.gguf'), ofArchitecture(name), 5))
    expect(dense.unfit.student).toMatch(/no experts/)
  })

  test('of the student are open to weights of any type ggml turns into floats, and closed to unknown ones', async () => {
    const entries = readGguf(readFileSync(writeTestGguf(inFolder('plain.gguf')))).entries
    const write = (name: string, type: number) =>
      writeGgufFile(inFolder(name), entries, [
        { name: 'token_embd.weight', shape: [256, 2], type, bytes: blocks(type) },
      ])
    const blocks = (seed: number) => Buffer.alloc(2048, seed)
    for (const type of [1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 29, 30])
      expect((await add(write(`type-${type}.gguf`, type))).unfit, `type ${type}`).toEqual(speaks)
    expect((await add(write('odd.gguf', 99))).unfit.student).toMatch(/type 99/)
  })

  test('an untrainable model may still teach', async () => {
    const model = await add(writeTestGguf(inFolder('odd.gguf'), textEntry('general.architecture', 'mamba')))
    await engine.call('model.assign', { modelId: model.id, role: 'teacher' })
  })
})

describe('files that change', () => {
  test('a missing file is said to be missing and its model cannot be given a role', async () => {
    const model = await add(writeTestGguf(inFolder('finch.gguf')))
    rmSync(inFolder('finch.gguf'))
    expect(await engine.call('model.list', {})).toMatchObject([{ isMissing: true }])
    await expect(engine.call('model.assign', { modelId: model.id, role: 'teacher' })).rejects.toMatchObject({
      code: 'model-missing',
      message: expect.stringContaining(inFolder('finch.gguf')),
    })
  })

  test('a moved file is the same model with the same role', async () => {
    const model = await add(writeTestGguf(inFolder('finch.gguf')))
    await engine.call('model.assign', { modelId: model.id, role: 'teacher' })
    renameSync(inFolder('finch.gguf'), inFolder('moved.gguf'))
    expect(await add(inFolder('moved.gguf'))).toMatchObject({ id: model.id, roles: ['teacher'], isMissing: false })
    expect(await engine.call('model.list', {})).toHaveLength(1)
  })

  test('models that ship with the app are found again after the app has moved', async () => {
    const { demoModelsDir } = engine.lab.resources
    const copy = inFolder('teacher.gguf')
    copyFileSync(join(demoModelsDir, 'teacher.gguf'), copy)
    const model = await add(copy)
    await engine.call('model.assign', { modelId: model.id, role: 'teacher' })
    rmSync(copy)
    await engine.close()
    engine = await createTestEngine({ dataDir: engine.dataDir })
    const found = { id: model.id, path: join(demoModelsDir, 'teacher.gguf'), isMissing: false, roles: ['teacher'] }
    expect(await engine.call('model.list', {})).toMatchObject([found])
  })

  test('a file that became another one is not used unseen', async () => {
    await add(writeTestGguf(inFolder('finch.gguf')))
    writeTestGguf(inFolder('finch.gguf'), {}, 9)
    expect((await engine.call('model.list', {}))[0]?.unfit.teacher).toMatch(/changed since/)
    await add(inFolder('finch.gguf'))
    expect(await engine.call('model.list', {})).toMatchObject([{ parameterCount: 72, unfit: speaks }])
  })

  test('removing a model leaves its file alone', async () => {
    const path = writeTestGguf(inFolder('finch.gguf'))
    const before = readFileSync(path)
    const model = await add(path)
    await engine.call('model.remove', { modelId: model.id })
    expect(await engine.call('model.list', {})).toEqual([])
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

test('the overview says what to do next', async () => {
  const own = await engine.call('project.create', { name: 'Own' })
  expect(await engine.call('workspace.overview', {})).toMatchObject({ project: { id: own.id }, next: 'add-models' })
  const model = await add(writeTestGguf(inFolder('finch.gguf')))
  for (const role of ['teacher', 'student'] as const) await engine.call('model.assign', { modelId: model.id, role })
  expect(await engine.call('workspace.overview', {})).toMatchObject({ next: 'add-leaves', activeJob: null })
})

test('the hardware report has real figures', async () => {
  const report = await engine.call('workspace.hardware', {})
  expect(report.coreCount).toBeGreaterThan(0)
  expect(report.memoryTotalBytes).toBeGreaterThan(report.memoryFreeBytes)
  expect(report.diskFreeBytes).toBeGreaterThan(1000)
  expect(report.gpu).toBe('none')
})
