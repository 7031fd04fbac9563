// What a run compares meanings with: everything kept before it and the questions of all exams, as vectors. Made once for each text and
// model; a run that goes on finds them in the project.

import { tellingKey } from '../domain/duplicate-screen.ts'
import { createMeaningIndex, type MeaningIndex } from '../domain/meaning-index.ts'
import type { HeldOutCheck } from './decontamination.ts'
import { Embedding, meantBy } from './embedding.ts'
import type { RunModels } from './generate-session.ts'
import type { Meanings } from './generate-slot.ts'
import { keptTexts, type LeafSource } from './generate-sources.ts'
import type { Lab } from './lab.ts'

interface MeaningWish {
  models: RunModels
  sources: readonly LeafSource[]
  /** Filled here. */
  kept: MeaningIndex
  heldOut: HeldOutCheck
  signal: AbortSignal
  report: (done: number, total: number) => void
  /** Told once for each key what the user should know. */
  note: (key: string, text: string) => void
}

/** Null where no chain asks for meanings, or no model tells them; then words alone decide, which is noted. */
export async function openMeanings(lab: Lab, wish: MeaningWish): Promise<Meanings | null> {
  const { models, sources, kept, heldOut, signal, report, note } = wish
  if (!sources.some(({ blocks }) => blocks.some(({ use }) => use === 'semantic'))) return null
  if (!models.embedder) {
    note('no embedder', 'No model is chosen to compare meanings: duplicates are looked for by their words alone.')
    return null
  }
  const embedding = new Embedding(lab, models.embedder)
  const exams = createMeaningIndex()
  try {
    const texts = [...keptTexts(lab.project())]
    const total = texts.length + heldOut.examQuestions.length
    const vectors = await embedding.vectorsOf(
      texts.map(({ text }) => meantBy(text)),
      { signal, onDone: (count) => report(count, total) },
    )
    for (const [at, vector] of vectors.entries()) {
      const { key, text } = texts[at]!
      kept.keep(key, tellingKey(text), vector)
    }
    const onDone = (count: number) => report(texts.length + count, total)
    const questions = await embedding.vectorsOf(heldOut.examQuestions, { signal, onDone })
    for (const [at, vector] of questions.entries()) {
      const question = heldOut.examQuestions[at]!
      exams.keep(question, tellingKey({ context: '', question }), vector)
    }
    return { embedding, kept, exams }
  } catch (thrown) {
    await embedding.dispose()
    throw thrown
  }
}
