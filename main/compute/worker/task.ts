// Work for a lane: an answer or a score. Exactly one of a task's `done` and `fail` is called, once.

import { AppError } from '../../contract/errors.ts'
import type { Completion, CompletionRequest, Score } from '../llama-protocol.ts'
import type { CompiledGrammar } from './vocabulary.ts'

export interface CompletionTask {
  kind: 'complete'
  request: CompletionRequest
  /** The prompt, reasoning opened where it is wanted. */
  tokens: readonly number[]
  grammar: CompiledGrammar | null
  isCancelled: boolean
  onText: (piece: string) => void
  done: (completion: Completion) => void
  fail: (error: unknown) => void
}
export interface ScoreTask {
  kind: 'score'
  /** Prompt and continuation as one. */
  tokens: readonly number[]
  promptLength: number
  isCancelled: boolean
  done: (score: Score) => void
  fail: (error: unknown) => void
}
export type Task = CompletionTask | ScoreTask

/** Tokens of a task that need no output of their own, and so may be taken over from elsewhere. */
export function reusableTokens(task: Task): number {
  return task.kind === 'score' ? task.promptLength - 1 : task.tokens.length - 1
}

/** Length of the common beginning, at most `limit`. */
export function commonPrefix(one: ArrayLike<number>, other: ArrayLike<number>, limit: number): number {
  const most = Math.min(one.length, other.length, limit)
  let length = 0
  while (length < most && one[length] === other[length]) length += 1
  return length
}

/** Refuses a prompt that leaves no room for an answer of at least `answerTokens`. */
export function checkFits(promptTokens: number, answerTokens: number, contextTokens: number): void {
  if (promptTokens + answerTokens <= contextTokens - 1) return
  throw new AppError({
    code: 'bad-input',
    message: `The prompt has ${promptTokens} tokens and does not fit into the model's context of ${contextTokens}.`,
    remedy: 'Shorten the text, show fewer examples, or use a model with a longer context.',
  })
}
