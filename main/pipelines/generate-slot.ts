// One slot: the stages of one candidate in their order, each free to drop it with its reason. Knowledge and skills are two chains over
// the same talk. Nothing here writes; the result is a draft that the run takes in slot order.

import type { StageName, StageOutcome } from '../contract/generation.ts'
import type { Chunk, Leaf, Seed } from '../contract/taxonomy.ts'
import type { Contamination } from '../domain/contamination.ts'
import type { DuplicateScreen, ScreenedText, Twin } from '../domain/duplicate-screen.ts'
import type { PromptVariables } from '../domain/prompts.ts'
import { quoteProblem } from '../domain/quotes.ts'
import { statementsOf } from '../domain/sentences.ts'
import { ruleOutcome, type SlotTalk, type StageAnswer, type StageQuestion, type Teacher } from './generate-teacher.ts'

/** What the stages of a slot work with. */
export interface SlotMaterial {
  leaf: Leaf
  seeds: Seed[]
  chunk: Chunk | null
  minPairGrade: number
  screen: DuplicateScreen
  findContamination: (text: string) => Contamination | null
}

/** A finished slot before it is taken into the run. */
export interface SlotDraft {
  context: string
  question: string
  answer: string
  score: number | null
  drop: Drop | null
}
export interface Drop {
  stage: StageName
  reason: string
  /** Key of the kept text it repeats. */
  twin: string | null
}

/** Runs the chain of the leaf's branch. Throws SlotCancelled, or what the session threw. */
export async function runSlot(teacher: Teacher, talk: SlotTalk, material: SlotMaterial): Promise<SlotDraft> {
  const chain = new SlotChain(teacher, talk, material)
  if (material.leaf.branch === 'knowledge') await chain.knowledge()
  else await chain.skill()
  return chain.draft
}

/** What duplicates are looked for by. Knowledge is compared within its chunk, skills among all skills. */
export function screenedText(
  chunk: Chunk | null,
  draft: Pick<SlotDraft, 'context' | 'question' | 'answer'>,
): ScreenedText {
  const { context, question, answer } = draft
  return { source: chunk?.id ?? '', context, question, answer }
}

/** Statements of one answer that are judged apart. */
const mostStatements = 8

class SlotChain {
  readonly draft: SlotDraft = { context: '', question: '', answer: '', score: null, drop: null }
  readonly #teacher: Teacher
  readonly #talk: SlotTalk
  readonly #material: SlotMaterial

  constructor(teacher: Teacher, talk: SlotTalk, material: SlotMaterial) {
    this.#teacher = teacher
    this.#talk = talk
    this.#material = material
  }

