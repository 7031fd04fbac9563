// What a judge's fields mean: whether the sample passes, with which score, and why not, in plain words. And how several votes of one
// judge become one verdict.

import { quoteProblem } from './quotes.ts'

export interface JudgeVerdict {
  words: string
  score: number
  /** Why it is dropped, in plain words; null when it passes. */
  problem: string | null
}

/** `about` names the statement that was judged where an answer has several. */
export function faithfulness(
  { quote = '', verdict }: Record<string, string>,
  source: string,
  about: string,
): JudgeVerdict {
  const words = about === '' ? quote : `"${about}" by: ${quote}`
  const what = about === '' ? 'this' : `"${about}"`
  if (verdict !== 'YES') return { words, score: 0, problem: `The judge finds that the text does not say ${what}.` }
  const problem = quoteProblem(quote, source)
  return {
    words,
    score: problem ? 0 : 1,
    problem: problem && `The judge says the text supports ${what}, but ${problem}.`,
  }
}

export function relevance({ reason = '', verdict }: Record<string, string>): JudgeVerdict {
  return yesOrNo(verdict, reason, `The judge finds it beside the point: ${reason}`)
}

export function clarity({ verdict = '' }: Record<string, string>): JudgeVerdict {
  return yesOrNo(verdict, verdict, 'The judge finds that the question cannot be understood without the text.')
}

export function fitness({ reason = '', verdict }: Record<string, string>): JudgeVerdict {
  return yesOrNo(verdict, reason, `The judge finds the question unfit: ${reason}`)
}

export function grade({ reason = '', score = '1' }: Record<string, string>, minimum: number): JudgeVerdict {
  const given = Number(score)
  const problem = given >= minimum ? null : `The judge gives it ${given} where ${minimum} is needed: ${reason}`
  return { words: reason, score: given, problem }
}

/** The second reader of a multiple choice question must find the right letter, and prove it. */
export function choice({ quote = '', letter }: Record<string, string>, source: string, right: string): JudgeVerdict {
  const problem =
    letter === right
      ? quoteProblem(quote, source)
      : `another reading of the text chose ${letter ?? 'nothing'} where ${right} is right`
  const words = `${letter ?? ''} by: ${quote}`
  return { words, score: problem ? 0 : 1, problem: problem && `The choices were not borne out: ${problem}.` }
}

function yesOrNo(verdict: string | undefined, words: string, problem: string): JudgeVerdict {
  const isYes = verdict === 'YES'
  return { words, score: isYes ? 1 : 0, problem: isYes ? null : problem }
}

/** Whether the votes so far decide it, and how: true passes, false drops, null needs more. */
export function decided(votes: readonly JudgeVerdict[], wanted: number): boolean | null {
  const passed = votes.filter(({ problem }) => problem === null).length
  if (passed * 2 > wanted) return true
  return (votes.length - passed) * 2 >= wanted ? false : null
}

/** The middle score of the votes, the lower of two middles. */
export function middleScore(votes: readonly JudgeVerdict[]): number {
  const scores = votes.map(({ score }) => score).sort((a, b) => a - b)
  return scores[Math.floor((scores.length - 1) / 2)] ?? 0
}
