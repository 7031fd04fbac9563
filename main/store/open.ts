// Opens a project's SQLite file and brings its schema up to date. Owns pragmas, migrations, backups and the translation of SQLite's
// errors. Refuses runtimes that would crash, foreign or damaged files, and databases written by a newer version of the app.

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { AppError, type ErrorFrame, toAppError } from '../contract/errors.ts'
import { gramsOf } from '../domain/text-grams.ts'
import type { Migration } from './migration.ts'

export type Database = BetterSqlite3.Database

/** "LDSK": tells a Labdesk database from any other SQLite file. */
const applicationId = 0x4c44534b
const busyTimeoutMs = 5000

/**
 * Opens `file` (created when absent) with every migration applied. Before each migration of a database that holds something, a
 * consistent copy is kept as `<file>.before-<number>`. Stops at the first migration that fails; that one leaves no trace.
 * @throws AppError `unsupported-runtime`, `database`, `disk-full`, `file-access`
 */
export function openDatabase(file: string, migrations: readonly Migration[]): Database {
  requireRuntime(process.versions)
  let db: Database | undefined
  try {
    mkdirSync(dirname(file), { recursive: true })
    db = new BetterSqlite3(file, { timeout: busyTimeoutMs })
    configure(db)
    migrate(db, file, migrations)
    return db
  } catch (thrown) {
    db?.close()
    throw fromSqlite(thrown)
  }
}

