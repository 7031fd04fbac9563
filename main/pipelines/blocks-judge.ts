// Blocks that judge. Knowledge is judged against the raw chunk, never against a rewrite of it.

import type { BlockOf } from '../contract/pipelines.ts'
import { clarity, faithfulness, fitness, grade, relevance } from '../domain/judge-verdicts.ts'
import { statementsOf } from '../domain/sentences.ts'
import type { Slot } from './generate-slot.ts'

/** Statements of one answer that are judged apart. */
const mostStatements = 8

/** Statement by statement: one quote can bear out one statement only, and a long answer is false as soon as any part of it is. */
export async function judgeFaithfulness(slot: Slot, block: BlockOf<'faithful'>): Promise<void> {
  const { question, answer } = slot.draft
  const chunk = slot.source
  const statements = statementsOf(answer, mostStatements)
  for (const [at, statement] of statements.entries()) {
    const about = statements.length > 1 ? statement : ''
    const call = {
      stage: 'knowledge-faithful' as const,
      variables: { chunk, question, answer: statement },
      examples: [],
      // Judges decide without chance; only votes need seeds of their own.
      label: (block.votes ?? 1) > 1 && at > 0 ? `statement ${at + 1}` : undefined,
    }
    if (!(await slot.judge(call, block, (fields) => faithfulness(fields, chunk, about)))) return
  }
}

export async function judgeRelevance(slot: Slot, block: BlockOf<'relevant'>): Promise<void> {
  const { question, answer } = slot.draft
  const variables = { chunk: slot.source, question, answer }
  await slot.judge({ stage: 'knowledge-relevant', variables, examples: [] }, block, relevance)
}

export async function judgeClarity(slot: Slot, block: BlockOf<'self-contained'>): Promise<void> {
  const { question } = slot.draft
  await slot.judge({ stage: 'knowledge-self-contained', variables: { question }, examples: [] }, block, clarity)
}

export async function judgeFitness(slot: Slot, block: BlockOf<'question-fit'>): Promise<void> {
  const { context, question } = slot.draft
  const variables = { task: slot.material.leaf.taskDescription, context, question }
  const examples = slot.examples(['context', 'question'])
  await slot.judge({ stage: 'skill-question-judge', variables, examples }, block, fitness)
}

export async function judgePair(slot: Slot, block: BlockOf<'pair-grade'>): Promise<void> {
  const { minPairGrade } = slot.material
  await slot.judge(gradedPair(slot, slot.draft.answer), block, (fields) => grade(fields, minPairGrade))
}

/** The question of the grading stage for an answer to the slot's question. */
export function gradedPair(slot: Slot, answer: string) {
  const { context, question } = slot.draft
  return {
    stage: 'skill-pair-judge' as const,
    variables: { task: slot.material.leaf.taskDescription, context, question, answer },
    examples: slot.examples(['context', 'question', 'answer']),
  }
}
