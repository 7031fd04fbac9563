// Opens the models of a run: each with a context just large enough for its longest prompts, and as many sequences as memory allows. Token
// counts come from each model's own tokenizer.

import { AppError } from '../contract/errors.ts'
import type { Model } from '../contract/models.ts'
import { openLastingSession } from '../compute/lasting-session.ts'
import type { LlamaSession, SessionRequest } from '../compute/llama-protocol.ts'
import { type ChatTemplate, createChatTemplate } from '../domain/chat-template.ts'
import { type PromptStage, type PromptVariables, renderPrompt, stageForms } from '../domain/prompts.ts'
import { shownSeeds } from '../domain/slot-plan.ts'
import { stageSettings } from '../domain/stage-settings.ts'
import { callRooms } from '../domain/talk-size.ts'
import type { CallJournal } from './call-journal.ts'
import type { LeafSource } from './generate-sources.ts'
import { Speaker } from './generate-speaker.ts'
import type { Voices } from './generate-slot.ts'
import type { Lab } from './lab.ts'
import { type PackName, type PromptPack, readPromptPack, templateOf } from './prompt-packs.ts'

/** Contexts are made in steps of this. */
const contextStep = 64

/** Who speaks in a run; without a judge of its own the teacher judges. */
export interface RunModels {
  teacher: Model
  judge: Model | null
  student: Model | null
  /** Null: meanings are not compared. */
  embedder: Model | null
}

export interface OpenVoices {
  voices: Voices
  /** Sequences each model runs at once; fewer than asked for when memory is short. */
  parallel: number
  dispose(): Promise<void>
}

interface Opening {
  models: RunModels
  sources: readonly LeafSource[]
  parallel: number
  journal: CallJournal
  /** Told once for each key what the user should know. */
  note: (key: string, text: string) => void
}

/** Opens the models these leaves need. Throws what opening a model throws. */
export async function openVoices(lab: Lab, { models, sources, parallel, journal, note }: Opening): Promise<OpenVoices> {
  const { teacher, judge, student } = models
  const opened: LlamaSession[] = []
  let sequences = parallel
  const speak = async (model: Model, roomFor: RoomFor): Promise<Speaker> => {
    const found = await openSpeaker(lab, { model, roomFor, parallel: sequences, journal, note })
    opened.push(found.session)
    sequences = found.parallel
    return found.speaker
  }
  const dispose = async () => {
    for (const session of opened.splice(0)) await session.dispose()
  }
  try {
    const packs = { teacher: teacher.promptPack, judge: (judge ?? teacher).promptPack }
    const asTeacher = (session: LlamaSession, template: ChatTemplate) =>
      longestTalk(session, template, { lab, sources, packs, who: judge ? ['teacher'] : ['teacher', 'judge'] })
    const asJudge = (session: LlamaSession, template: ChatTemplate) =>
      longestTalk(session, template, { lab, sources, packs, who: ['judge'] })
    const first = await speak(teacher, asTeacher)
    const second = judge ? await speak(judge, asJudge) : first
    const third = student && sources.some(asksStudent) ? await speak(student, studentRoom(student, sources)) : null
    return { voices: { teacher: first, judge: second, student: third }, parallel: sequences, dispose }
  } catch (thrown) {
    await dispose()
    throw thrown
  }
}

type RoomFor = (session: LlamaSession, template: ChatTemplate) => Promise<number>

interface SpeakerWish extends Pick<Opening, 'parallel' | 'journal' | 'note'> {
  model: Model
  roomFor: RoomFor
}

async function openSpeaker(
  lab: Lab,
  { model, roomFor, parallel, journal, note }: SpeakerWish,
): Promise<{ speaker: Speaker; session: LlamaSession; parallel: number }> {
  const { threads, gpu } = lab.settings()
  const base: SessionRequest = { modelPath: model.path, contextTokens: contextStep, sequences: 1, threads, gpu }
  // The first session only counts tokens; the model it loads is shared with the second.
  const counter = await openLastingSession(lab.llama, base)
  try {
    const template = createChatTemplate(counter.reply.chat)
    if (template.isFallback)
      note(`template ${model.id}`, `${model.name} brings no chat template; ChatML is used, which it may not know.`)
    const needed = Math.max(contextStep, await roomFor(counter, template)) + 2
    const contextTokens = Math.min(Math.ceil(needed / contextStep) * contextStep, counter.reply.trainContextTokens)
    const room = { ...base, contextTokens, sequences: parallel }
    const { session, parallel: fitting } = await openWithin(lab, room, (text) => note(text, text))
    const packFor = cachedPacks(lab.resources.promptsDir, model.promptPack)
    const { sha256, promptPack: pack } = model
    const speaker = new Speaker({ sha256, journal, session, template, pack, packFor, note })
    return { speaker, session, parallel: fitting }
  } finally {
    await counter.dispose()
  }
}

