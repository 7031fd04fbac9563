// Schema 1: what every project has before any content: who it is, its jobs and their event log, its models and who plays which role.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 1,
  name: 'foundation',
  sql: `
    create table project (
      only_row integer primary key check (only_row = 1),
      id text not null,
      name text not null,
      is_demo integer not null check (is_demo in (0, 1)),
      created_at_ms integer not null,
      -- When the demo's contents were in; null in a demo project whose filling was cut short.
      seeded_at_ms integer
    ) strict;

    create table jobs (
      id text primary key,
      kind text not null,
      title text not null,
      subject text not null,
      parameters_json text not null,
      state text not null check (state in ('queued', 'running', 'paused', 'interrupted', 'done', 'failed', 'cancelled')),
      progress_json text not null,
      error_json text,
      queue_number integer not null,
      created_at_ms integer not null,
      started_at_ms integer,
      ended_at_ms integer
    ) strict;
    create index jobs_by_state on jobs (state, queue_number);

    create table job_events (
      job_id text not null references jobs (id) on delete cascade,
      number integer not null,
      at_ms integer not null,
      kind text not null check (kind in ('state', 'log', 'stage')),
      text text not null,
      primary key (job_id, number)
    ) strict, without rowid;

    create table models (
      id text primary key,
      name text not null,
      path text not null unique,
      size_bytes integer not null,
      sha256 text not null,
      architecture text not null,
      parameter_count integer not null,
      context_length integer not null,
      vocab_size integer not null,
      file_type text not null,
      licence text not null,
      has_chat_template integer not null check (has_chat_template in (0, 1)),
      prompt_pack text not null check (prompt_pack in ('standard', 'compact')),
      is_demo integer not null check (is_demo in (0, 1)),
      origin text not null,
      unfit_json text not null,
      added_at_ms integer not null
    ) strict;

    create table model_roles (
      role text primary key,
      model_id text not null references models (id) on delete cascade
    ) strict, without rowid;
  `,
}