/** Opens an existing database for reading only, without migrating it. */
export function openReadOnly(file: string): Database {
  requireRuntime(process.versions)
  try {
    return new BetterSqlite3(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
  } catch (thrown) {
    throw fromSqlite(thrown)
  }
}

/** better-sqlite3 needs Node-API 10 (Node >= 22.14); an older runtime dies without a word when it opens a database. */
export function requireRuntime(versions: { napi?: string | undefined; node?: string | undefined }): void {
  if (Number(versions.napi ?? 0) >= 10) return
  throw new AppError({
    code: 'unsupported-runtime',
    message: `This Node.js (${versions.node ?? 'unknown'}) is too old for Labdesk.`,
    remedy: 'Start Labdesk with its npm scripts (they bring Node 24 along), or use Node 22.14 or newer.',
    detail: `Node-API ${versions.napi ?? 'unknown'}, 10 needed`,
  })
}

function configure(db: Database): void {
  db.pragma('journal_mode = WAL')
  // FULL: a commit is on disk before the call returns. A reviewer's verdict must survive a power cut; writes here are few and batched.
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  // For triggers (only what opens the database here writes to it) and for searches.
  db.function('grams', { deterministic: true, varargs: true }, (...texts) => gramsOf(texts.map(String)))
  db.function('says', { deterministic: true, varargs: true }, (words, ...texts) =>
    Number(texts.some((text) => String(text).toLowerCase().includes(String(words).toLowerCase()))),
  )
}

function migrate(db: Database, file: string, migrations: readonly Migration[]): void {
  const ordered = [...migrations].sort((a, b) => a.number - b.number)
  const newest = ordered.at(-1)?.number ?? 0
  const current = Number(db.pragma('user_version', { simple: true }))
  refuseForeign(db, file, current)
  if (current > newest) throw tooNew(file, current, newest)
  for (const migration of ordered) {
    if (migration.number <= current) continue
    if (current > 0) backUp(db, `${file}.before-${migration.number}`)
    apply(db, migration)
  }
}

function refuseForeign(db: Database, file: string, current: number): void {
  const owner = Number(db.pragma('application_id', { simple: true }))
  const tableCount = Number(db.prepare('select count(*) from sqlite_schema').pluck().get())
  if (owner === applicationId || (owner === 0 && current === 0 && tableCount === 0)) return
  throw new AppError({
    code: 'database',
    message: `${file} is a database of another program.`,
    remedy: 'Choose a folder that Labdesk made, or an empty one.',
  })
}

function tooNew(file: string, current: number, newest: number): AppError {
  return new AppError({
    code: 'database',
    message: 'This project was last opened by a newer version of Labdesk.',
    remedy: `Update Labdesk, or put back the copy ${file}.before-${newest + 1} if it is there.`,
    detail: `schema ${current}, this program knows up to ${newest}`,
  })
}

/** A consistent copy at `target`; an older copy of the same name is replaced only once the new one is complete. */
function backUp(db: Database, target: string): void {
  const unfinished = `${target}.part`
  rmSync(unfinished, { force: true })
  try {
    db.prepare('vacuum into ?').run(unfinished)
    flush(unfinished)
    renameSync(unfinished, target)
  } finally {
    if (existsSync(unfinished)) rmSync(unfinished, { force: true })
  }
}

/** SQLite itself does not wait for the disk when it vacuums into a file. */
function flush(file: string): void {
  const handle = openSync(file, 'r+')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function apply(db: Database, migration: Migration): void {
  // Off while tables may be rebuilt (it cannot change inside a transaction); the check below takes its place.
  db.pragma('foreign_keys = OFF')
  try {
    db.transaction(() => {
      db.exec(migration.sql)
      const broken = db.pragma('foreign_key_check') as unknown[]
      if (broken.length > 0) throw new Error(`${broken.length} rows would point nowhere`)
      db.pragma(`user_version = ${migration.number}`)
      db.pragma(`application_id = ${applicationId}`)
    }).immediate()
  } catch (thrown) {
    throw failedMigration(migration, thrown)
  } finally {
    db.pragma('foreign_keys = ON')
  }
}

function failedMigration(migration: Migration, thrown: unknown): AppError {
  const translated = fromSqlite(thrown)
  if (translated.code === 'disk-full') return translated
  return new AppError(
    {
      code: 'database',
      message: `The project could not be brought up to date (step ${migration.number}, ${migration.name}); it is as it was before.`,
      remedy: 'Go on with the version of Labdesk you used before, and report this.',
      detail: translated.detail ?? translated.message,
    },
    { cause: thrown },
  )
}

const damaged: ErrorFrame = {
  code: 'database',
  message: 'The project database is damaged or is not a database.',
  remedy:
    'Put back the newest copy named project.sqlite.before-<number> from the project folder, or a backup of your own.',
}
const busy: ErrorFrame = {
  code: 'database',
  message: 'The project database is in use by another program.',
  remedy: 'Close the other program that has this project open, then try again.',
}
const unreadable: ErrorFrame = {
  code: 'file-access',
  message: 'The project database could not be opened or written.',
  remedy: 'Check that the folder exists, that your account may write to it, and that its disk is connected.',
}
const full: ErrorFrame = {
  code: 'disk-full',
  message: 'The disk is full, so the last write was not made.',
  remedy: 'Free some space on the disk that holds the project, then resume.',
}

/** SQLite result codes by prefix, most particular first. */
const frames: readonly (readonly [string, ErrorFrame])[] = [
  ['SQLITE_FULL', full],
  ['SQLITE_CORRUPT', damaged],
  ['SQLITE_NOTADB', damaged],
  ['SQLITE_BUSY', busy],
  ['SQLITE_LOCKED', busy],
  ['SQLITE_CANTOPEN', unreadable],
  ['SQLITE_READONLY', unreadable],
  ['SQLITE_PERM', unreadable],
  ['SQLITE_IOERR', unreadable],
]

/** Translates what SQLite or the file system threw; an AppError passes unchanged. Every edge of the engine calls this. */
export function fromSqlite(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof BetterSqlite3.SqliteError)) return toAppError(thrown)
  const { code, message } = thrown
  const frame = frames.find(([prefix]) => code.startsWith(prefix))?.[1]
  const detail = `${code}: ${message}`
  if (frame) return new AppError({ ...frame, detail }, { cause: thrown })
  return toAppError(thrown)
}
