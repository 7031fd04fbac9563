// Opening a project's database: pragmas, migrations, backups, and every way a file can be wrong.

import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppError } from '../../main/contract/errors.ts'
import type { Migration } from '../../main/store/migration.ts'
import { allMigrations } from '../../main/store/migrations/all.ts'
import { fromSqlite, openDatabase, requireRuntime } from '../../main/store/open.ts'

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-open-'))
  file = join(folder, 'project.sqlite')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const one: Migration = { number: 1, name: 'one', sql: 'create table birds (name text not null) strict' }
const two: Migration = { number: 2, name: 'two', sql: 'alter table birds add column wings integer' }

function caught(act: () => unknown): AppError {
  try {
    act()
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(AppError)
    return thrown as AppError
  }
  throw new Error('nothing was thrown')
}

describe('a healthy database', () => {
  test('is in WAL mode with foreign keys on and full synchronisation', () => {
    const db = openDatabase(file, allMigrations)
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
    db.close()
  })

  test('has STRICT tables only, and no foreign key that points nowhere', () => {
    const db = openDatabase(file, allMigrations)
    const tables = db.pragma('table_list') as { name: string; type: string; strict: number }[]
    const lax = tables.filter(
      (table) => !table.name.startsWith('sqlite_') && table.type === 'table' && table.strict === 0,
    )
    expect(lax.map((table) => table.name)).toEqual([])
    expect(tables.length).toBeGreaterThan(5)
    db.close()
  })

  test('the migrations are in number order, each number once', () => {
    const numbers = allMigrations.map((migration) => migration.number)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  })
})

describe('migrations', () => {
  test('run once, in number order, whatever the order they are given in', () => {
    openDatabase(file, [two, one]).close()
    const db = openDatabase(file, [two, one])
    expect(db.pragma('user_version', { simple: true })).toBe(2)
    db.close()
  })

  test('a new database needs no backup', () => {
    openDatabase(file, [one, two]).close()
    expect(readdirSync(folder).filter((name) => name.includes('before'))).toEqual([])
  })

  test('a database that holds something is copied before it is changed', () => {
    const db = openDatabase(file, [one])
    db.prepare('insert into birds values (?)').run('chickadee')
    db.close()
    openDatabase(file, [one, two]).close()
    const copy = new BetterSqlite3(`${file}.before-2`, { readonly: true })
    expect(copy.prepare('select * from birds').all()).toEqual([{ name: 'chickadee' }])
    expect(copy.pragma('user_version', { simple: true })).toBe(1)
    copy.close()
  })

  test('an unfinished backup of an earlier attempt does not stand in the way', () => {
    openDatabase(file, [one]).close()
    writeFileSync(`${file}.before-2.part`, 'half a copy')
    writeFileSync(`${file}.before-2`, 'an older copy')
    openDatabase(file, [one, two]).close()
    expect(existsSync(`${file}.before-2.part`)).toBe(false)
    openDatabase(`${file}.before-2`, [one]).close()
  })

  test('one that fails half-way leaves the database as it was and stops there', () => {
    const db = openDatabase(file, [one])
    db.prepare('insert into birds values (?)').run('chickadee')
    db.close()
    const broken: Migration = {
      number: 2,
      name: 'broken',
      sql: 'create table nests (n integer) strict; insert into nowhere values (1)',
    }
    const three: Migration = { number: 3, name: 'three', sql: 'create table never (n integer) strict' }
    const error = caught(() => openDatabase(file, [one, broken, three]))
    expect(error.code).toBe('database')
    expect(error.message).toContain('step 2, broken')
    const after = openDatabase(file, [one])
    expect(after.prepare("select name from sqlite_schema where type = 'table'").pluck().all()).toEqual(['birds'])
    expect(after.prepare('select count(*) from birds').pluck().get()).toBe(1)
    after.close()
  })

  test('one that would leave rows pointing nowhere is rolled back', () => {
    const nests: Migration = {
      number: 2,
      name: 'nests',
      sql: 'create table trees (n integer primary key) strict; create table nests (tree integer references trees (n)) strict; insert into nests values (7)',
    }
    openDatabase(file, [one]).close()
    expect(caught(() => openDatabase(file, [one, nests])).detail).toContain('point nowhere')
    const db = openDatabase(file, [one])
    expect(db.pragma('user_version', { simple: true })).toBe(1)
    db.close()
  })
})

describe('what is refused', () => {
  test('a database written by a newer program, with the copy to go back to', () => {
    openDatabase(file, [one, two]).close()
    const error = caught(() => openDatabase(file, [one]))
    expect(error.message).toContain('newer version')
    expect(error.remedy).toContain('before-2')
  })

  test("another program's SQLite file, untouched", () => {
    const foreign = new BetterSqlite3(file)
    foreign.exec('create table theirs (n)')
    foreign.close()
    expect(caught(() => openDatabase(file, [one])).message).toContain('another program')
  })

  test('a file that is no database', () => {
    writeFileSync(file, 'This is a letter to my aunt, long enough to be no database header at all. '.repeat(40))
    const error = caught(() => openDatabase(file, [one]))
    expect(error.code).toBe('database')
    expect(error.remedy).toContain('before-')
  })

  test('a database cut off in the middle', () => {
    const db = openDatabase(file, [one])
    const insert = db.prepare('insert into birds values (?)')
    db.transaction(() => {
      for (let n = 0; n < 5000; n++) insert.run(`bird number ${n}`)
    })()
    db.close()
    copyFileSync(file, `${file}.whole`)
    truncateSync(file, Math.floor(statSync(file).size / 2))
    const error = caught(() => {
      const reopened = openDatabase(file, [one])
      try {
        reopened.prepare('select count(*) from birds').get()
      } catch (thrown) {
        throw fromSqlite(thrown)
      } finally {
        reopened.close()
      }
    })
    expect(error.code).toBe('database')
  })

  test('a path that is a folder', () => {
    expect(caught(() => openDatabase(folder, [one])).code).toBe('file-access')
  })

  test('a Node too old for the SQLite binding, before it can crash', () => {
    const error = caught(() => requireRuntime({ napi: '9', node: '20.19.0' }))
    expect(error.code).toBe('unsupported-runtime')
    expect(error.remedy).toContain('Node 24')
  })
})

test('a full disk is called a full disk, and what was there stays readable', () => {
  const db = openDatabase(file, [one])
  db.prepare('insert into birds values (?)').run('chickadee')
  const pages = Number(db.pragma('page_count', { simple: true }))
  db.pragma(`max_page_count = ${pages}`)
  const error = caught(() => {
    try {
      db.prepare('insert into birds values (?)').run('x'.repeat(100_000))
    } catch (thrown) {
      throw fromSqlite(thrown)
    }
  })
  expect(error.code).toBe('disk-full')
  expect(error.remedy).toContain('Free some space')
  expect(db.prepare('select name from birds').pluck().all()).toEqual(['chickadee'])
  db.close()
})
