// Pipelines the user saved in the project, as the YAML they wrote.

import type { Database } from './open.ts'

/** By name. */
export function listPipelines(db: Database): { name: string; text: string }[] {
  return db.prepare<[], { name: string; text: string }>('select name, text from pipelines order by name').all()
}

/** Writes or replaces the pipeline of this name. */
export function savePipeline(db: Database, pipeline: { name: string; text: string; updatedAtMs: number }): void {
  db.prepare(
    `insert into pipelines (name, text, updated_at_ms) values (@name, @text, @updatedAtMs)
     on conflict (name) do update set text = excluded.text, updated_at_ms = excluded.updated_at_ms`,
  ).run(pipeline)
}

/** False when there was none. */
export function removePipeline(db: Database, name: string): boolean {
  return db.prepare('delete from pipelines where name = ?').run(name).changes > 0
}