function cachedPacks(promptsDir: string, pack: PackName): (language: string) => PromptPack {
  const packs = new Map<string, PromptPack>()
  return (language) => {
    const known = packs.get(language) ?? readPromptPack(promptsDir, pack, language)
    packs.set(language, known)
    return known
  }
}

/** Halves the sequences until they fit into memory. */
async function openWithin(
  lab: Lab,
  request: SessionRequest,
  log: (text: string) => void,
): Promise<{ session: LlamaSession; parallel: number }> {
  for (let sequences = request.sequences; ; sequences = Math.ceil(sequences / 2)) {
    try {
      return { session: await openLastingSession(lab.llama, { ...request, sequences }), parallel: sequences }
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'out-of-memory' || sequences === 1) throw thrown
      log(`${sequences} parallel sequences do not fit into memory; trying half as many.`)
    }
  }
}

interface Talk {
  lab: Lab
  sources: readonly LeafSource[]
  packs: Record<'teacher' | 'judge', PackName>
  who: readonly ('teacher' | 'judge')[]
}

/** Tokens of the longest prompt with its answer, over all leaves and calls, the longest texts taken together. */
async function longestTalk(
  session: LlamaSession,
  template: ChatTemplate,
  { lab, sources, packs, who }: Talk,
): Promise<number> {
  const packFor = {
    teacher: cachedPacks(lab.resources.promptsDir, packs.teacher),
    judge: cachedPacks(lab.resources.promptsDir, packs.judge),
  }
  const sizes = sources.flatMap((source) => {
    const { chain, blocks, leaf } = source
    return who.flatMap((asked) =>
      callRooms({ chain, blocks, persona: leaf.persona, packs }, asked).map(async (room) => {
        const prompt = templateOf(packFor[asked](leaf.language), room.stage)
        const { system, user } = renderPrompt(prompt, worstVariables(room.stage, source), worstExamples(source))
        const text = template.renderPrompt([
          { role: 'system', content: system },
          { role: 'user', content: user },
        ])
        return (await session.tokenize(text)).length + room.writtenTokens + room.answerTokens
      }),
    )
  })
  return Math.max(contextStep, ...(await Promise.all(sizes)))
}

/** The longest given texts; what models write themselves is counted by its limits instead. */
function worstVariables(stage: PromptStage, { leaf, chunks }: LeafSource): PromptVariables {
  const given: PromptVariables = {
    domain: leaf.domain,
    outline: leaf.documentOutline,
    chunk: longest(chunks.map((one) => one.text)),
    task: leaf.taskDescription,
  }
  const names = stageForms[stage].variables.map((name) => name.replace('?', ''))
  return Object.fromEntries(names.map((name) => [name, given[name] ?? '']))
}

function worstExamples({ seeds }: LeafSource): PromptVariables[] {
  const bySize = [...seeds].sort((a, b) => sizeOf(b) - sizeOf(a))
  return bySize.slice(0, shownSeeds).map(({ context = '', question, answer }) => ({ context, question, answer }))
}

function asksStudent({ blocks }: LeafSource): boolean {
  return blocks.some(({ use }) => use === 'mine' || use === 'known')
}

/** The student is asked questions alone: one and its answer, with room for the frame of its chat form. */
function studentRoom({ promptPack }: Model, sources: readonly LeafSource[]): RoomFor {
  return async (session, template) => {
    const frame = (await session.tokenize(template.renderPrompt([{ role: 'user', content: '' }]))).length
    const limits = sources.flatMap(({ chain, blocks }) =>
      blocks.map((block) =>
        block.use === 'known' || (block.use === 'answer' && chain === 'mined')
          ? stageSettings('skill-answer-precise', promptPack, block.sampling).maxTokens
          : 0,
      ),
    )
    const context = sources.some(({ chain }) => chain === 'grounded')
      ? stageSettings('skill-context', 'standard').maxTokens
      : 0
    const asked = Math.max(
      ...(['skill-question', 'knowledge-qa'] as const).map((stage) => stageSettings(stage, 'standard').maxTokens),
    )
    return frame + context + asked + Math.max(0, ...limits)
  }
}

function longest(texts: readonly string[]): string {
  return texts.reduce((one, other) => (other.length > one.length ? other : one), '')
}
function sizeOf({ context = '', question, answer }: { context?: string; question: string; answer: string }): number {
  return context.length + question.length + answer.length
}
