// The engine's back door for the same user on the same machine: a local socket beside the data folder, so that a second terminal can
// watch and steer the engine that has the folder open. Frames of the contract, one JSON text a line. Readable by its owner only.

import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { EngineApi } from '../../contract/api.ts'
import { connectEngine, type Port, serveEngine } from '../../contract/rpc.ts'

/** Longest frame that is read; longer ones end the connection. */
const maxFrameBytes = 64 << 20
/** Longest path of a local socket that every platform takes. */
const maxSocketPath = 100

export interface EngineDoor {
  close(): void
}

/** Serves the engine to other processes of this user. Without a door (an odd file system) the engine works all the same. */
export async function openDoor(engine: EngineApi, dataDir: string, log: (line: string) => void): Promise<EngineDoor> {
  const path = socketPath(dataDir)
  const clients = new Set<Socket>()
  const server = createServer((socket) => {
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    serveEngine(engine, linePort(socket))
  })
  // The folder's lock is held by now: whatever lies here belongs to an engine that is gone.
  if (process.platform !== 'win32') rmSync(path, { force: true })
  await new Promise<void>((done) => {
    server.once('error', (error) => {
      log(`no door for other terminals: ${error.message}`)
      done()
    })
    server.listen(path, () => {
      if (process.platform !== 'win32') chmodSync(path, 0o600)
      done()
    })
  })
  return {
    close() {
      server.close()
      for (const socket of clients) socket.destroy()
    },
  }
}

/** Connects to the engine that has the folder open; null when none answers. */
export function knock(dataDir: string): Promise<{ engine: EngineApi; leave: () => void } | null> {
  const socket = connect(socketPath(dataDir))
  return new Promise((done) => {
    socket.once('error', () => done(null))
    socket.once('connect', () => done({ engine: connectEngine(linePort(socket)), leave: () => socket.destroy() }))
  })
}

function socketPath(dataDir: string): string {
  const folder = resolve(dataDir)
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\labdesk-${name}`
  const beside = join(folder, 'engine.sock')
  if (Buffer.byteLength(beside) <= maxSocketPath) return beside
  const ours = join(tmpdir(), `labdesk-${userInfo().uid}`)
  mkdirSync(ours, { recursive: true, mode: 0o700 })
  return join(ours, `${name}.sock`)
}

/** A port of the contract over a stream, one frame a line. */
function linePort(socket: Socket): Port {
  let rest = ''
  const listeners: ((frame: unknown) => void)[] = []
  const read = (line: string) => {
    try {
      const frame: unknown = JSON.parse(line)
      for (const listener of listeners) listener(frame)
    } catch (thrown) {
      socket.destroy(thrown instanceof Error ? thrown : undefined)
    }
  }
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > maxFrameBytes) socket.destroy()
    for (const line of lines) read(line)
  })
  // What went wrong shows as `close`, which the port's users listen to.
  socket.on('error', () => socket.destroy())
  return {
    post: (frame) => void (socket.writable && socket.write(`${JSON.stringify(frame)}\n`)),
    onMessage: (listener) => void listeners.push(listener),
    onClose: (listener) => void socket.on('close', listener),
  }
}
