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
      `with judged as (
         select distinct candidate_number, stage from stage_outcomes
         where stage in ('knowledge-faithful', 'knowledge-relevant', 'knowledge-self-contained', 'choice-verify',
                         'skill-question-judge', 'skill-pair-judge')
       ), decided as (
         select judged.stage, ifnull(candidates.dropped_by, '') = judged.stage as failed,
           samples.status in ('accepted', 'edited') as accepted
         from judged join candidates on candidates.number = judged.candidate_number
         join samples on samples.candidate_number = candidates.number
         join verdicts on verdicts.number = samples.verdict_number
         where samples.is_reviewed = 1 and verdicts.author = 'human' and verdicts.twin_of is null
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

/** Appends the verdicts of a rule; each transaction is whole or absent. */
export function insertRuleVerdicts(
  db: Database,
  verdicts: readonly { candidateNumber: number; kind: 'accept' | 'reject'; reason: string }[],
  nowMs: number,
): void {
  const insert = db.prepare(
    `insert into verdicts (candidate_number, kind, author, question, answer, reason, created_at_ms)
     values (?, ?, 'rule', null, null, ?, ?)`,
  )
  for (let at = 0; at < verdicts.length; at += maxRowsPerTransaction) {
    db.transaction(() => {
      for (const { candidateNumber, kind, reason } of verdicts.slice(at, at + maxRowsPerTransaction))
        insert.run(candidateNumber, kind, reason, nowMs)
    })()
  }
}
