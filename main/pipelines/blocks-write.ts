// Blocks that write: passages, contexts, questions, answers, choices.

import type { BlockOf } from '../contract/pipelines.ts'
import type { Leaf } from '../contract/taxonomy.ts'
import { answerInstruction } from '../domain/answer-format.ts'
import { choice, grade, middleScore } from '../domain/judge-verdicts.ts'
import { exactKey } from '../domain/near-duplicate.ts'
import { materialStages } from '../domain/pipeline.ts'
import { quoteProblem } from '../domain/quotes.ts'
import { userTurn } from '../domain/user-turn.ts'
import { gradedPair } from './blocks-judge.ts'
import type { Slot } from './generate-slot.ts'
import type { StageAnswer } from './generate-speaker.ts'

/** What every knowledge stage is told of the leaf. */
function aboutOf({ material: { leaf } }: Slot) {
  return { domain: leaf.domain, outline: leaf.documentOutline }
}

/** The passage questions are asked about. Each chunk goes through the forms in turn, one a round. */
export async function takeMaterial(slot: Slot, block: BlockOf<'material'>): Promise<void> {
  const { chunk, chunkIndex, round, shared } = slot.material
  const form = block.forms[(chunkIndex + round) % block.forms.length]
  if (!chunk || !form || form === 'as-is') return
  const made = await shared.ask(slot.voices.teacher, slot.talk, {
    stage: materialStages[form],
    variables: { ...aboutOf(slot), chunk: chunk.text },
    examples: [],
    sampling: block.sampling,
    shared: chunk.id,
  })
  // Without a rewrite the chunk itself serves as well.
  if (!made) return
  const { text, lines = '' } = made.fields
  const kept = form === 'extractive-summary' ? copiedLines(lines, chunk.text) : (text ?? lines)
  slot.keep({ ...made.outcome, passed: kept !== '' })
  if (kept !== '') slot.passage = kept
}

/** The lines of an extract that really stand in the source. */
function copiedLines(lines: string, source: string): string {
  return listOf(lines)
    .filter((line) => quoteProblem(line, source) === null)
    .map((line) => `- ${line}`)
    .join('\n')
}

/** Entries of a list answer, each once. */
function listOf(lines: string): string[] {
  const entries = lines.split('\n').map((line) => line.replace(/^- /, '').trim())
  return [...new Map(entries.filter((entry) => entry !== '').map((entry) => [exactKey(entry), entry])).values()]
}

/** A question about the passage with its answer; three of the leaf's pairs show how. */
export async function writePair(slot: Slot, block: BlockOf<'pair'>): Promise<void> {
  const made = await slot.ask({
    stage: 'knowledge-qa',
    variables: { ...aboutOf(slot), chunk: slot.passage },
    examples: slot.examples(['question', 'answer']),
    sampling: block.sampling,
  })
  if (made) takePair(slot, made)
}

function takePair(slot: Slot, made: StageAnswer): void {
  slot.draft.question = made.fields.question ?? ''
  slot.draft.answer = made.fields.answer ?? ''
  slot.keep(made.outcome)
}

/** How two entities of the chunk belong together (after EntiGraph, arXiv 2409.07431); another pair each round. */
export async function writeEntityPair(slot: Slot, block: BlockOf<'entity-pair'>): Promise<void> {
  const { chunk, round, shared } = slot.material
  const named = await shared.ask(slot.voices.teacher, slot.talk, {
    stage: 'knowledge-entities',
    variables: { ...aboutOf(slot), chunk: slot.source },
    examples: [],
    shared: chunk?.id ?? '',
  })
  if (!named) return slot.drop('form', "No entities could be read from the model's answer.")
  slot.keep(named.outcome)
  const entities = listOf(named.fields.lines ?? '').filter((name) => quoteProblem(name, slot.source) === null)
  const pairs = entities.flatMap((first, at) => entities.slice(at + 1).map((second) => [first, second] as const))
  const pair = pairs[round % Math.max(1, pairs.length)]
  if (!pair) return slot.drop('knowledge-entities', 'The text names fewer than two entities.')
  const [first, second] = pair
  const made = await slot.ask({
    stage: 'knowledge-entity-pair',
    variables: { ...aboutOf(slot), chunk: slot.passage, first, second },
    examples: [],
    sampling: block.sampling,
  })
  if (made) takePair(slot, made)
}

export async function writeContext(slot: Slot, block: BlockOf<'context'>): Promise<void> {
  const made = await slot.ask({
    stage: 'skill-context',
    variables: { task: slot.material.leaf.taskDescription },
    examples: slot.examples(['context']),
    sampling: block.sampling,
  })
  if (!made) return
  slot.draft.context = made.fields.context ?? ''
  slot.keep(made.outcome)
}

export async function writeQuestion(slot: Slot, block: BlockOf<'question'>): Promise<void> {
  const made = await slot.ask({
    stage: 'skill-question',
    variables: { task: slot.material.leaf.taskDescription, context: slot.draft.context },
    examples: slot.examples(['context', 'question']),
    sampling: block.sampling,
  })
  if (made) takeQuestion(slot, made)
}

function takeQuestion(slot: Slot, made: StageAnswer): void {
  slot.draft.question = made.fields.question ?? ''
  slot.keep(made.outcome)
}

/** Makes the question harder or moves it aside (after Evol-Instruct, arXiv 2304.12244), for a share of the slots. */
export async function evolveQuestion(slot: Slot, block: BlockOf<'evolve'>): Promise<void> {
  if (slot.random(`evolve ${block.how}`).next() >= (block.share ?? 1)) return
  const { context, question } = slot.draft
  const made = await slot.ask({
    stage: `question-${block.how}`,
    variables: { task: slot.material.leaf.taskDescription, context, question },
    examples: [],
    sampling: block.sampling,
  })
  if (made) takeQuestion(slot, made)
}

