// One slot under way: its draft so far, and the ways the blocks of its chain (blocks.ts) may change or drop it. Nothing here writes to the
// store; the run takes finished drafts in slot order.

import type { StageName, StageOutcome } from '../contract/generation.ts'
import type { ChainKind, PipelineBlock, Sampling } from '../contract/pipelines.ts'
import type { Chunk, Leaf, Seed } from '../contract/taxonomy.ts'
import type { DuplicateScreen, ScreenedText, Twin } from '../domain/duplicate-screen.ts'
import { decided, type JudgeVerdict, middleScore } from '../domain/judge-verdicts.ts'
import type { MeaningIndex } from '../domain/meaning-index.ts'
import type { PromptVariables } from '../domain/prompts.ts'
import { createRandom, type Random } from '../domain/random.ts'
import type { HeldOutCheck } from './decontamination.ts'
import type { Embedding } from './embedding.ts'
import type { SharedAnswers } from './generate-shared.ts'
import { ruleOutcome, type SlotTalk, type Speaker, type StageAnswer, type StageQuestion } from './generate-speaker.ts'

/** The models of a run. Without a judge of its own the teacher judges. */
export interface Voices {
  teacher: Speaker
  judge: Speaker
  student: Speaker | null
}

/** What the blocks of a slot work with. */
export interface SlotMaterial {
  leaf: Leaf
  chain: ChainKind
  blocks: readonly PipelineBlock[]
  seeds: Seed[]
  chunk: Chunk | null
  /** The chunk's place among the leaf's, and how often all chunks were used before. */
  chunkIndex: number
  round: number
  minPairGrade: number
  screen: DuplicateScreen
  shared: SharedAnswers
  heldOut: HeldOutCheck
  /** Null when no model tells meanings. */
  meanings: Meanings | null
}

/** How samples are compared by meaning: with all that is kept, and with the exams. */
export interface Meanings {
  embedding: Embedding
  kept: MeaningIndex
  exams: MeaningIndex
}

/** A finished slot before it is taken into the run. */
export interface SlotDraft {
  context: string
  question: string
  answer: string
  score: number | null
  /** What it means, once a block has asked, and the cosine from which another says the same. */
  meaning: { vector: Float32Array; similarity: number } | null
  drop: Drop | null
}
export interface Drop {
  stage: StageName
  reason: string
  /** Key of the kept text it repeats. */
  twin: string | null
}

/** What duplicates are looked for by. Knowledge is compared within its chunk, skills among all skills. */
export function screenedText(
  chunk: Chunk | null,
  draft: Pick<SlotDraft, 'context' | 'question' | 'answer'>,
): ScreenedText {
  const { context, question, answer } = draft
  return { source: chunk?.id ?? '', context, question, answer }
}

/** Who judges, how often, and how it is sampled. */
export interface Judging {
  by?: 'teacher' | 'judge' | undefined
  votes?: number | undefined
  sampling?: Sampling | undefined
}

/** Several votes are asked with some chance, or they would all be the same. */
const votingTemperature = 0.7

/** A slot under way: the draft so far, and the ways blocks may change it. */
export class Slot {
  readonly draft: SlotDraft = {
    context: '',
    question: '',
    answer: '',
    score: null,
    meaning: null,
    drop: null,
  }
  readonly voices: Voices
  readonly talk: SlotTalk
  readonly material: SlotMaterial
  /** What questions are asked about; the raw chunk unless a block rewrote it. */
  passage: string

  constructor(voices: Voices, talk: SlotTalk, material: SlotMaterial) {
    this.voices = voices
    this.talk = talk
    this.material = material
    this.passage = material.chunk?.text ?? ''
  }

  /** The raw text answers must rest on. */
  get source(): string {
    return this.material.chunk?.text ?? ''
  }

  /** The leaf's seeds as examples with these fields. */
  examples(names: readonly ('context' | 'question' | 'answer')[]): PromptVariables[] {
    return this.material.seeds.map((seed) => Object.fromEntries(names.map((name) => [name, seed[name] ?? ''])))
  }

