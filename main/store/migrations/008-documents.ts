// Schema 8: documents keep the file they were made from, pages of chunks, the user's own cuts, what the models drafted from documents,
// and what the student said to seeds with the book closed. Edits of chunks are a log: undone ones stay.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 8,
  name: 'documents',
  sql: `
    alter table documents add column type text not null default 'markdown'
      check (type in ('markdown', 'text', 'html', 'docx', 'csv', 'pdf'));
    -- The file as it was added, kept beside the text; null where the text is the file.
    alter table documents add column original_sha256 text;
    alter table documents add column original_size_bytes integer;
    -- UTF-16 offsets in the text where each page begins; null for files without pages.
    alter table documents add column page_starts_json text;
    alter table documents add column notes_json text not null default '[]';
    -- Chunks after the user's edits, when they were last shown; null without edits.
    alter table documents add column edited_chunk_count integer;
    update documents set type = 'text' where lower(name) like '%.txt';

    alter table chunks add column first_page integer;
    alter table chunks add column last_page integer;

    create table chunk_edits (
      number integer primary key autoincrement,
      document_id text not null references documents (id),
      kind text not null check (kind in ('cut', 'join', 'exclude', 'include')),
      -- 'cut' and 'join' have one offset.
      start_offset integer not null,
      end_offset integer not null,
      is_undone integer not null default 0 check (is_undone in (0, 1)),
      created_at_ms integer not null
    ) strict;
    create index chunk_edits_by_document on chunk_edits (document_id, number);

    -- What the teacher proposed: a draft until the user takes it.
    create table drafts (
      number integer primary key autoincrement,
      kind text not null check (kind in ('pair', 'outline')),
      document_id text not null references documents (id),
      chunk_id text references chunks (id),
      question text not null,
      answer text not null,
      model_id text not null,
      prompt_sha256 text not null,
      state text not null default 'open' check (state in ('open', 'taken', 'dismissed')),
      created_at_ms integer not null
    ) strict;
    create index drafts_by_document on drafts (document_id, state, number);

    create table seed_checks (
      seed_id text not null references seeds (id),
      model_id text not null,
      answer text not null,
      similarity real not null,
      -- Of the seed's own answer, in nats a token.
      log_likelihood real not null,
      checked_at_ms integer not null,
      primary key (seed_id, model_id)
    ) strict, without rowid;
  `,
}
