// Schema 9: vectors of texts, near duplicates found among what is kept, files held out beside the exams, and what a run or a dataset
// was checked against; what models thought aloud. Vectors are a cache: they can be made again.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 9,
  name: 'twins',
  sql: `
    -- 32-bit floats, little-endian, of length 1.
    create table vectors (
      model_sha256 text not null,
      text_sha256 text not null,
      vector blob not null,
      primary key (model_sha256, text_sha256)
    ) strict, without rowid;

    -- Of one search, the latest. Sides are candidates or seeds; whether both are still kept is asked when pairs are listed.
    create table twin_pairs (
      number integer primary key,
      one text not null,
      other text not null,
      kind text not null check (kind in ('exact', 'words', 'meaning')),
      score real not null,
      unique (one, other)
    ) strict;
    -- Pairs a person looked at and found different: no later search brings them back.
    create table told_apart (
      one text not null,
      other text not null,
      primary key (one, other)
    ) strict, without rowid;
    create table twin_searches (
      id text primary key,
      words_threshold real not null,
      meaning_threshold real not null,
      embedder_name text,
      text_count integer not null,
      is_finished integer not null default 0 check (is_finished in (0, 1)),
      created_at_ms integer not null
    ) strict;

    -- What the model thought aloud before its words.
    alter table stage_outcomes add column reasoning text not null default '';

    -- What stays for it: such a verdict says nothing about how good the sample is. Null for all others.
    alter table verdicts add column twin_of text;

    create table held_out_files (
      id text primary key,
      name text not null,
      sha256 text not null unique,
      created_at_ms integer not null
    ) strict;
    create table held_out_texts (
      file_id text not null references held_out_files (id) on delete cascade,
      position integer not null,
      text text not null,
      primary key (file_id, position)
    ) strict, without rowid;

    -- What it was checked against; null for those made before there was a report.
    alter table generations add column held_out_json text;
    alter table datasets add column decontamination_json text;
    create index outcomes_of_decontamination on stage_outcomes (stage, candidate_number) where stage = 'decontamination';

    -- Models added before there were embedders: those that speak are none.
    update models set unfit_json = json_set(unfit_json, '$.embedder',
      'It writes answers; texts are compared by a model made for that (BERT, Nomic, Qwen3-Embedding...).')
    where ifnull(json_extract(unfit_json, '$.teacher'), '') not like 'It is an embedding model%';
  `,
}
