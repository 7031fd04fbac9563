// Schema 10: short texts are found in large projects. `sample_grams` holds the letters and pairs of letters of what `sample_texts` holds,
// which has an index for three letters and more only. `grams` is a function of ours (open.ts).

import type { Migration } from '../migration.ts'

export const migration: Migration = {
  number: 10,
  name: 'scale',
  sql: `
    -- No text and no positions: it answers which samples have a gram, and nothing else.
    create virtual table sample_grams using fts5 (
      grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
    );
    insert into sample_grams (rowid, grams) select rowid, grams(question, answer, context) from sample_texts;

    -- Each in the order of the rows, so that a page deep in the list is reached without sorting what comes before it.
    drop index samples_by_review;
    create index samples_by_review on samples (status, is_reviewed);
    create index samples_by_reviewed on samples (is_reviewed);

    -- What became of a run's candidates without their texts, and its newest ones.
    create index candidates_by_fate on candidates (generation_id, leaf, dropped_by);
    create index candidates_by_run on candidates (generation_id);

    drop trigger candidate_becomes_sample;
    create trigger candidate_becomes_sample after insert on candidates begin
      insert into samples (candidate_number, leaf, status, dropped_by, score, is_reviewed, verdict_number)
      values (new.number, new.leaf, iif(new.state = 'passed', 'accepted', 'dropped'), new.dropped_by, new.score, 0, null);
      insert into sample_texts (rowid, question, answer, context)
      values (new.number, new.question, new.answer, new.context);
      insert into sample_grams (rowid, grams) values (new.number, grams(new.question, new.answer, new.context));
    end;

    drop trigger verdict_changes_sample;
    create trigger verdict_changes_sample after insert on verdicts begin
      update samples set
        status = case new.kind
          when 'accept' then 'accepted' when 'reject' then 'rejected' when 'edit' then 'edited'
          else (select iif(state = 'passed', 'accepted', 'dropped') from candidates where number = new.candidate_number) end,
        is_reviewed = iif(new.kind <> 'reopen' and new.author = 'human', 1, 0),
        verdict_number = new.number
      where candidate_number = new.candidate_number;
    end;
    -- The texts are written anew only where the words shown change: most verdicts change none.
    create trigger verdict_changes_texts after insert on verdicts
    when exists (
      select 1 from sample_texts join candidates on candidates.number = sample_texts.rowid
      where sample_texts.rowid = new.candidate_number
        and (sample_texts.question <> coalesce(new.question, candidates.question)
          or sample_texts.answer <> coalesce(new.answer, candidates.answer))
    ) begin
      update sample_texts set
        question = coalesce(new.question, (select question from candidates where number = new.candidate_number)),
        answer = coalesce(new.answer, (select answer from candidates where number = new.candidate_number))
      where rowid = new.candidate_number;
      delete from sample_grams where rowid = new.candidate_number;
      insert into sample_grams (rowid, grams)
      select rowid, grams(question, answer, context) from sample_texts where rowid = new.candidate_number;
    end;
  `,
}
