// Opens the teacher for a run: a context just large enough for the longest prompts of its leaves, and as many sequences as memory
// allows. Token counts come from the teacher's own tokenizer.

import { AppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import type { LlamaSession, SessionRequest } from '../compute/llama-protocol.ts'
import { createChatTemplate } from '../domain/chat-template.ts'
import { type PromptStage, type PromptVariables, renderPrompt } from '../domain/prompts.ts'
import { shownSeeds } from '../domain/slot-plan.ts'
import { stageSettings } from '../domain/stage-settings.ts'
import type { LeafSource } from './generate-sources.ts'
import type { Lab } from './lab.ts'

const knowledgeStages = [
  'knowledge-qa',
  'knowledge-faithful',
  'knowledge-relevant',
  'knowledge-self-contained',
] as const
const skillStages = ['skill-question', 'skill-question-judge', 'skill-pair-judge'] as const
/** Contexts are made in steps of this. */
const contextStep = 64

export interface TeacherSession {
  session: LlamaSession
  /** Sequences it runs at once; fewer than asked for when memory is short. */
  parallel: number
}

/** Opens the teacher for these leaves. Throws what opening a model throws. */
export async function openTeacher(
  lab: Lab,
  { model, sources, parallel }: { model: Model; sources: readonly LeafSource[]; parallel: number },
  log: (text: string) => void,
): Promise<TeacherSession> {
  const { threads, gpu } = lab.settings()
  const base: SessionRequest = { modelPath: model.path, contextTokens: contextStep, sequences: 1, threads, gpu }
  // The first session only counts tokens; the model it loads is shared with the second.
  const counter = await openLastingSession(lab.llama, base)
  try {
    const needed = await longestTalk(counter, sources, model.promptPack)
    const contextTokens = Math.min(Math.ceil(needed / contextStep) * contextStep, counter.reply.trainContextTokens)
    return await openWithin(lab, { ...base, contextTokens, sequences: parallel }, log)
  } finally {
    await counter.dispose()
  }
}

/** Halves the sequences until they fit into memory. */
async function openWithin(lab: Lab, request: SessionRequest, log: (text: string) => void): Promise<TeacherSession> {
  for (let sequences = request.sequences; ; sequences = Math.ceil(sequences / 2)) {
    try {
      return { session: await openLastingSession(lab.llama, { ...request, sequences }), parallel: sequences }
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'out-of-memory' || sequences === 1) throw thrown
      log(`${sequences} parallel sequences do not fit into memory; trying half as many.`)
    }
  }
}

/** Tokens of the longest prompt with its answer, over all leaves and stages, the longest texts taken together. */
async function longestTalk(
  session: LlamaSession,
  sources: readonly LeafSource[],
  pack: Model['promptPack'],
): Promise<number> {
  const template = createChatTemplate(session.reply.chat)
  const sizes = sources.flatMap((source) => {
    const stages: PromptStage[] =
      source.leaf.branch === 'knowledge'
        ? [...knowledgeStages]
        : [
            ...skillStages,
            `skill-answer-${source.leaf.persona}`,
            ...(source.leaf.isGrounded ? (['skill-context'] as const) : []),
          ]
    return stages.map(async (stage) => {
      const { system, user } = renderPrompt(
        source.prompts.templates[stage],
        worstVariables(source),
        worstExamples(source),
      )
      const turns = [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ] as const
      const tokens = (await session.tokenize(template.renderPrompt(turns))).length
      return tokens + stageSettings(stage, pack).maxTokens + generatedTokens(stage, source, pack)
    })
  })
  return Math.max(contextStep, ...(await Promise.all(sizes))) + 2
}

/** The longest given texts; what the teacher writes itself is counted by its limits instead. */
function worstVariables({ leaf, chunks }: LeafSource): PromptVariables {
  const chunk = longest(chunks.map((one) => one.text))
  return {
    domain: leaf.domain,
    outline: leaf.documentOutline,
    chunk,
    task: leaf.taskDescription,
    context: '',
    question: '',
    answer: '',
  }
}

function worstExamples({ seeds }: LeafSource): PromptVariables[] {
  const bySize = [...seeds].sort((a, b) => sizeOf(b) - sizeOf(a))
  return bySize.slice(0, shownSeeds).map(({ context = '', question, answer }) => ({ context, question, answer }))
}

/** Room for what earlier stages of the same slot may have written into this prompt. */
function generatedTokens(stage: PromptStage, { leaf }: LeafSource, pack: Model['promptPack']): number {
  const limit = (other: PromptStage) => stageSettings(other, pack).maxTokens
  const context = leaf.isGrounded && leaf.branch !== 'knowledge' ? limit('skill-context') : 0
  switch (stage) {
    case 'knowledge-faithful':
    case 'knowledge-relevant':
    case 'knowledge-self-contained':
      return limit('knowledge-qa')
    case 'skill-question':
      return context
    case 'skill-question-judge':
    case 'skill-answer-precise':
    case 'skill-answer-creative':
      return context + limit('skill-question')
    case 'skill-pair-judge':
      return context + limit('skill-question') + limit(`skill-answer-${leaf.persona}`)
    default:
      return 0
  }
}

function longest(texts: readonly string[]): string {
  return texts.reduce((one, other) => (other.length > one.length ? other : one), '')
}
function sizeOf({ context = '', question, answer }: { context?: string; question: string; answer: string }): number {
  return context.length + question.length + answer.length
}
