// Blocks that decide without a judge: duplicates, held-out exams, the leaf's language, and what the student answers already.

import type { BlockOf } from '../contract/pipelines.ts'
import { formatBreach } from '../domain/answer-format.ts'
import { tellingKey } from '../domain/duplicate-screen.ts'
import { foreignLanguage } from '../domain/language.ts'
import { rougeL } from '../domain/near-duplicate.ts'
import { userTurn } from '../domain/user-turn.ts'
import { repeats } from './decontamination.ts'
import { meantBy } from './embedding.ts'
import { findSameMeaning, findTwin, screenedText, type Slot } from './generate-slot.ts'
import { ruleOutcome } from './generate-speaker.ts'

/** Looks among what is kept by now; the run looks again when it takes the slot, among all that came before it. */
export async function checkNew(slot: Slot): Promise<void> {
  const found = findTwin(slot.material.screen, screenedText(slot.material.chunk, slot.draft))
  if (!found) return
  slot.keep(found.outcome)
  slot.drop(found.stage, found.outcome.words, found.twin.key)
}

/** Cosine from which two samples say the same. */
const usualMeaning = 0.92
/** Cosine from which a question asks what an exam asks, for which only a question of nearly the same words is close enough. */
const examMeaning = 0.97

/** By meaning, among what is kept and the exams. Looked at again when the run takes the slot, as words are. */
export async function checkMeaning(slot: Slot, block: BlockOf<'semantic'>): Promise<void> {
  const { meanings } = slot.material
  if (!meanings) return
  const { draft } = slot
  const [vector, question] = await meanings.embedding.vectorsOf([meantBy(draft), draft.question])
  if (!vector || !question) return
  const similarity = block.similarity ?? usualMeaning
  slot.draft.meaning = { vector, similarity }
  const group = tellingKey(draft)
  const found = findSameMeaning(meanings.kept, group, { vector, similarity })
  if (found) {
    slot.keep(found.outcome)
    slot.drop(found.stage, found.outcome.words, found.twin.key)
    return
  }
  const asks = meanings.exams.nearest(tellingKey({ context: '', question: draft.question }), question, examMeaning)
  if (!asks) return
  const words = `It asks what a held-out exam asks (cosine ${asks.score.toFixed(3)}): "${asks.key.slice(0, 200)}".`
  slot.keep(ruleOutcome({ stage: 'decontamination', passed: false, words, score: asks.score }))
  slot.drop('decontamination', words)
}

/** The check is kept in the candidate's history whatever it finds: it is the run's proof. */
export async function checkUnseen(slot: Slot): Promise<void> {
  const { context, question } = slot.draft
  const { heldOut } = slot.material
  if (heldOut.sources.length === 0) return
  const found = heldOut.find(question) ?? (context === '' ? null : heldOut.find(context))
  const words = found ? repeats(found) : 'It repeats nothing that is held out.'
  slot.keep(ruleOutcome({ stage: 'decontamination', passed: found === null, words, score: null }))
  if (found) slot.drop('decontamination', words)
}

export async function checkLanguage(slot: Slot): Promise<void> {
  const { context, question, answer } = slot.draft
  const { language } = slot.material.leaf
  const texts = await Promise.all([question, answer, context].map((text) => foreignLanguage(text, language)))
  const found = texts.find((one) => one !== null)
  if (!found) return
  const words = `It is written in ${found}, where the leaf's language is ${language}.`
  slot.keep(ruleOutcome({ stage: 'language', passed: false, words, score: null }))
  slot.drop('language', words)
}

/** The form the leaf asks its answers to have. */
export async function checkFormat(slot: Slot): Promise<void> {
  const { answerFormat = 'text' } = slot.material.leaf
  const breach = formatBreach(answerFormat, slot.draft.answer)
  if (breach === null) return
  const words = `The answer ${breach}.`
  slot.keep(ruleOutcome({ stage: 'answer-format', passed: false, words, score: null }))
  slot.drop('answer-format', words)
}

/** ROUGE-L above which the student's answer says what the sample's says. */
const usualSimilarity = 0.7

/** Asks the student the sample's question without the document. Known samples are marked, and dropped where the block says so. */
export async function compareWithStudent(slot: Slot, block: BlockOf<'known'>): Promise<void> {
  const { student } = slot.voices
  if (!student) return
  const { context, question, answer } = slot.draft
  const prompt = student.template.renderPrompt([{ role: 'user', content: userTurn(context, question) }])
  const sampling = { ...student.settingsOf('skill-answer-precise', block.sampling), temperature: 0 }
  const said = await student.say(slot.talk, { stage: 'student-knows', prompt, sampling })
  // Cut off or silent: it does not know, and the outcome that says so stands already.
  if (!said) return
  const { text = '' } = said.fields
  const score = rougeL(answer, text)
  const isKnown = score >= (block.similarity ?? usualSimilarity)
  const goes = isKnown && block.drops === true && slot.random('thinned').next() < (block.share ?? 1)
  slot.keep({ ...said.outcome, words: text, score, passed: !goes })
  if (goes) slot.drop('student-knows', `The student answers this already: "${text.slice(0, 300)}"`)
}
