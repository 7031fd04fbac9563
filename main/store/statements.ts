// Statements prepared once a database: preparing one costs more than running it, and imports run the same ones for every leaf. Only for
// statements that are run to their end (`run`, `get`, `all`); one that is walked with `iterate` would be busy for the next caller.

import type BetterSqlite3 from 'better-sqlite3'
import type { Database } from './open.ts'

const kept = new WeakMap<Database, Map<string, BetterSqlite3.Statement>>()

/** The statement of this text, prepared at most once. `sql` is one of a bounded number of texts: values are always bound. */
export function prepared<Bound extends unknown[] = unknown[], Row = unknown>(
  db: Database,
  sql: string,
): BetterSqlite3.Statement<Bound, Row> {
  let own = kept.get(db)
  if (!own) {
    own = new Map()
    kept.set(db, own)
  }
  let statement = own.get(sql)
  if (!statement) {
    statement = db.prepare(sql)
    own.set(sql, statement)
  }
  return statement as BetterSqlite3.Statement<Bound, Row>
}
