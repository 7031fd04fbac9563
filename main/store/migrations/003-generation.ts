// Schema 3: generation runs, candidates with their stage history, verdicts. Candidates, outcomes and verdicts are only ever appended.
// `samples` and `sample_texts` are what the curation list reads: candidate + latest verdict, kept by triggers and by nothing else.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 3,
  name: 'generation',
  sql: `
    create table generations (
      id text primary key,
      job_id text not null,
      plan_json text not null,
      teacher_sha256 text not null,
      created_at_ms integer not null
    ) strict;

    -- Progress of one leaf within a run. Its slots are first_slot .. first_slot + max_attempts - 1.
    create table generation_leaves (
      generation_id text not null references generations (id),
      position integer not null,
      leaf text not null,
      quota integer not null,
      first_slot integer not null,
      max_attempts integer not null,
      call_count integer not null default 0,
      parse_failure_count integer not null default 0,
      is_closed integer not null default 0 check (is_closed in (0, 1)),
      shortfall text,
      primary key (generation_id, position)
    ) strict, without rowid;

    create table candidates (
      number integer primary key,
      id text not null unique,
      generation_id text not null references generations (id),
      slot integer not null,
      leaf text not null,
      branch text not null check (branch in ('knowledge', 'foundational_skills', 'compositional_skills')),
      seed_ids_json text not null,
      chunk_id text,
      context text not null,
      question text not null,
      answer text not null,
      state text not null check (state in ('passed', 'dropped')),
      dropped_by text,
      reason text not null,
      score real,
      teacher_id text not null,
      duplicate_of text,
      created_at_ms integer not null,
      unique (generation_id, slot)
    ) strict;

    create table stage_outcomes (
      candidate_number integer not null references candidates (number),
      position integer not null,
      stage text not null,
      passed integer not null check (passed in (0, 1)),
      words text not null,
      score real,
      prompt_sha256 text not null,
      prompt_tokens integer not null,
      output_tokens integer not null,
      duration_ms real not null,
      seed integer not null,
      temperature real not null,
      primary key (candidate_number, position)
    ) strict, without rowid;

    create table verdicts (
      number integer primary key autoincrement,
      candidate_number integer not null references candidates (number),
      kind text not null check (kind in ('accept', 'reject', 'edit', 'reopen')),
      author text not null check (author in ('human', 'rule', 'judge')),
      question text,
      answer text,
      reason text not null,
      created_at_ms integer not null
    ) strict;
    create index verdicts_by_candidate on verdicts (candidate_number, number);

    -- What undo and redo walk along; the verdicts themselves stay.
    create table verdict_history (
      position integer primary key,
      verdict_number integer not null references verdicts (number),
      is_undone integer not null default 0 check (is_undone in (0, 1))
    ) strict;

    create table samples (
      candidate_number integer primary key references candidates (number),
      leaf text not null,
      status text not null check (status in ('accepted', 'rejected', 'dropped', 'edited')),
      dropped_by text,
      score real,
      is_reviewed integer not null check (is_reviewed in (0, 1)),
      verdict_number integer
    ) strict;
    create index samples_by_status on samples (status);
    create index samples_by_leaf on samples (leaf, status);
    create index samples_by_stage on samples (dropped_by);
    create index samples_by_review on samples (is_reviewed, status);

    create virtual table sample_texts using fts5 (question, answer, context, tokenize = 'trigram', detail = 'full');

    create trigger candidate_becomes_sample after insert on candidates begin
      insert into samples (candidate_number, leaf, status, dropped_by, score, is_reviewed, verdict_number)
      values (new.number, new.leaf, iif(new.state = 'passed', 'accepted', 'dropped'), new.dropped_by, new.score, 0, null);
      insert into sample_texts (rowid, question, answer, context)
      values (new.number, new.question, new.answer, new.context);
    end;

    create trigger verdict_changes_sample after insert on verdicts begin
      update samples set
        status = case new.kind
          when 'accept' then 'accepted' when 'reject' then 'rejected' when 'edit' then 'edited'
          else (select iif(state = 'passed', 'accepted', 'dropped') from candidates where number = new.candidate_number) end,
        is_reviewed = iif(new.kind <> 'reopen' and new.author = 'human', 1, 0),
        verdict_number = new.number
      where candidate_number = new.candidate_number;
      update sample_texts set
        question = coalesce(new.question, (select question from candidates where number = new.candidate_number)),
        answer = coalesce(new.answer, (select answer from candidates where number = new.candidate_number))
      where rowid = new.candidate_number;
    end;
  `,
}
