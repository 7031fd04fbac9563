// Schema 5: what a demo run has reached, so that a run that was cut short goes on instead of starting over.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 5,
  name: 'demo',
  sql: `
    create table demo_progress (
      job_id text not null references jobs (id) on delete cascade,
      key text not null,
      value_json text not null,
      primary key (job_id, key)
    ) strict, without rowid;
  `,
}
