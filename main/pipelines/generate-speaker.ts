// A model that is asked something during generation: the teacher, a judge, or the student. Fills in the prompt of a stage, trims
// examples until it fits, holds the answer to the stage's grammar, reads its fields, and keeps what was said as a stage outcome. Asks
// once more with another seed when the form is not met.

import { createHash } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { StageName, StageOutcome } from '../contract/generation.ts'
import type { LeafPath } from '../contract/ids.ts'
import type { Sampling } from '../contract/pipelines.ts'
import type { Completion, LlamaSession, Thinking } from '../compute/llama-protocol.ts'
import type { ChatTemplate } from '../domain/chat-template.ts'
import {
  parseStageOutput,
  type PromptStage,
  type PromptVariables,
  renderPrompt,
  stageForms,
  stageGrammar,
} from '../domain/prompts.ts'
import { callSeed } from '../domain/slot-plan.ts'
import { type StageSettings, stageSettings } from '../domain/stage-settings.ts'
import { CallJournal } from './call-journal.ts'
import { type PackName, type PromptPack, templateOf } from './prompt-packs.ts'

/** Tries of one stage before its slot is dropped for its form. */
const maxTries = 2
/** Tokens an answer in free words must have room for. */
const shortestAnswer = 16
/** Characters of a stage's output kept as its words. */
const keptWords = 4000

/** What one slot's calls have in common, and what they have led to so far. */
export interface SlotTalk {
  leaf: LeafPath
  language: string
  slot: number
  runSeed: number
  signal: AbortSignal
  stages: StageOutcome[]
  calls: number
  parseFailures: number
}

export interface StageQuestion {
  stage: PromptStage
  variables: PromptVariables
  examples: readonly PromptVariables[]
  sampling?: Sampling | undefined
  /** Tells several calls of one stage in one slot apart: their seeds differ by it. */
  label?: string | undefined
  /** Other slots share the answer: its seed is named by this instead of the slot. */
  shared?: string | undefined
}
export interface StageAnswer {
  fields: Record<string, string>
  /** The outcome kept for this call; the caller decides `passed`, `words` and `score`. */
  outcome: StageOutcome
}

/** Free text, in the model's own words. */
export interface FreeQuestion {
  stage: StageName
  prompt: string
  sampling: StageSettings
}

/** Thrown inside a slot that is not wanted any more (pause, quota met); never leaves the pipeline. */
export class SlotCancelled extends Error {}

interface ModelCall {
  stage: StageName
  prompt: string
  seed: number
  settings: StageSettings
  /** The slot that waits for it; -1 where many do. */
  slot: number
  grammar?: string
}

interface SpeakerParts {
  /** The model's hash: part of what names a call. */
  sha256: string
  journal: CallJournal
  session: LlamaSession
  template: ChatTemplate
  pack: PackName
  packFor: (language: string) => PromptPack
  /** Told once for each `key` what the user should know. */
  note: (key: string, text: string) => void
}

export class Speaker {
  readonly template: ChatTemplate
  readonly #session: LlamaSession
  readonly #pack: PackName
  readonly #packFor: (language: string) => PromptPack
  readonly #note: (key: string, text: string) => void
  readonly #sha256: string
  readonly #journal: CallJournal

  constructor({ sha256, journal, session, template, pack, packFor, note }: SpeakerParts) {
    this.#sha256 = sha256
    this.#journal = journal
    this.template = template
    this.#session = session
    this.#pack = pack
    this.#packFor = packFor
    this.#note = note
  }

