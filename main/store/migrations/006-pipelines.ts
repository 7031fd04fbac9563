// Schema 6: the user's own pipelines, and how long a run has generated (for time budgets).

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 6,
  name: 'pipelines',
  sql: `
    create table pipelines (
      name text primary key,
      text text not null,
      updated_at_ms integer not null
    ) strict;

    alter table generations add column spent_ms integer not null default 0;
  `,
}