  /** Chance named by the slot, independent of all calls. */
  random(label: string): Random {
    return createRandom(`${this.talk.runSeed} ${this.talk.leaf} ${this.talk.slot} ${label}`)
  }

  /** The answer of a writing stage. Null when the form was not met: the slot is dropped. */
  async ask(question: StageQuestion, speaker: Speaker = this.voices.teacher): Promise<StageAnswer | null> {
    const answer = await speaker.ask(this.talk, question)
    if (!answer) this.drop('form', firstLine(this.talk.stages.at(-1)?.words ?? ''))
    return answer
  }

  /** Asks a judge until the votes decide; drops the slot with the first reason when they are against it. */
  async judge(
    call: StageQuestion,
    judging: Judging,
    read: (fields: Record<string, string>) => JudgeVerdict,
  ): Promise<boolean> {
    const votes = await this.vote(call, judging, read)
    if (!votes) return false
    this.draft.score = middleScore(votes)
    const against = votes.find(({ problem }) => problem !== null)
    if (decided(votes, judging.votes ?? 1) === true || !against?.problem) return true
    const passed = votes.filter(({ problem }) => problem === null).length
    const count = votes.length > 1 ? ` (${votes.length - passed} of ${votes.length} votes)` : ''
    this.drop(call.stage, `${against.problem}${count}`)
    return false
  }

  /** The votes of a judge, each kept with its words; null when one did not meet the form, which drops the slot. */
  async vote(
    call: StageQuestion,
    { by = 'judge', votes: wanted = 1, sampling }: Judging,
    read: (fields: Record<string, string>) => JudgeVerdict,
  ): Promise<JudgeVerdict[] | null> {
    const votes: JudgeVerdict[] = []
    while (decided(votes, wanted) === null) {
      const name = [call.label, votes.length > 0 ? `vote ${votes.length + 1}` : undefined].filter(Boolean).join(' ')
      const answer = await this.ask(
        {
          ...call,
          label: name === '' ? undefined : name,
          sampling: wanted > 1 ? { temperature: votingTemperature, ...sampling } : sampling,
        },
        this.voices[by],
      )
      if (!answer) return null
      const verdict = read(answer.fields)
      votes.push(verdict)
      this.keep({ ...answer.outcome, words: verdict.words, score: verdict.score, passed: verdict.problem === null })
    }
    return votes
  }

  keep(outcome: StageOutcome): void {
    this.talk.stages.push(outcome)
  }
  drop(stage: StageName, reason: string, twin: string | null = null): void {
    this.draft.drop = { stage, reason, twin }
  }
}

/** A kept text that says the same or nearly the same, as the outcome of the rule that found it. */
export function findTwin(
  screen: DuplicateScreen,
  text: ScreenedText,
): FoundTwin<'exact-duplicate' | 'near-duplicate'> | null {
  const exact = screen.findExact(text)
  const twin = exact ?? screen.findNear(text)
  if (!twin) return null
  const stage = exact ? 'exact-duplicate' : 'near-duplicate'
  const what = whatIs(twin)
  const words = exact
    ? `It says the same as ${what}.`
    : `It says nearly the same as ${what} (ROUGE-L of the questions ${twin.score.toFixed(2)}).`
  return { stage, twin, outcome: ruleOutcome({ stage, passed: false, words, score: twin.score }) }
}

/** A kept text that means the same, as the outcome of the rule that found it. */
export function findSameMeaning(
  kept: MeaningIndex,
  group: string,
  { vector, similarity }: { vector: Float32Array; similarity: number },
): FoundTwin<'semantic-duplicate'> | null {
  const twin = kept.nearest(group, vector, similarity)
  if (!twin) return null
  const stage = 'semantic-duplicate'
  const words = `It means the same as ${whatIs(twin)} (cosine ${twin.score.toFixed(3)}).`
  return { stage, twin, outcome: ruleOutcome({ stage, passed: false, words, score: twin.score }) }
}

/** A kept text that a rule found too like, and the outcome that says so. */
export interface FoundTwin<Stage extends StageName> {
  stage: Stage
  twin: Twin
  outcome: StageOutcome
}

const whatIs = ({ key }: Twin) => (key.startsWith('seed') ? 'a seed' : 'an earlier sample')

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
