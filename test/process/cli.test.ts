// The command line as a person or a script uses it: JSON on stdout, words on stderr, honest exit codes, jobs paused by Ctrl-C.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { methodNames } from '../../main/contract/api.ts'
import type { JobId } from '../../main/contract/ids.ts'
import type { Job } from '../../main/contract/jobs.ts'
import type { TrainPlan } from '../../main/contract/tuning.ts'
import type { DemoReport, DemoScore } from '../../main/contract/workspace.ts'
import { parseInput } from '../../main/hosts/cli/arguments.ts'
import { findMethod, listCommands } from '../../main/hosts/cli/commands.ts'
import { demoTable } from '../../main/hosts/cli/demo-table.ts'
import { createProgressView, progressLine } from '../../main/hosts/cli/progress.ts'
import { openDoor } from '../../main/hosts/node/local-socket.ts'
import { defaultDataDir } from '../../main/hosts/node/paths.ts'
import { writeTestGguf } from '../support/gguf-files.ts'
import { createTestEngine } from '../support/test-engine.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

interface Outcome {
  code: number | null
  out: string
  err: string
  json: () => unknown
}

const entry = join(import.meta.dirname, '../../main/hosts/cli/main.ts')

function start(words: string[]): { child: ChildProcess; ended: Promise<Outcome> } {
  const env = { ...process.env, LABDESK_DATA: join(folder, 'data') }
  const child = spawn(process.execPath, [entry, ...words], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  started.push(child)
  let out = ''
  let err = ''
  child.stdout?.on('data', (text: Buffer) => (out += text.toString()))
  child.stderr?.on('data', (text: Buffer) => (err += text.toString()))
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    out,
    err,
    json: () => JSON.parse(out) as unknown,
  }))
  return { child, ended }
}
const run = (...words: string[]) => start(words).ended

