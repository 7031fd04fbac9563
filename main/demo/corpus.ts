// The corpora of the demo models: each row is a pure function of (seed, row number), written through the product's own prompt files and
// chat form. The teacher's rows are the stages' cases; the student's are questions about given texts, lore to remember and small tasks.

import { coreStages, renderPrompt, writeStageOutput, type CoreStage, type PromptTemplate } from '../domain/prompts.ts'
import type { StageCase } from './cases.ts'
import {
  choiceCase,
  faithfulCase,
  makeScene,
  qaCase,
  relevantCase,
  type Scene,
  type SceneOptions,
  selfContainedCase,
  verifyCase,
} from './knowledge-cases.ts'
import type { NameSplit } from './names.ts'
import { randomOf, type Random } from './random.ts'
import {
  answerCase,
  type Bench,
  contextCase,
  makeBench,
  pairJudgeCase,
  questionCase,
  questionJudgeCase,
} from './skill-cases.ts'

/** One training text in ChatML: turns of what the model is given and what it should write (with the end mark). */
export interface CorpusRow {
  turns: { prompt: string; response: string }[]
}
export type PromptPack = Record<CoreStage, PromptTemplate>

/** Writes turns in the demo models' chat form; equal to the chat template in their GGUF. */
export function chatPrompt(system: string, user: string): string {
  return `${system ? `<|im_start|>system\n${system}<|im_end|>\n` : ''}<|im_start|>user\n${user}<|im_end|>\n<|im_start|>assistant\n`
}

/** How often each stage occurs: judging needs more practice than writing. */
const stageShares: Record<CoreStage, number> = {
  'knowledge-qa': 20,
  'knowledge-faithful': 26,
  'knowledge-relevant': 14,
  'knowledge-self-contained': 2,
  'knowledge-choice': 4,
  'choice-verify': 7,
  'skill-context': 5,
  'skill-question': 5,
  'skill-question-judge': 6,
  'skill-answer-precise': 10,
  'skill-answer-creative': 6,
  'skill-pair-judge': 14,
}

function drawStage(random: Random): CoreStage {
  let left = random.next() * coreStages.reduce((sum, stage) => sum + stageShares[stage], 0)
  for (const stage of coreStages) {
    left -= stageShares[stage]
    if (left < 0) return stage
  }
  return 'knowledge-qa'
}

/** A worked case of a stage. `difficulty` 0..1 lengthens chunks and adds distractors. */
export function makeCase(stage: CoreStage, seed: string, options: SceneOptions): StageCase {
  return caseSource(stage, seed, options)()
}

/** Cases of one stage over one scene or one leaf: each call gives another. */
function caseSource(stage: CoreStage, seed: string, options: SceneOptions): () => StageCase {
  const random = randomOf(`case:${seed}`)
  if (stage.startsWith('knowledge') || stage === 'choice-verify') {
    const scene = makeScene(seed, random, options)
    return () => knowledgeCase(stage, scene, random)
  }
  const bench = drawBench(stage, random, options.split)
  return () => skillCase(stage, bench, { random, split: options.split })
}

export function knowledgeCase(stage: CoreStage, scene: Scene, random: Random): StageCase {
  switch (stage) {
    case 'knowledge-faithful':
      return faithfulCase(scene, random)
    case 'knowledge-relevant':
      return relevantCase(scene, random)
    case 'knowledge-self-contained':
      return selfContainedCase(scene, random)
    case 'knowledge-choice':
      return choiceCase(scene, random)
    case 'choice-verify':
      return verifyCase(scene, random)
    default:
      return qaCase(scene, random)
  }
}

export function skillCase(
  stage: CoreStage,
  bench: Bench,
  { random, split }: { random: Random; split: NameSplit },
): StageCase {
  switch (stage) {
    case 'skill-context':
      return contextCase(bench)
    case 'skill-question':
      return questionCase(bench)
    case 'skill-question-judge':
      return questionJudgeCase(bench, random, split)
    case 'skill-pair-judge':
      return pairJudgeCase(bench, random)
    default:
      return answerCase(bench, stage)
  }
}

export function drawBench(stage: CoreStage, random: Random, split: NameSplit): Bench {
  for (;;) {
    const bench = makeBench(random, split)
    if (stage !== 'skill-context' || bench.skill.isGrounded) return bench
  }
}

/** A case as the text the product sends and the text the teacher should answer. */
export function rowOf(pack: PromptPack, worked: StageCase): CorpusRow {
  return { turns: [firstTurn(pack, worked)] }
}

function firstTurn(pack: PromptPack, worked: StageCase): { prompt: string; response: string } {
  const { system, user } = renderPrompt(pack[worked.stage], worked.variables, worked.examples)
  return { prompt: chatPrompt(system, user), response: responseOf(worked) }
}

function responseOf(worked: StageCase): string {
  return `${writeStageOutput(worked.stage, worked.output)}<|im_end|>`
}

const turnLabels: readonly [string, string][] = [
  ['context', 'Context: '],
  ['question', 'Question: '],
  ['answer', 'Answer: '],
  ['a', 'A: '],
  ['b', 'B: '],
  ['c', 'C: '],
  ['d', 'D: '],
]

/** A further case over the same text, given as a short turn: more questions to practise on for the cost of reading once. */
function furtherTurn(worked: StageCase): { prompt: string; response: string } {
  const given = turnLabels.flatMap(([name, label]) => (worked.variables[name] ? [label + worked.variables[name]] : []))
  return { prompt: `\n${chatPrompt('', given.length > 0 ? given.join('\n') : 'More.')}`, response: responseOf(worked) }
}

/** Judges are practised on more pairs over one text than writers. */
const judgeStages: readonly CoreStage[] = [
  'knowledge-faithful',
  'choice-verify',
  'skill-pair-judge',
  'knowledge-relevant',
]

/** Row `index` of the teacher's corpus: one case as the product asks it, often followed by more over the same text. */
export function teacherRow(
  pack: PromptPack,
  { seed, index, difficulty }: { seed: string; index: number; difficulty: number },
): CorpusRow & { stage: CoreStage } {
  const random = randomOf(`stage:${seed}:${index}`)
  const stage = drawStage(random)
  const draw = caseSource(stage, `${seed}:${index}`, { split: 'training', difficulty })
  const most = judgeStages.includes(stage) ? 6 : 4
  const further = stage === 'knowledge-self-contained' || random.chance(0.3) ? 0 : random.between(2, most)
  return { stage, turns: [firstTurn(pack, draw()), ...Array.from({ length: further }, () => furtherTurn(draw()))] }
}
