// The engine's door: validation, errors, projects, restart, one engine a folder.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { MethodInput } from '../../main/contract/api.ts'
import { AppError } from '../../main/contract/errors.ts'
import { createTestEngine, type TestEngine } from '../support/test-engine.ts'

const opened: TestEngine[] = []
async function open(options: Parameters<typeof createTestEngine>[0] = {}): Promise<TestEngine> {
  const engine = await createTestEngine(options)
  opened.push(engine)
  return engine
}
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.dispose()
})

describe('the door', () => {
  test('names the field of a bad input, with a remedy', async () => {
    const engine = await open()
    const call = engine.call('job.events', { jobId: 'x', after: -1 } as unknown as MethodInput<'job.events'>)
    await expect(call).rejects.toMatchObject({ code: 'bad-input', message: expect.stringContaining('after') })
    await expect(engine.call('project.create', { name: '' })).rejects.toMatchObject({
      code: 'bad-input',
      remedy: /name/,
    })
  })

  test('turns what a handler throws into an AppError', async () => {
    const engine = await open({
      extraMethods: () => ({
        'chat.stop': () => {
          throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
        },
      }),
    })
    const failed = engine.call('chat.stop', { chatId: 'c' })
    await expect(failed).rejects.toBeInstanceOf(AppError)
    await expect(failed).rejects.toMatchObject({ code: 'disk-full' })
  })

  test('is shut once the engine is closed', async () => {
    const engine = await open()
    await engine.close()
    await expect(engine.call('job.list', {})).rejects.toMatchObject({ code: 'cancelled' })
  })
})

describe('a data folder', () => {
  test('that is fresh holds one open project, the demo', async () => {
    const engine = await open()
    const projects = await engine.call('project.list', {})
    expect(projects).toMatchObject([{ name: 'Demo', isDemo: true, isOpen: true }])
    expect(existsSync(join(projects[0]!.folder, 'project.sqlite'))).toBe(true)
  })

  test('is refused to a second engine, and free again after the first has closed', async () => {
    const engine = await open()
    await expect(createTestEngine({ dataDir: engine.dataDir })).rejects.toMatchObject({ code: 'conflict' })
    await engine.close()
    await open({ dataDir: engine.dataDir })
  })

  test('remembers settings and the open project over a restart', async () => {
    const engine = await open()
    await engine.call('settings.set', { language: 'ja', threads: 3 })
    const made = await engine.call('project.create', { name: 'My birds!' })
    expect(made).toMatchObject({ id: 'my-birds', name: 'My birds!', isDemo: false, isOpen: true })
    expect(await engine.call('project.create', { name: 'My birds?' })).toMatchObject({ id: 'my-birds-2' })
    await engine.call('project.open', { id: 'my-birds' })
    await engine.close()
    const again = await open({ dataDir: engine.dataDir })
    expect(await again.call('settings.get', {})).toMatchObject({ language: 'ja', threads: 3, theme: 'system' })
    const openNow = (await again.call('project.list', {})).filter((project) => project.isOpen)
    expect(openNow.map((project) => project.id)).toEqual(['my-birds'])
  })

  test('with a damaged settings file opens with defaults and keeps the file', async () => {
    const engine = await open()
    await engine.close()
    writeFileSync(join(engine.dataDir, 'settings.json'), '{ "theme": "plaid"')
    const again = await open({ dataDir: engine.dataDir })
    expect(await again.call('settings.get', {})).toMatchObject({ theme: 'system' })
    expect(readFileSync(join(engine.dataDir, 'settings.json.broken'), 'utf8')).toContain('plaid')
  })

  test('whose last project is damaged opens another, and says what is wrong when the damaged one is opened', async () => {
    const engine = await open()
    const { id, folder } = await engine.call('project.create', { name: 'Broken' })
    await engine.close()
    writeFileSync(join(folder, 'project.sqlite'), 'this is not a database, whatever its name says'.repeat(100))
    const again = await open({ dataDir: engine.dataDir })
    const projects = await again.call('project.list', {})
    expect(projects.find((project) => project.isOpen)).toMatchObject({ name: 'Demo' })
    await expect(again.call('project.open', { id })).rejects.toMatchObject({ code: 'database' })
  })

  test('with a project that cannot be read still opens, and lists that project by its folder', async () => {
    const engine = await open()
    mkdirSync(join(engine.dataDir, 'projects/torn'), { recursive: true })
    writeFileSync(join(engine.dataDir, 'projects/torn/project.sqlite'), 'x'.repeat(9000))
    expect((await engine.call('project.list', {})).map((project) => project.name)).toContain('torn')
    await expect(engine.call('project.open', { id: 'torn' })).rejects.toMatchObject({ code: 'database' })
    await expect(engine.call('project.open', { id: '../..' })).rejects.toMatchObject({ code: 'not-found' })
    expect(await engine.call('job.list', {})).toEqual([])
  })
})

describe('a change of project', () => {
  test('waits for a call that works in the open one, and is refused when that takes long', async () => {
    let release: () => void = () => undefined
    const engine = await open({
      extraMethods: (lab) => ({
        'chat.stop': async () => {
          const before = lab.project().id
          await new Promise<void>((done) => {
            release = done
          })
          if (lab.project().id !== before) throw new Error('the project changed under a call')
          return null
        },
      }),
    })
    const slow = engine.call('chat.stop', { chatId: 'c' })
    await expect(engine.call('project.create', { name: 'Other' })).rejects.toMatchObject({ code: 'conflict' })
    const quick = engine.call('project.create', { name: 'Other' })
    release()
    await expect(slow).resolves.toBeNull()
    await expect(quick).resolves.toMatchObject({ name: 'Other', isOpen: true })
  })
})

describe('the demo', () => {
  test('is filled once; a filling that failed is tried again at the next start', async () => {
    let calls = 0
    const seedDemo = async () => {
      calls += 1
      if (calls === 1) throw new Error('cut short')
    }
    const first = await open({ seedDemo })
    expect(first.logLines.join()).toContain('cut short')
    await first.close()
    await (await open({ dataDir: first.dataDir, seedDemo })).close()
    await (await open({ dataDir: first.dataDir, seedDemo })).close()
    expect(calls).toBe(2)
  })
})

test('an attempt to leave the machine is refused and shows in the offline proof', async () => {
  const engine = await open({ host: 'web', offlineMeasures: ['Listens on loopback only.'] })
  const before = await engine.call('workspace.offline', {})
  await expect(fetch('http://192.0.2.7/')).rejects.toThrow()
  const proof = await engine.call('workspace.offline', {})
  expect(proof.host).toBe('web')
  expect(proof.measures[0]).toBe('Listens on loopback only.')
  expect(proof.outgoingConnectionCount).toBe(before.outgoingConnectionCount + 1)
  expect(proof.blockedRequests.at(-1)?.url).toBe('tcp://192.0.2.7:80')
})

describe('jobs and projects', () => {
  test('a project is not left while a job runs in it; a restart finds that job interrupted', async () => {
    const engine = await open({
      extraJobHandlers: () => ({
        export: ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      }),
    })
    const job = engine.lab.jobs.start({ kind: 'export', title: 'Long export', subject: 's' })
    await expect(engine.call('project.create', { name: 'Other' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('Long export'),
    })
    await engine.close()
    const again = await open({ dataDir: engine.dataDir })
    expect(await again.call('job.get', { jobId: job.id })).toMatchObject({ state: 'interrupted' })
    expect((await again.call('job.events', { jobId: job.id })).map((event) => event.kind)).toContain('state')
  })
})
