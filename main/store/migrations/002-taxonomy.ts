// Schema 2: leaves, their seeds, documents, chunks and imported public rows. What candidates point to (seeds, documents, chunks,
// leaves) is never deleted, only marked as removed, so that where a sample came from can always be shown.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 2,
  name: 'taxonomy',
  sql: `
    create table leaves (
      path text primary key,
      branch text not null check (branch in ('knowledge', 'foundational_skills', 'compositional_skills')),
      task_description text not null,
      domain text not null,
      document_outline text not null,
      created_by text not null,
      is_grounded integer not null check (is_grounded in (0, 1)),
      persona text not null check (persona in ('precise', 'creative')),
      language text not null,
      document_source_json text,
      attribution text not null,
      -- The imported file, and whether it may be exported as it was; null once edited.
      source_text text,
      is_source_current integer not null check (is_source_current in (0, 1)),
      -- The imported public dataset's file, kept beside the documents.
      public_file_sha256 text,
      problems_json text not null,
      created_at_ms integer not null,
      updated_at_ms integer not null,
      removed_at_ms integer
    ) strict;

    create table seeds (
      id text primary key,
      leaf text not null references leaves (path),
      position integer not null,
      context text,
      question text not null,
      answer text not null,
      removed_at_ms integer
    ) strict;
    create index seeds_by_leaf on seeds (leaf, position);

    -- Rows of an imported public dataset; row counts from 0.
    create table public_rows (
      leaf text not null references leaves (path),
      row integer not null,
      system text not null,
      context text not null,
      question text not null,
      answer text not null,
      primary key (leaf, row)
    ) strict, without rowid;

    create table documents (
      id text primary key,
      leaf text not null references leaves (path),
      name text not null,
      sha256 text not null,
      size_bytes integer not null,
      added_at_ms integer not null,
      removed_at_ms integer
    ) strict;
    create index documents_by_leaf on documents (leaf);

    -- A raw piece of a document, in UTF-16 offsets; the same piece has one id however the document is cut.
    create table chunks (
      id text primary key,
      document_id text not null references documents (id),
      start_offset integer not null,
      end_offset integer not null,
      text text not null,
      headings_json text not null
    ) strict;

    -- One way a document was cut: for a tokenizer (the student's sha256, or 'approximate') and a size.
    create table chunkings (
      document_id text not null references documents (id),
      tokenizer text not null,
      max_tokens integer not null,
      position integer not null,
      chunk_id text not null references chunks (id),
      token_count integer not null,
      primary key (document_id, tokenizer, max_tokens, position)
    ) strict, without rowid;
    create index chunkings_by_chunk on chunkings (chunk_id);
  `,
}