  /**
   * LAB section 2, knowledge: grounded pair, then three judgements. The first is against the raw chunk, statement by statement: one
   * quote can bear out one statement only, and a long answer is false as soon as any part of it is.
   */
  async knowledge(): Promise<void> {
    const { leaf, seeds, chunk: source } = this.#material
    const chunk = source?.text ?? ''
    const made = await this.#ask({
      stage: 'knowledge-qa',
      variables: { domain: leaf.domain, outline: leaf.documentOutline, chunk },
      examples: pick(seeds, ['question', 'answer']),
    })
    if (!made) return
    this.draft.question = made.fields.question ?? ''
    this.draft.answer = made.fields.answer ?? ''
    this.#keep(made.outcome)
    if (!this.#checkNew() || !this.#checkClean()) return
    const { question, answer } = this.draft
    const pair = { variables: { chunk, question, answer }, examples: [] }
    const statements = statementsOf(answer, mostStatements)
    for (const statement of statements) {
      const variables = { chunk, question, answer: statement }
      const about = statements.length > 1 ? statement : ''
      const isFaithful = (fields: Record<string, string>) => faithfulness(fields, chunk, about)
      if (!(await this.#judge({ stage: 'knowledge-faithful', variables, examples: [] }, isFaithful))) return
    }
    if (!(await this.#judge({ stage: 'knowledge-relevant', ...pair }, relevance))) return
    await this.#judge({ stage: 'knowledge-self-contained', ...pair }, clarity)
  }

  /** LAB section 2, skills: (context,) question, its evaluation, answer by persona, grade of the pair. */
  async skill(): Promise<void> {
    const { leaf, seeds, minPairGrade } = this.#material
    const task = leaf.taskDescription
    const context = leaf.isGrounded ? await this.#newContext(task) : ''
    if (context === null) return
    const examples = pick(seeds, ['context', 'question'])
    const asked = await this.#ask({ stage: 'skill-question', variables: { task, context }, examples })
    if (!asked) return
    const question = asked.fields.question ?? ''
    this.draft.question = question
    this.#keep(asked.outcome)
    const variables = { task, context, question }
    if (!(await this.#judge({ stage: 'skill-question-judge', variables, examples }, fitness))) return
    const pairs = pick(seeds, ['context', 'question', 'answer'])
    const answered = await this.#ask({ stage: `skill-answer-${leaf.persona}`, variables, examples: pairs })
    if (!answered) return
    const answer = answered.fields.answer ?? ''
    this.draft.answer = answer
    this.#keep(answered.outcome)
    if (!this.#checkNew() || !this.#checkClean()) return
    const pair = { variables: { ...variables, answer }, examples: pairs }
    await this.#judge({ stage: 'skill-pair-judge', ...pair }, (fields) => grade(fields, minPairGrade))
  }

  async #newContext(task: string): Promise<string | null> {
    const examples = pick(this.#material.seeds, ['context'])
    const made = await this.#ask({ stage: 'skill-context', variables: { task }, examples })
    if (!made) return null
    this.draft.context = made.fields.context ?? ''
    this.#keep(made.outcome)
    return this.draft.context
  }

  /** Null when the form was not met: the slot is dropped. */
  async #ask(call: StageQuestion): Promise<StageAnswer | null> {
    const answer = await this.#teacher.ask(this.#talk, call)
    if (!answer) this.#drop('form', firstLine(this.#talk.stages.at(-1)?.words ?? ''))
    return answer
  }

  async #judge(call: StageQuestion, read: (fields: Record<string, string>) => Verdict): Promise<boolean> {
    const { stage } = call
    const answer = await this.#ask(call)
    if (!answer) return false
    const { words, score, problem } = read(answer.fields)
    this.draft.score = score
    this.#keep({ ...answer.outcome, words, score, passed: problem === null })
    if (problem !== null) this.#drop(stage, problem)
    return problem === null
  }

  /** Looks among what is kept by now; the run looks again when it takes the slot, among all that came before it. */
  #checkNew(): boolean {
    const found = findTwin(this.#material.screen, screenedText(this.#material.chunk, this.draft))
    if (!found) return true
    this.#keep(found.outcome)
    this.#drop(found.stage, found.outcome.words, found.twin.key)
    return false
  }

  #checkClean(): boolean {
    const { context, question } = this.draft
    const found =
      this.#material.findContamination(question) ?? (context === '' ? null : this.#material.findContamination(context))
    if (!found) return true
    const words = `It repeats a held-out exam: "${found.words.slice(0, 200)}".`
    this.#keep(ruleOutcome({ stage: 'decontamination', passed: false, words, score: null }))
    this.#drop('decontamination', words)
    return false
  }

  #keep(outcome: StageOutcome): void {
    this.#talk.stages.push(outcome)
  }
  #drop(stage: StageName, reason: string, twin: string | null = null): void {
    this.draft.drop = { stage, reason, twin }
  }
}

/** A kept text that says the same or nearly the same, as the outcome of the rule that found it. */
export function findTwin(
  screen: DuplicateScreen,
  text: ScreenedText,
): { stage: 'exact-duplicate' | 'near-duplicate'; twin: Twin; outcome: StageOutcome } | null {
  const exact = screen.findExact(text)
  const twin = exact ?? screen.findNear(text)
  if (!twin) return null
  const stage = exact ? 'exact-duplicate' : 'near-duplicate'
  const what = twin.key.startsWith('seed') ? 'a seed' : 'an earlier sample'
  const words = exact
    ? `It says the same as ${what}.`
    : `It says nearly the same as ${what} (ROUGE-L of the questions ${twin.score.toFixed(2)}).`
  return { stage, twin, outcome: ruleOutcome({ stage, passed: false, words, score: twin.score }) }
}

interface Verdict {
  words: string
  score: number
  /** Why it is dropped, in plain words; null when it passes. */
  problem: string | null
}

/** `about` names the statement that was judged where an answer has several. */
function faithfulness({ quote = '', verdict }: Record<string, string>, source: string, about: string): Verdict {
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

function relevance({ reason = '', verdict }: Record<string, string>): Verdict {
  const isYes = verdict === 'YES'
  return {
    words: reason,
    score: isYes ? 1 : 0,
    problem: isYes ? null : `The judge finds it beside the point: ${reason}`,
  }
}

function clarity({ verdict }: Record<string, string>): Verdict {
  const isYes = verdict === 'YES'
  const problem = isYes ? null : 'The judge finds that the question cannot be understood without the text.'
  return { words: verdict ?? '', score: isYes ? 1 : 0, problem }
}

function fitness({ reason = '', verdict }: Record<string, string>): Verdict {
  const isYes = verdict === 'YES'
  return {
    words: reason,
    score: isYes ? 1 : 0,
    problem: isYes ? null : `The judge finds the question unfit: ${reason}`,
  }
}

function grade({ reason = '', score = '1' }: Record<string, string>, minimum: number): Verdict {
  const given = Number(score)
  const problem = given >= minimum ? null : `The judge gives it ${given} where ${minimum} is needed: ${reason}`
  return { words: reason, score: given, problem }
}

function pick(seeds: readonly Seed[], names: readonly ('context' | 'question' | 'answer')[]): PromptVariables[] {
  return seeds.map((seed) => Object.fromEntries(names.map((name) => [name, seed[name] ?? ''])))
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
