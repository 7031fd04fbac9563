// The guard that keeps Node processes offline: every way out is refused and remembered, loopback is free.

import { execFileSync, fork } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { FromWorker } from '../../main/compute/llama-messages.ts'

interface Outcome {
  outcomes: Record<string, string>
  count: number
  after: { count: number; attempts: { url: string }[] }
}

test('no way out of the machine is open, each attempt is remembered, and loopback works', () => {
  const script = join(import.meta.dirname, '../support/try-to-connect.ts')
  const { outcomes, count, after } = JSON.parse(
    execFileSync(process.execPath, [script], { encoding: 'utf8' }),
  ) as Outcome
  const { '127.0.0.1': loopback, localhost, ...outside } = outcomes
  expect(Object.values(outside)).toEqual(Object.keys(outside).map(() => 'ENETUNREACH'))
  expect(Object.keys(outside)).toHaveLength(11)
  expect(count).toBeGreaterThanOrEqual(11)
  expect(after.attempts.map((attempt) => attempt.url)).toContain('tcp://192.0.2.1:9')
  expect(after.attempts.map((attempt) => attempt.url)).toContain('dns://example.org')
  expect([loopback, localhost]).toEqual(['passed', 'passed'])
  expect(after.count).toBe(count)
})

test('the model worker stands under the same guard and reports what it refused', async () => {
  const leave = 'data:text/javascript,setInterval(()=>fetch("http://192.0.2.9/").catch(()=>0),300)'
  const worker = fork(join(import.meta.dirname, '../../main/compute/worker/llama.ts'), [], {
    execArgv: ['--import', leave],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const attempt = await new Promise((resolve) =>
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'blocked') resolve(message.attempt.url)
    }),
  )
  worker.kill('SIGKILL')
  expect(attempt).toBe('tcp://192.0.2.9:80')
})
