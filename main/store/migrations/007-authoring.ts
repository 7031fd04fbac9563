// Schema 7: what authoring adds to a leaf: its answer format and earlier turns of seeds, every state it was ever saved in, and the
// content each run was made from. Revisions are only ever appended.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 7,
  name: 'authoring',
  sql: `
    alter table leaves add column answer_format text not null default 'text';
    -- Hash of what is taught, documents apart; null where a version before this one wrote the leaf.
    alter table leaves add column content_sha256 text;
    -- Earlier questions and answers of a conversation, as JSON; null for a seed that stands alone.
    alter table seeds add column turns_json text;

    create table leaf_revisions (
      number integer primary key autoincrement,
      -- Where the leaf is now; path is where it was then.
      leaf text not null,
      path text not null,
      act text not null check (act in ('found', 'saved', 'imported', 'repaired', 'moved', 'removed', 'restored')),
      content_json text not null,
      created_at_ms integer not null
    ) strict;
    create index leaf_revisions_by_leaf on leaf_revisions (leaf, number);

    -- What the leaves of a run were when it was made; leaf follows the leaf when it moves.
    create table generation_contents (
      generation_id text not null references generations (id),
      leaf text not null,
      content_sha256 text not null,
      primary key (generation_id, leaf)
    ) strict, without rowid;
    create index generation_contents_by_leaf on generation_contents (leaf);
  `,
}
