// Projects on disk: one folder each under <data>/projects, whose database says who it is. Knows nothing of which one is open.

import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../contract/errors.ts'
import { allMigrations } from './migrations/all.ts'
import { type Database, openDatabase, openReadOnly } from './open.ts'

/** What a project says of itself. */
export interface ProjectIdentity {
  id: string
  name: string
  isDemo: boolean
  createdAtMs: number
  /** Null while a demo project's contents are not (all) in. */
  seededAtMs: number | null
}

interface ProjectRow {
  id: string
  name: string
  is_demo: number
  created_at_ms: number
  seeded_at_ms: number | null
}

/** The folder of a project by its id, which is the folder's name. */
export function projectFolder(dataDir: string, id: string): string {
  return join(dataDir, 'projects', id)
}

/** Makes the folder and the database of a new project and leaves the database closed. The id comes from the name. */
export function createProject(dataDir: string, project: { name: string; isDemo: boolean; nowMs: number }): string {
  const id = freeId(dataDir, project.name)
  const folder = projectFolder(dataDir, id)
  mkdirSync(folder, { recursive: true })
  const db = openDatabase(join(folder, 'project.sqlite'), allMigrations)
  try {
    db.prepare('insert into project (only_row, id, name, is_demo, created_at_ms) values (1, ?, ?, ?, ?)').run(
      id,
      project.name,
      project.isDemo ? 1 : 0,
      project.nowMs,
    )
  } finally {
    db.close()
  }
  return id
}

/** Opens a project's database, up to date. @throws AppError `not-found` */
export function openProject(dataDir: string, id: string): { db: Database; identity: ProjectIdentity } {
  const file = join(projectFolder(dataDir, id), 'project.sqlite')
  if (id.includes('/') || id.includes('\\') || id.startsWith('.') || !existsSync(file))
    throw new AppError({
      code: 'not-found',
      message: `There is no project "${id}".`,
      remedy: 'List the projects and open one of them, or create a new one.',
    })
  const db = openDatabase(file, allMigrations)
  const identity = readIdentity(db)
  if (identity) return { db, identity }
  db.close()
  throw new AppError({
    code: 'database',
    message: `The project "${id}" was not made completely.`,
    remedy: 'Create the project anew under another name.',
  })
}

/** Every project there is, oldest first; one that cannot be read is named after its folder, so that it is not silently missing. */
export function listProjects(dataDir: string, warn: (line: string) => void): ProjectIdentity[] {
  const root = join(dataDir, 'projects')
  if (!existsSync(root)) return []
  const found: ProjectIdentity[] = []
  for (const folder of readdirSync(root, { withFileTypes: true })) {
    const file = join(root, folder.name, 'project.sqlite')
    if (!folder.isDirectory() || !existsSync(file)) continue
    try {
      const db = openReadOnly(file)
      const identity = readIdentity(db)
      db.close()
      if (identity) found.push({ ...identity, id: folder.name })
    } catch (thrown) {
      warn(`project ${folder.name} could not be read: ${String(thrown)}`)
      found.push({ id: folder.name, name: folder.name, isDemo: false, createdAtMs: 0, seededAtMs: null })
    }
  }
  return found.sort((a, b) => a.createdAtMs - b.createdAtMs)
}

/** Marks a demo project as filled. */
export function markSeeded(db: Database, nowMs: number): void {
  db.prepare('update project set seeded_at_ms = ?').run(nowMs)
}

function readIdentity(db: Database): ProjectIdentity | undefined {
  const row = db.prepare<[], ProjectRow>('select * from project').get()
  if (!row) return undefined
  return {
    id: row.id,
    name: row.name,
    isDemo: row.is_demo === 1,
    createdAtMs: row.created_at_ms,
    seededAtMs: row.seeded_at_ms,
  }
}

/** A folder name a person recognises: the name's letters and digits, and a number when it is taken. */
function freeId(dataDir: string, name: string): string {
  const base =
    name
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 40) || 'project'
  let id = base
  for (let n = 2; existsSync(projectFolder(dataDir, id)); n++) id = `${base}-${n}`
  return id
}
