// Schema 4: frozen datasets, tuning runs with their steps and checkpoints, exams, and evaluations with every single answer.

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 4,
  name: 'datasets, tuning and exams',
  sql: `
    create table datasets (
      id text primary key,
      name text not null,
      sha256 text not null,
      seed integer not null,
      -- 0 while its rows are being copied; such a dataset is listed nowhere.
      is_frozen integer not null default 0 check (is_frozen in (0, 1)),
      created_at_ms integer not null
    ) strict;

    create table dataset_rows (
      dataset_id text not null references datasets (id) on delete cascade,
      row_index integer not null,
      origin text not null,
      leaf text not null,
      branch text not null check (branch in ('knowledge', 'foundational_skills', 'compositional_skills')),
      system text not null,
      user text not null,
      assistant text not null,
      split text not null check (split in ('train', 'validation')),
      primary key (dataset_id, row_index)
    ) strict, without rowid;

    create table tunings (
      id text primary key,
      job_id text not null,
      plan_json text not null,
      result_model_id text,
      created_at_ms integer not null
    ) strict;

    create table tuning_phases (
      tuning_id text not null references tunings (id) on delete cascade,
      phase_index integer not null,
      state text not null check (state in ('waiting', 'running', 'done', 'failed')),
      row_count integer not null default 0,
      replay_row_count integer not null default 0,
      total_steps integer not null default 0,
      steps_per_epoch integer not null default 0,
      best_checkpoint_id text,
      primary key (tuning_id, phase_index)
    ) strict, without rowid;

    create table tuning_steps (
      tuning_id text not null references tunings (id) on delete cascade,
      phase_index integer not null,
      step integer not null,
      loss real not null,
      loss_new real,
      loss_replay real,
      learning_rate real not null,
      grad_norm real not null,
      tokens integer not null,
      duration_ms real not null,
      primary key (tuning_id, phase_index, step)
    ) strict, without rowid;

    create table checkpoints (
      id text primary key,
      tuning_id text not null references tunings (id) on delete cascade,
      phase_index integer not null,
      step integer not null,
      epoch integer not null,
      -- Empty once retention removed the files; what was measured stays.
      folder text not null,
      size_bytes integer not null,
      validation_loss real,
      score real,
      is_finished integer not null default 0 check (is_finished in (0, 1)),
      unique (tuning_id, phase_index, step)
    ) strict;

    create table exams (
      id text primary key,
      name text not null,
      kind text not null check (kind in ('choice', 'closed-book', 'skill', 'retention')),
      sha256 text not null unique,
      source text not null,
      created_at_ms integer not null
    ) strict;

    create table exam_questions (
      exam_id text not null references exams (id) on delete cascade,
      question_index integer not null,
      leaf text,
      question text not null,
      accepted_json text not null,
      choices_json text not null,
      context text not null,
      primary key (exam_id, question_index)
    ) strict, without rowid;

    create table evaluations (
      id text primary key,
      exam_id text not null references exams (id) on delete cascade,
      model_id text not null,
      model_name text not null,
      tuning_id text references tunings (id) on delete cascade,
      phase text not null,
      checkpoint_id text references checkpoints (id) on delete cascade,
      job_id text,
      is_finished integer not null default 0 check (is_finished in (0, 1)),
      created_at_ms integer not null
    ) strict;
    create index evaluations_by_checkpoint on evaluations (checkpoint_id, exam_id);
    create index evaluations_by_model on evaluations (model_id, exam_id);

    create table evaluation_answers (
      evaluation_id text not null references evaluations (id) on delete cascade,
      question_index integer not null,
      answer text not null,
      is_correct integer not null check (is_correct in (0, 1)),
      log_likelihoods_json text not null,
      primary key (evaluation_id, question_index)
    ) strict, without rowid;

    create table model_exports (
      id text primary key,
      checkpoint_id text not null,
      path text not null,
      what text not null check (what in ('adapter', 'model')),
      file_type text not null,
      size_bytes integer not null,
      has_passed integer not null check (has_passed in (0, 1)),
      verdict_json text not null,
      created_at_ms integer not null
    ) strict;
  `,
}
