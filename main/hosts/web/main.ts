// Entry of the web host: prints one link, serves until it is told to stop. Flags: --data-dir DIR, --port N.

import '../node/runtime.ts'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { AppError, toAppError } from '../../contract/errors.ts'
import { appRoot, createEngine } from '../../engine.ts'
import { openDoor } from '../node/local-socket.ts'
import { defaultDataDir } from '../node/paths.ts'
import { startWebHost } from './web-host.ts'

/** The engine gets this long to stop its jobs; then the process ends all the same. */
const closeBoundMs = 15_000

const offlineMeasures = [
  'Web host: listens on 127.0.0.1 only, answers only to the one-time link it printed, and checks Host and Origin of every request.',
  'Window: its content security policy lets the page talk to this host and to nothing else.',
]

try {
  await main()
} catch (thrown) {
  const { code, message, remedy } = toAppError(thrown)
  console.error(`labdesk: ${code}: ${message}\n  ${remedy}`)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { 'data-dir': { type: 'string' }, data: { type: 'string' }, port: { type: 'string', default: '0' } },
  })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new AppError({
      code: 'bad-input',
      message: `"${values.port}" is not a port.`,
      remedy: 'Give --port a number from 0 (any free port) to 65535.',
    })
  const dataDir = values['data-dir'] ?? values.data ?? defaultDataDir()
  const log = (line: string) => console.error(line)
  const engine = await createEngine({ dataDir, host: 'web', offlineMeasures, log })
  const door = await openDoor(engine, dataDir, log)
  const rendererDir = join(appRoot, 'out/renderer')
  const host = await startWebHost({ engine, rendererDir, port }).catch(async (thrown: unknown) => {
    door.close()
    await engine.close()
    throw thrown
  })
  console.log(host.newLink())
  if (process.stdin.isTTY) createInterface({ input: process.stdin }).on('line', () => console.log(host.newLink()))

  let isClosing = false
  const close = async () => {
    if (isClosing) process.exit(1)
    isClosing = true
    setTimeout(() => process.exit(1), closeBoundMs).unref()
    await host.close()
    door.close()
    await engine.close()
    process.exit(0)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void close())
}
