// What each step of a demo run left behind (ids, seconds, the closing report), by job.

import type { JobId } from '../contract/ids.ts'
import type { Database } from './open.ts'

/** The value a step left, or undefined when it has not ended. */
export function readDemoValue<Value>(db: Database, jobId: JobId, key: string): Value | undefined {
  const select = db.prepare<[string, string], { value: string }>(
    'select value_json as value from demo_progress where job_id = ? and key = ?',
  )
  const row = select.get(jobId, key)
  return row && (JSON.parse(row.value) as Value)
}

export function saveDemoValue(db: Database, jobId: JobId, { key, value }: { key: string; value: unknown }): void {
  db.prepare(
    `insert into demo_progress (job_id, key, value_json) values (?, ?, ?)
     on conflict (job_id, key) do update set value_json = excluded.value_json`,
  ).run(jobId, key, JSON.stringify(value))
}

/** The newest value saved under a key by any demo run of the project. */
export function latestDemoValue<Value>(db: Database, key: string): Value | undefined {
  const select = db.prepare<[string], { value: string }>(
    `select value_json as value from demo_progress join jobs on jobs.id = job_id
     where key = ? order by jobs.created_at_ms desc, jobs.queue_number desc limit 1`,
  )
  const row = select.get(key)
  return row && (JSON.parse(row.value) as Value)
}
