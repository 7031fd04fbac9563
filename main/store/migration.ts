// The shape of one schema migration. Each area owns its file under store/migrations; open.ts runs them in number order, once, with a backup before.

export interface Migration {
  /** Unique, rising; 1 foundation, 2 taxonomy and documents, 3 generation and verdicts, 4 datasets, tuning and exams. */
  number: number
  name: string
  /** STRICT tables only. Runs inside one transaction. */
  sql: string
}