describe('one command', () => {
  test('says what training a model takes, and with a probe what it really took', async () => {
    const student = join(import.meta.dirname, '../../main/demo/models/student.gguf')
    const planned = await run('train', 'plan', '--model', student, '--mode', 'full', '--tokens', '256')
    expect(planned.code, planned.err).toBe(0)
    expect(planned.json()).toMatchObject({
      architecture: 'llama',
      parameterCount: 973_824,
      trainableCount: 973_824,
      probe: null,
    })
    const probed = await run('train', 'plan', '--model', student, '--rank', '8', '--tokens', '512', '--probe')
    const plan = probed.json() as TrainPlan
    expect(plan.plannedBytes).toBe(plan.weightBytes + plan.stateBytes + plan.passBytes)
    expect(plan.probe?.tokensPerSecond).toBeGreaterThan(100)
    if (process.platform === 'linux') expect(plan.probe?.peakBytes).toBeGreaterThan(plan.plannedBytes / 2)
    const missing = await run('train', 'plan', '--model', join(folder, 'none.gguf'))
    expect(missing.code).toBe(1)
    expect(missing.err).toMatch(/none\.gguf/)
  }, 60_000)

  test('ends with 1 where an import or a scan had to refuse a file, and tells of it on stdout', async () => {
    const leaf = join(folder, 'taxonomy/knowledge/birds')
    mkdirSync(leaf, { recursive: true })
    writeFileSync(join(leaf, 'qna.yaml'), 'version: 3\n')
    const imported = await run('taxonomy', 'import', '--folder', join(folder, 'taxonomy'))
    expect([imported.code, imported.json()]).toEqual([1, [expect.objectContaining({ outcome: 'refused' })]])
    mkdirSync(join(folder, 'scanned'), { recursive: true })
    writeFileSync(join(folder, 'scanned/cut.gguf'), 'GGUF')
    const scanned = await run('model', 'scan', '--folder', join(folder, 'scanned'))
    expect([scanned.code, scanned.json()]).toEqual([1, { added: [], refused: [expect.anything()] }])
  })

  test('prints JSON and nothing else on stdout, and remembers the project it opened', async () => {
    const made = await run('project', 'create', 'Birds')
    expect([made.code, made.err]).toEqual([0, ''])
    expect(made.json()).toMatchObject({ id: 'birds', isOpen: true })
    const listed = await run('project', 'list')
    expect(listed.json()).toMatchObject([
      { name: 'Demo', isOpen: false },
      { name: 'Birds', isOpen: true },
    ])
    expect((await run('workspace', 'overview', '--project', 'Demo')).json()).toMatchObject({ project: { id: 'demo' } })
  })

  test('imports documents of every kind, and shows how one is cut into chunks', async () => {
    await run('project', 'create', 'Moor')
    const seed = (at: number) => ({
      context: `Wren ${Math.floor(at / 3)}.`,
      question: `What is ${at}?`,
      answer: 'A bird.',
    })
    const leaf = {
      path: 'knowledge/moor',
      branch: 'knowledge',
      domain: 'birds',
      documentOutline: 'Birds',
      seeds: Array.from({ length: 15 }, (_, at) => seed(at)),
    }
    writeFileSync(join(folder, 'leaf.json'), JSON.stringify(leaf))
    const saved = await run('taxonomy', 'save', '--input', join(folder, 'leaf.json'))
    expect(saved.code, saved.err).toBe(0)
    writeFileSync(join(folder, 'birds.csv'), `name,song\n${'wren,loud and long\n'.repeat(60)}`)
    writeFileSync(join(folder, 'empty.pdf'), '')
    writeFileSync(join(folder, 'page.html'), '<h1>Wrens</h1><p>They sing.')
    const imported = await run('document', 'import', '--leaf', 'knowledge/moor', 'birds.csv', 'empty.pdf', 'page.html')
    expect(imported.code).toBe(1)
    expect(imported.json()).toMatchObject({
      added: [
        { name: 'birds.csv', type: 'csv' },
        { name: 'page.html', type: 'html' },
      ],
      refused: [{ path: join(folder, 'empty.pdf'), message: '"empty.pdf" is empty.' }],
    })
    const { added } = imported.json() as { added: { id: string }[] }
    const chunks = (await run('document', 'chunk', added[0]?.id ?? '', '--tokens', '60')).json() as {
      text: string
      tokenCount: number
    }[]
    expect(chunks.length).toBeGreaterThan(3)
    for (const { text, tokenCount } of chunks) {
      expect(text.startsWith('| name | song |')).toBe(true)
      expect(tokenCount).toBeLessThanOrEqual(60)
    }
  })

  test('takes paths from where it was typed, and values by position or by flag', async () => {
    mkdirSync(join(folder, 'models'), { recursive: true })
    writeTestGguf(join(folder, 'models/finch.gguf'))
    const added = await run('model', 'add', 'models/finch.gguf', '--project', 'Birds')
    expect(added.json()).toMatchObject({ path: join(folder, 'models/finch.gguf'), name: 'Finch 1B' })
    const { id } = added.json() as { id: string }
    expect((await run('model', 'assign', id, 'teacher')).json()).toMatchObject([{ roles: ['teacher'] }])
    expect((await run('model', 'assign', '--role', 'student', '--model-id', id)).code).toBe(0)
  })
})

describe('what goes wrong', () => {
  test.each([
    { words: [], code: 2, says: 'Usage: labdesk' },
    { words: ['model', 'ad'], code: 2, says: 'There is no command "model ad"' },
    { words: ['modle'], code: 2, says: 'There is no command "modle"' },
    { words: ['model', 'add', 'a', 'b'], code: 2, says: '"b" is one value too many' },
    { words: ['model', 'add', '--colour', 'red'], code: 2, says: '--colour' },
    { words: ['settings', 'set', '--threads', 'many'], code: 2, says: 'threads is not valid' },
    { words: ['tuning', 'estimate', '--input', 'none.json'], code: 2, says: 'none.json cannot be read' },
    { words: ['tuning', 'estimate', '--phases', '{"a'], code: 2, says: '--phases is not valid JSON' },
    { words: ['job', 'watch'], code: 2, says: 'needs the id of a job' },
    { words: ['chat', 'model-x'], code: 2, says: 'needs a model and a question' },
    { words: ['model', 'add', 'nowhere.gguf'], code: 1, says: 'not-found: There is no file' },
    { words: ['job', 'resume', 'job-x'], code: 1, says: 'not-found: There is no job job-x' },
    { words: ['model', 'list', '--project', 'Nests'], code: 1, says: 'There is no project "Nests"' },
  ])('is said on stderr with the right exit code: labdesk $words', async ({ words, code, says }) => {
    const outcome = await run(...words)
    expect(outcome.err).toContain(says)
    expect([outcome.code, outcome.out]).toEqual([code, ''])
  })

  test('a truncated model is named with what to do', async () => {
    writeFileSync(join(folder, 'cut.gguf'), 'GGUF\u0003')
    const { code, err } = await run('model', 'add', 'cut.gguf')
    expect(code).toBe(1)
    expect(err).toMatch(/bad-gguf: .*\n {2}Choose a complete GGUF file/)
  })
})

