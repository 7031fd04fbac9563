// One engine per data folder. The lock is an exclusive SQLite transaction held open: the operating system lets go of it when the
// process ends in whatever way, so a killed app never leaves a folder locked.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { AppError } from '../contract/errors.ts'
import { fromSqlite, requireRuntime } from './open.ts'

export interface FolderLock {
  release(): void
}

/** Takes the folder for this process. @throws AppError `conflict` when another engine has it */
export function lockFolder(folder: string): FolderLock {
  requireRuntime(process.versions)
  let db: BetterSqlite3.Database | undefined
  try {
    // Private: documents, and the door other terminals knock at.
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const held = new BetterSqlite3(join(folder, 'engine.lock'), { timeout: 200 })
    db = held
    held.exec('begin exclusive')
    return { release: () => held.close() }
  } catch (thrown) {
    db?.close()
    if (thrown instanceof BetterSqlite3.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) throw inUse(folder)
    throw fromSqlite(thrown)
  }
}

function inUse(folder: string): AppError {
  return new AppError({
    code: 'conflict',
    message: `Labdesk is already running on ${folder}.`,
    remedy: 'Close the other Labdesk, or choose another data folder (--data).',
  })
}