/** Several answers to one question are only worth asking for when they may differ. */
const varyingTemperature = 0.7

/** The answer by the leaf's persona; of several the best graded, the earliest of equals. Mined questions the student answers itself. */
export async function writeAnswer(slot: Slot, block: BlockOf<'answer'>): Promise<void> {
  if (slot.material.chain === 'mined') return answerAsStudent(slot, block)
  const { leaf } = slot.material
  const { context, question } = slot.draft
  const wanted = block.bestOf ?? 1
  let best: { answer: StageAnswer; score: number } | null = null
  const others: StageAnswer[] = []
  for (let number = 1; number <= wanted; number++) {
    const answer = await slot.ask({
      stage: `skill-answer-${leaf.persona}`,
      variables: { task: answeringTask(leaf), context, question },
      examples: slot.examples(['context', 'question', 'answer']),
      sampling: wanted > 1 ? { temperature: varyingTemperature, ...block.sampling } : block.sampling,
      label: number > 1 ? `answer ${number}` : undefined,
    })
    if (!answer) return
    const score = wanted > 1 ? await gradeOf(slot, answer.fields.answer ?? '') : 0
    if (score === null) return
    if (best && score <= best.score) {
      others.push(answer)
      continue
    }
    if (best) others.push(best.answer)
    best = { answer, score }
  }
  if (!best) return
  for (const { outcome } of others)
    slot.keep({ ...outcome, passed: false, words: `Another was better.\n${outcome.words}` })
  slot.draft.answer = best.answer.fields.answer ?? ''
  slot.keep(best.answer.outcome)
}

/** What the teacher is told of the task, with the form of answer the leaf asks for. */
function answeringTask({ taskDescription, answerFormat = 'text', language }: Leaf): string {
  return [taskDescription, answerInstruction(answerFormat, language)].filter((part) => part !== '').join(' ')
}

/** The grade of one of several answers; null when the judge did not meet the form, which drops the slot. */
async function gradeOf(slot: Slot, answer: string): Promise<number | null> {
  const votes = await slot.vote({ ...gradedPair(slot, answer), label: 'of several' }, {}, (fields) => grade(fields, 1))
  return votes && middleScore(votes)
}

async function answerAsStudent(slot: Slot, block: BlockOf<'answer'>): Promise<void> {
  const { student } = slot.voices
  if (!student) return slot.drop('mined-answer', noStudent)
  const prompt = student.template.renderPrompt([{ role: 'user', content: userTurn('', slot.draft.question) }])
  const sampling = student.settingsOf('skill-answer-precise', block.sampling)
  const said = await student.say(slot.talk, { stage: 'mined-answer', prompt, sampling })
  if (!said) return slot.drop('mined-answer', 'The student did not finish its answer.')
  slot.draft.answer = said.fields.text ?? ''
  slot.keep(said.outcome)
}

const noStudent = 'No student was chosen to ask.'
const sentinel = 'LABDESKUSERTURN'

/**
 * What a user would say to the student, as the student imagines it: its own chat template up to the user's words, and nothing else
 * (Magpie, arXiv 2406.08464). Replay of what it does already, without any seed.
 */
export async function mineQuestion(slot: Slot, block: BlockOf<'mine'>): Promise<void> {
  const { student } = slot.voices
  if (!student) return slot.drop('mined-question', noStudent)
  const whole = student.template.renderPrompt([{ role: 'user', content: sentinel }])
  const at = whole.indexOf(sentinel)
  if (at < 0) return slot.drop('mined-question', "The student's chat template does not show what a user says.")
  const sampling = { ...student.settingsOf('skill-question', block.sampling) }
  if (block.sampling?.temperature === undefined) sampling.temperature = 1
  const said = await student.say(slot.talk, { stage: 'mined-question', prompt: whole.slice(0, at), sampling })
  if (!said) return slot.drop('mined-question', 'The student did not finish a question.')
  slot.draft.question = said.fields.text ?? ''
  slot.keep(said.outcome)
}

const letters = ['A', 'B', 'C', 'D'] as const

/** Three wrong answers beside the right one; a second, independent reading of the raw chunk must pick the right letter. */
export async function writeChoices(slot: Slot, block: BlockOf<'choices'>): Promise<void> {
  const { question, answer } = slot.draft
  const chunk = slot.source
  const made = await slot.ask({
    stage: 'knowledge-choice',
    variables: { chunk, question, answer },
    examples: [],
    sampling: block.sampling,
  })
  if (!made) return
  const wrong = [made.fields.wrong1 ?? '', made.fields.wrong2 ?? '', made.fields.wrong3 ?? '']
  const isDistinct = new Set([answer, ...wrong].map(exactKey)).size === 4
  slot.keep({ ...made.outcome, passed: isDistinct })
  if (!isDistinct) return slot.drop('knowledge-choice', 'Two of the four choices say the same.')
  const texts = slot.random('choices').shuffle([answer, ...wrong])
  const right = letters[texts.indexOf(answer)] ?? 'A'
  const [a = '', b = '', c = '', d = ''] = texts
  const verify = { stage: 'choice-verify' as const, variables: { chunk, question, a, b, c, d }, examples: [] }
  const { sampling: _writing, ...judging } = block
  if (!(await slot.judge(verify, judging, (fields) => choice(fields, chunk, right)))) return
  slot.draft.question = [question, ...texts.map((text, at) => `${letters[at]}: ${text}`)].join('\n')
  slot.draft.answer = `${right}: ${answer}`
}