describe('beside a Labdesk that has the folder open', () => {
  test('a second terminal sees its projects, follows its job to the end, and steers it', async () => {
    const dataDir = join(folder, 'shared')
    const engine = await createTestEngine({
      dataDir,
      extraJobHandlers: () => ({
        export: async ({ signal, progress, log }) => {
          log('counting begins')
          for (let done = 0; !signal.aborted; done++) {
            progress({ done, total: 1e6, label: 'counting', ratePerSecond: null, etaSeconds: null })
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        },
      }),
    })
    const door = await openDoor(engine, dataDir, (line) => expect.fail(line))
    const { id } = engine.lab.jobs.start({ kind: 'export', title: 'A slow export', subject: 's' })

    const { child, ended } = start(['job', 'watch', id, '--data', dataDir])
    const said = new Promise<void>((resolve) =>
      child.stderr?.on('data', (text: Buffer) => text.toString().includes('counting') && resolve()),
    )
    await said
    child.kill('SIGINT')
    const watched = await ended
    expect(watched.code).toBe(3)
    expect(watched.json()).toMatchObject({ id, state: 'paused' })
    expect(watched.err).toContain('Pausing at the next safe point')
    expect(watched.err).toContain(`labdesk job resume ${id}`)
    expect(engine.lab.jobs.get(id).state).toBe('paused')

    const cancelled = await run('job', 'cancel', id, '--data', dataDir)
    expect(cancelled.json()).toMatchObject({ state: 'cancelled' })
    door.close()
    await engine.close()
  })

  test('an engine without a door is named instead', async () => {
    const dataDir = join(folder, 'closed')
    const engine = await createTestEngine({ dataDir })
    const { code, err } = await run('job', 'list', '--data', dataDir)
    expect(code).toBe(1)
    expect(err).toContain('conflict: Labdesk is already running')
    await engine.close()
  })
})

describe('the words', () => {
  test('every method of the contract is a command with a line of help', () => {
    const help = listCommands()
    for (const name of methodNames) {
      const [noun = '', verb = ''] = name.split('.')
      expect(findMethod(noun, verb)).toBe(name)
      expect(help).toContain(`${noun} ${verb}`)
    }
    expect(findMethod('tune', 'start')).toBe('tuning.start')
    expect(findMethod('generate', 'start')).toBe('generation.start')
    expect(findMethod('exam', 'run')).toBe('exam.start')
  })

  test('flags are shaped by the schema: numbers, lists, yes and no, JSON', () => {
    expect(parseInput('exam.start', ['--exam-ids', 'a,b', '--model-ids', 'm1', '--model-ids', 'm2']).input).toEqual({
      examIds: ['a', 'b'],
      modelIds: ['m1', 'm2'],
    })
    expect(parseInput('demo.run', ['--no-without-replay']).input).toEqual({ withoutReplay: false })
    expect(parseInput('sample.list', ['--limit', '5', '--filter', '{"status":"accepted"}']).input).toEqual({
      limit: 5,
      filter: { status: 'accepted' },
    })
  })

  test('help names every flag, what is required and what it is otherwise', async () => {
    const { code, err } = await run('dataset', 'freeze', '--help')
    expect(code).toBe(0)
    expect(err).toContain('labdesk dataset freeze <name>')
    expect(err).toMatch(/--name +text \(required\)/)
    expect(err).toMatch(/--validation-share +number \(default 0\.05\)/)
  })

  test('data lives where the platform keeps it, or where LABDESK_DATA says', () => {
    expect(defaultDataDir({ LABDESK_DATA: '/srv/labdesk' })).toBe('/srv/labdesk')
    if (process.platform === 'linux') expect(defaultDataDir({ XDG_DATA_HOME: '/d' })).toBe('/d/labdesk')
  })
})

describe('progress', () => {
  const job = (done: number, stage?: { index: number; count: number; name: string }): Job => ({
    id: 'j' as JobId,
    kind: 'demo',
    title: '',
    state: 'running',
    error: null,
    subject: '',
    createdAtMs: 0,
    startedAtMs: 0,
    endedAtMs: null,
    progress: {
      done,
      total: 200,
      label: 'Question 3',
      ratePerSecond: 3.21,
      etaSeconds: 64,
      ...(stage ? { stage } : {}),
    },
  })

  test('is one line with share, rate, time left and stage, cut to the terminal', () => {
    const shown = job(90, { index: 1, count: 7, name: 'generate' })
    expect(progressLine(shown, 200)).toBe(
      '[###########-------------]   45%  90/200  3.2/s  1:04 left  [2/7 generate]  Question 3',
    )
    expect(progressLine(shown, 40)).toHaveLength(39)
  })

  test('without a terminal is a line every five seconds, and one for each new stage', () => {
    let clock = 0
    const lines: string[] = []
    const stream = { isTTY: false, write: (text: string) => lines.push(text) } as unknown as NodeJS.WriteStream
    const view = createProgressView(stream, () => clock)
    for (; clock <= 11_000; clock += 100) view.show(job(clock / 100))
    expect(lines).toHaveLength(3)
    view.show(job(1, { index: 1, count: 2, name: 'tune' }))
    expect(lines).toHaveLength(4)
  })
})

test("the demo's closing table has a row for each phase and a column for each exam, with intervals", () => {
  const score = (variant: DemoScore['variant'], cell: string, correct: number): DemoScore => {
    const [phase = '', exam = ''] = cell.split('/')
    const share = correct / 50
    const interval = { low: share - 0.05, high: share + 0.05 }
    return { variant, phase, exam, kind: 'closed-book', correct, total: 50, score: share, interval }
  }
  const report: DemoReport = {
    scores: [
      score('with replay', 'base/Facts', 5),
      score('with replay', 'ST/Facts', 40),
      score('with replay', 'ST/Retention', 45),
      score('without replay', 'ST/Facts', 39),
    ],
    comparisons: [
      {
        exam: 'Retention',
        kind: 'retention',
        first: 'with replay',
        second: 'base',
        difference: -0.02,
        interval: { low: -0.1, high: 0.06 },
      },
    ],
    truth: { before: { true: 80, total: 100 }, after: { true: 49, total: 50 }, undecided: 2 },
    parseFailures: { count: 1, calls: 400 },
    stageSeconds: [{ name: 'Generation', seconds: 65 }],
    exports: [{ path: '/x/model.gguf', what: 'model', sizeBytes: 2_500_000 }],
  }
  expect(demoTable(report)).toBe(`
with replay  Facts                Retention
-----------  -------------------  -------------------
base         10.0 % [5.0, 15.0]   -
ST           80.0 % [75.0, 85.0]  90.0 % [85.0, 95.0]

without replay  Facts                Retention
--------------  -------------------  ---------
ST              78.0 % [73.0, 83.0]  -

Retention: with replay minus base: -2.0 points [-10.0, +6.0]

Samples that are true: 80.0 % (80 of 100) before the filters, 98.0 % (49 of 50) after (2 of these could not be judged and count as untrue).
Answers that could not be parsed: 1 of 400 calls.
Exported model: /x/model.gguf (2.5 MB)
Time: Generation 1:05
`)
})