  /** The settings of a stage for this model. */
  settingsOf(stage: PromptStage, sampling?: Sampling): StageSettings {
    return stageSettings(stage, this.#pack, sampling)
  }

  /** The stage's answer, or null when the form was not met; then the talk's last outcome is `form` and says why. */
  async ask(talk: SlotTalk, question: StageQuestion): Promise<StageAnswer | null> {
    const { stage } = question
    const settings = this.settingsOf(stage, question.sampling)
    const prompt = await this.#fit(talk, question, settings)
    if (prompt === null) return null
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const seed = seedOf(talk, question, attempt)
      const { completion, outcome } = await this.#complete(talk, {
        stage,
        prompt,
        seed,
        settings,
        slot: question.shared === undefined ? talk.slot : -1,
        grammar: stageGrammar(stage),
      })
      const isCut = completion.stop === 'length' && endsOpen(stage)
      const problem = isCut ? `it was cut off after ${completion.outputTokens} tokens` : null
      const fields = problem === null ? readFields(stage, completion.text) : null
      if (fields) return { fields, outcome }
      if (problem === null) talk.parseFailures += 1
      const why = problem ?? 'it does not have the form asked for'
      talk.stages.push({ ...outcome, stage: 'form', passed: false, words: `${stage}: ${why}.\n${outcome.words}` })
    }
    return null
  }

  /** What the model writes after a prompt, trimmed. Null when it has no room, was cut off or said nothing: the last outcome then says so. */
  async say(talk: SlotTalk, { stage, prompt, sampling }: FreeQuestion): Promise<StageAnswer | null> {
    const { runSeed, leaf, slot } = talk
    const { contextTokens } = this.#session.reply
    if (!(await this.#fits(prompt, contextTokens - 1 - shortestAnswer))) {
      const words = `${stage}: the question does not fit into the model's context of ${contextTokens} tokens.`
      talk.stages.push({ ...emptyOutcome, stage, words })
      return null
    }
    const seed = callSeed({ runSeed, leaf, slot, stage, attempt: 0 })
    const { completion, outcome } = await this.#complete(talk, { stage, prompt, seed, settings: sampling, slot })
    const text = completion.text.trim()
    if (completion.stop !== 'length' && text !== '') return { fields: { text }, outcome }
    const why = text === '' ? 'nothing was said' : `it was cut off after ${completion.outputTokens} tokens`
    talk.stages.push({ ...outcome, passed: false, words: `${stage}: ${why}.\n${outcome.words}` })
    return null
  }

  /** The answer of the model, or the one it gave before the host was killed. */
  async #complete(
    talk: SlotTalk,
    { stage, prompt, seed, settings, slot, grammar }: ModelCall,
  ): Promise<{ completion: Completion; outcome: StageOutcome }> {
    const { signal } = talk
    const { thinkTokens, ...sampling } = settings
    const thinking = this.#thinking(thinkTokens)
    const request = { prompt, seed, stops: this.template.stops, ...sampling, ...(grammar && { grammar }), ...thinking }
    const key = CallJournal.keyOf(this.#sha256, request)
    const known = this.#journal.find(key)
    const completion = known ?? (await this.#session.complete(request, { signal }))
    if (completion.stop === 'cancelled' || signal.aborted) throw new SlotCancelled()
    if (!known) this.#journal.add(slot, key, completion)
    talk.calls += 1
    return { completion, outcome: outcomeOf(stage, { completion, prompt, seed, temperature: settings.temperature }) }
  }

  /** The prompt with as many examples as leave room for the answer; null when it does not fit even without any. */
  async #fit(
    talk: SlotTalk,
    { stage, variables, examples }: StageQuestion,
    { maxTokens, thinkTokens }: StageSettings,
  ): Promise<string | null> {
    const template = templateOf(this.#packFor(talk.language), stage)
    const { contextTokens } = this.#session.reply
    const thinks = this.#thinking(thinkTokens) !== null
    const room = contextTokens - 1 - maxTokens - (thinks ? (thinkTokens ?? 0) : 0)
    const wanted = Math.min(examples.length, template.exampleCount)
    for (let count = wanted; count >= 0; count--) {
      const { system, user } = renderPrompt(template, variables, examples.slice(0, count))
      const prompt = this.template.renderPrompt(
        [
          { role: 'system', content: system },
          { role: 'user', content: user },
        ],
        { thinks },
      )
      if (!(await this.#fits(prompt, room))) continue
      if (count < wanted)
        this.#note(
          `${talk.leaf} ${stage} ${count}`,
          `${talk.leaf}: ${stage} shows ${count} of ${wanted} examples, since more do not fit into the model's context of ${contextTokens} tokens.`,
        )
      return prompt
    }
    const words = `${stage}: the text does not fit into the model's context of ${contextTokens} tokens, even without examples.`
    talk.stages.push({ ...emptyOutcome, stage: 'form', words })
    return null
  }

  /** How the model is let think before it answers; null where it is not wanted, or not known how. */
  #thinking(tokens: number | undefined): { thinking: Thinking } | null {
    if (tokens === undefined) return null
    if (this.template.thinking) return { thinking: { ...this.template.thinking, maxTokens: tokens } }
    this.#note('thinking', 'The pipeline lets a model think aloud that is not known to do so: it answers at once.')
    return null
  }

  /** A token has at least one byte, so a prompt with fewer bytes than room need not be counted. */
  async #fits(prompt: string, room: number): Promise<boolean> {
    if (Buffer.byteLength(prompt) <= room) return true
    return (await this.#session.tokenize(prompt)).length <= room
  }
}

function seedOf({ runSeed, leaf, slot }: SlotTalk, { stage, label, shared }: StageQuestion, attempt: number): number {
  const named = [stage, label, shared].filter((part) => part !== undefined).join(' ')
  return callSeed({ runSeed, leaf, slot: shared === undefined ? slot : -1, stage: named, attempt })
}

/** Whether an answer cut off at its limit lacks something: a verdict is always given, a text may break off. */
function endsOpen(stage: PromptStage): boolean {
  const kind = stageForms[stage].fields.at(-1)?.kind
  return kind === 'line' || kind === 'text' || kind === 'list'
}

const emptyOutcome: StageOutcome = {
  stage: 'form',
  passed: false,
  words: '',
  reasoning: '',
  score: null,
  promptSha256: '',
  promptTokens: 0,
  outputTokens: 0,
  durationMs: 0,
  seed: 0,
  temperature: 0,
}

/** The outcome of a rule: no call was made. */
export function ruleOutcome(outcome: Pick<StageOutcome, 'stage' | 'passed' | 'words' | 'score'>): StageOutcome {
  return { ...emptyOutcome, ...outcome }
}

interface Call {
  completion: Completion
  prompt: string
  seed: number
  temperature: number
}
function outcomeOf(stage: StageName, { completion, prompt, seed, temperature }: Call): StageOutcome {
  return {
    stage,
    passed: true,
    words: completion.text.slice(0, keptWords),
    reasoning: completion.reasoning?.slice(0, keptWords) ?? '',
    score: null,
    promptSha256: createHash('sha256').update(prompt).digest('hex'),
    promptTokens: completion.promptTokens,
    outputTokens: completion.outputTokens,
    durationMs: completion.ms,
    seed,
    temperature,
  }
}

function readFields(stage: PromptStage, text: string): Record<string, string> | null {
  try {
    return parseStageOutput(stage, text)
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'bad-input') return null
    throw thrown
  }
}
