// What judges and people said about the same samples, and what thresholds of a run rest on. Reads candidates, outcomes and verdicts;
// appends verdicts of rules.

import type { SampleStatus } from '../contract/curation.ts'
import type { StageName } from '../contract/generation.ts'
import type { CandidateId, ChunkId, GenerationId, LeafPath } from '../contract/ids.ts'
import type { Confusion } from '../domain/agreement.ts'
import type { Database } from './open.ts'

/** Rows one transaction writes at most. */
const maxRowsPerTransaction = 200

/**
 * For each stage of a judge: how its word on a sample compares with the person's latest verdict, over all samples a person decided.
 * A stage failed a sample when it dropped it.
 */
export function listConfusions(db: Database): (Confusion & { stage: StageName })[] {
  return db
    .prepare<[], Confusion & { stage: StageName }>(
      // From the few samples people decided to what judges said of them, not the other way round.
      `with decided as (
         select distinct candidates.number, stage, ifnull(candidates.dropped_by, '') = stage as failed,
           samples.status in ('accepted', 'edited') as accepted
         from samples cross join verdicts on verdicts.number = samples.verdict_number
         cross join candidates on candidates.number = samples.candidate_number
         cross join stage_outcomes on stage_outcomes.candidate_number = samples.candidate_number
         where samples.is_reviewed = 1 and verdicts.author = 'human' and verdicts.twin_of is null
           and stage in ('knowledge-faithful', 'knowledge-relevant', 'knowledge-self-contained', 'choice-verify',
                         'skill-question-judge', 'skill-pair-judge')
       )
       select stage, sum(not failed and accepted) as passedAccepted, sum(not failed and not accepted) as passedRejected,
         sum(failed and accepted) as failedAccepted, sum(failed and not accepted) as failedRejected
       from decided group by stage order by stage`,
    )
    .all()
}

/** What thresholds decide about a candidate of a run. */
export interface ThresholdFacts {
  number: number
  id: CandidateId
  leaf: LeafPath
  chunkId: ChunkId | null
  context: string
  question: string
  answer: string
  droppedBy: StageName | null
  /** The last judge's score. */
  score: number | null
  /** ROUGE-L to what it repeats, where it was dropped for that. */
  likeness: number | null
  status: SampleStatus
  /** A person decided, or a near duplicate stays for it: thresholds do not touch it. */
  isReviewed: boolean
}

/** The candidates of a run in slot order. */
export function listThresholdFacts(db: Database, id: GenerationId): ThresholdFacts[] {
  return db
    .prepare<[string], Omit<ThresholdFacts, 'isReviewed'> & { isReviewed: number }>(
      `select candidates.number, candidates.id, candidates.leaf, chunk_id as chunkId, context,
         candidates.question, candidates.answer,
         candidates.dropped_by as droppedBy, candidates.score, samples.status, samples.is_reviewed or verdicts.twin_of is not null as isReviewed,
         (select score from stage_outcomes where candidate_number = candidates.number and stage = 'near-duplicate'
          order by position desc limit 1) as likeness
       from candidates join samples on samples.candidate_number = candidates.number
       left join verdicts on verdicts.number = samples.verdict_number
       where generation_id = ? order by slot`,
    )
    .all(id)
    .map((facts) => ({ ...facts, isReviewed: facts.isReviewed === 1 }))
}

/** Appends the verdicts of a rule, but for what a person has decided by now; each transaction is whole or absent. */
export function insertRuleVerdicts(
  db: Database,
  verdicts: readonly { candidateNumber: number; kind: 'accept' | 'reject'; reason: string }[],
  nowMs: number,
): void {
  const insert = db.prepare(
    `insert into verdicts (candidate_number, kind, author, question, answer, reason, created_at_ms)
     select candidate_number, ?, 'rule', null, null, ?, ? from samples
     where candidate_number = ? and is_reviewed = 0
       and not exists (select 1 from verdicts where number = samples.verdict_number and twin_of is not null)`,
  )
  for (let at = 0; at < verdicts.length; at += maxRowsPerTransaction) {
    db.transaction(() => {
      for (const { candidateNumber, kind, reason } of verdicts.slice(at, at + maxRowsPerTransaction))
        insert.run(kind, reason, nowMs, candidateNumber)
    })()
  }
}
