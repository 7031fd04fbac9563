// Candidates for tests of the store: whole, plausible, and different by their slot.

import type { StageName } from '../../main/contract/generation.ts'
import type { CandidateId, GenerationId, JobId, LeafPath, ModelId } from '../../main/contract/ids.ts'
import { type FinishedCandidate, insertCandidates, insertGeneration } from '../../main/store/generation.ts'
import type { Database } from '../../main/store/open.ts'

export const testLeaf = 'knowledge/birds' as LeafPath
export const testGeneration = 'generation-1' as GenerationId

/** A run with one leaf, as if it had just been started. */
export function insertTestGeneration(db: Database, { leaves = [testLeaf], quota = 1000 } = {}): void {
  insertGeneration(
    db,
    {
      id: testGeneration,
      jobId: 'job-1' as JobId,
      plan: {
        teacherId: 'model-1' as ModelId,
        leaves: leaves.map((leaf) => ({ leaf, quota })),
        seed: 1,
        parallel: 4,
        maxAttemptsFactor: 4,
        thresholds: { minPairGrade: 2, nearDuplicateRougeL: 0.7 },
      },
      teacherSha256: 'abc',
      createdAtMs: 1,
    },
    leaves.map((leaf, position) => ({
      leaf,
      position,
      quota,
      firstSlot: position * quota * 4,
      maxAttempts: quota * 4,
    })),
  )
}

/** A candidate of a slot; `droppedBy` decides whether it passed. */
export function testCandidate(slot: number, change: Partial<FinishedCandidate> = {}): FinishedCandidate {
  const droppedBy: StageName | null = change.droppedBy ?? null
  return {
    id: `${testGeneration}-${slot}` as CandidateId,
    generationId: testGeneration,
    leaf: testLeaf,
    branch: 'knowledge',
    slot,
    seedIds: [],
    chunkId: null,
    context: '',
    question: `Question ${slot}?`,
    answer: `Answer ${slot}.`,
    state: droppedBy ? 'dropped' : 'passed',
    droppedBy,
    reason: droppedBy ? 'It is not so.' : '',
    score: null,
    teacherId: 'model-1' as ModelId,
    duplicateOf: null,
    createdAtMs: slot,
    stages: [
      {
        stage: 'knowledge-qa',
        passed: true,
        words: `Question: Question ${slot}?`,
        reasoning: '',
        score: null,
        promptSha256: 'p',
        promptTokens: 10,
        outputTokens: 5,
        durationMs: 1.5,
        seed: slot,
        temperature: 0.7,
      },
    ],
    ...change,
  }
}

export function insertTestCandidates(db: Database, candidates: FinishedCandidate[]): void {
  insertCandidates(db, testGeneration, { position: 0, candidates, calls: candidates.length, parseFailures: 0 })
}
