// Cases for examining a demo teacher on worlds it has never seen: what it is asked, and how its answer is marked against the truth.

import { coreStages, type CoreStage } from '../domain/prompts.ts'
import type { StageCase } from './cases.ts'
import { drawBench, knowledgeCase, skillCase } from './corpus.ts'
import { makeScene } from './knowledge-cases.ts'
import type { NameSplit } from './names.ts'
import { randomOf } from './random.ts'
import { isSkillContext, rightSkillAnswer } from './skill-truth.ts'
import { truthOf } from './truth.ts'

export interface ExaminedCase {
  worked: StageCase
  isRight: (fields: Record<string, string>) => boolean
}
export const examinedStages: readonly CoreStage[] = coreStages

/** A fresh case of a stage over an unseen world. */
export function makeExaminedCase(stage: CoreStage, seed: string, split: NameSplit = 'held-out'): ExaminedCase {
  const random = randomOf(`examine:${seed}`)
  if (stage.startsWith('knowledge') || stage === 'choice-verify') {
    const scene = makeScene(`examine:${seed}`, random, { split, difficulty: 1 })
    const worked = knowledgeCase(stage, scene, random)
    return {
      worked,
      isRight: (fields) =>
        stage === 'knowledge-qa'
          ? truthOf(scene.world, fields.question ?? '', fields.answer ?? '') === 'true'
          : isRightJudgement(worked, fields),
    }
  }
  const bench = drawBench(stage, random, split)
  const worked = skillCase(stage, bench, { random, split })
  const { style } = bench.skill
  const context = worked.variables.context ?? ''
  return {
    worked,
    isRight(fields) {
      if (stage === 'skill-context') return isSkillContext(style, fields.context ?? '')
      if (stage === 'skill-question') return rightSkillAnswer(style, context, fields.question ?? '') !== undefined
      if (stage === 'skill-pair-judge' || stage === 'skill-question-judge') return isRightJudgement(worked, fields)
      return fields.answer === rightSkillAnswer(style, context, worked.variables.question ?? '')
    },
  }
}

/** Verdicts, letters and grades must be equal; a quote for YES must stand in the text; wrong choices must be three and wrong. */
function isRightJudgement(worked: StageCase, fields: Record<string, string>): boolean {
  if (worked.stage === 'knowledge-choice') {
    const choices = [fields.wrong1, fields.wrong2, fields.wrong3]
    return new Set(choices).size === 3 && !choices.includes(worked.variables.answer)
  }
  const isEqual = (['verdict', 'letter', 'score'] as const).every((name) => fields[name] === worked.output[name])
  const needsQuote = fields.quote !== undefined && (fields.verdict === 'YES' || fields.letter !== undefined)
  return isEqual && (!needsQuote || (worked.variables.chunk ?? '').includes(fields.quote ?? ''))
}
