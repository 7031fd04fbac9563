// Makes the demo's teacher and student from nothing: vocabulary, corpus, training with the product's trainer, GGUF. Seeded and resumable.
// Usage: node scripts/demo-models.ts [teacher] [student] [--threads n] [--folder path]

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureTrainer, findLibraryDir } from '../main/compute/trainer-build.ts'
import { type CorpusRow, makeCase, type PromptPack, rowOf, teacherRow } from '../main/demo/corpus.ts'
import { drillRow } from '../main/demo/drills.ts'
import { markSyllables, syllableForms } from '../main/demo/names.ts'
import { chatTemplate, isDrill, isFinishing, plans, specials, vocabularyPlan } from '../main/demo/recipe.ts'
import { loreWorlds, studentRow } from '../main/demo/student-corpus.ts'
import { BpeEncoder, type BpeVocabulary, trainBpe } from '../main/domain/bpe.ts'
import { parsePromptFile, coreStages } from '../main/domain/prompts.ts'
import { trainDemoModel } from './demo-training.ts'

const root = join(import.meta.dirname, '..')

/** The compact prompt pack, from its files. */
export function compactPack(): PromptPack {
  const files = coreStages.map((stage) => [
    stage,
    parsePromptFile(stage, readFileSync(join(root, `main/prompts/compact/en/${stage}.yaml`), 'utf8')),
  ])
  return Object.fromEntries(files) as PromptPack
}

function textOf(row: CorpusRow): string {
  return row.turns.map((turn) => turn.prompt + turn.response).join('')
}

/** The vocabulary of both models: words of the language whole, names as syllables. */
export function makeVocabulary(pack: PromptPack): BpeVocabulary {
  const lore = loreWorlds()
  const rows = Array.from({ length: vocabularyPlan.rowCount }, (_, index) => [
    teacherRow(pack, { seed: vocabularyPlan.seed, index, difficulty: 1 }),
    studentRow(lore, { seed: vocabularyPlan.seed, index, isFinishing: false }),
    ...(index % 20 === 0 ? [drillRow(`${vocabularyPlan.seed}:${index}`, { difficulty: 1 })] : []),
  ])
  const texts = rows.flat().map((row) => markSyllables(textOf(row), specials[0] ?? ''))
  const forms = syllableForms().flatMap((form) => Array.from({ length: vocabularyPlan.syllableCount }, () => form))
  return trainBpe([...texts, ...forms], { size: vocabularyPlan.size, minCount: vocabularyPlan.minCount, specials })
}

/** What decides a model: its plan, its vocabulary and the text of its rows (a sample of them). */
function hashRecipe(
  name: 'teacher' | 'student',
  vocabulary: BpeVocabulary,
  row: (index: number, difficulty: number) => CorpusRow,
): string {
  const hash = createHash('sha256').update(JSON.stringify({ plan: plans[name], vocabulary, chatTemplate }))
  for (let index = 0; index < hashedRowCount; index++) hash.update(textOf(row(index * 97, index / hashedRowCount)))
  return hash.digest('hex')
}
const hashedRowCount = 500

/** Rows over unseen worlds whose loss is reported while the teacher trains. */
function watchedTeacherRows(pack: PromptPack): (CorpusRow & { stage: string })[] {
  const drills = Array.from({ length: 40 }, (_, at) => ({
    stage: 'drill',
    ...drillRow(`watch:${at}`, { difficulty: 1 }),
  }))
  const cases = coreStages.flatMap((stage) =>
    Array.from({ length: 20 }, (_, at) => ({
      stage,
      ...rowOf(pack, makeCase(stage, `watch:${at}`, { split: 'held-out', difficulty: 1 })),
    })),
  )
  return [...cases, ...drills]
}

type Row = (index: number, difficulty: number) => CorpusRow & { stage?: string }

/** The rows of a model's corpus by number, and the hash of all that decides the model. */
export function recipeOf(
  name: 'teacher' | 'student',
  pack: PromptPack,
  vocabulary: BpeVocabulary,
): { row: Row; recipeHash: string } {
  const lore = loreWorlds()
  const plan = plans[name]
  const row: Row = (index, difficulty) => {
    if (isDrill(plan, index)) return drillRow(`${name}:${index}`, { difficulty })
    if (name === 'student') return studentRow(lore, { seed: name, index, isFinishing: isFinishing(plan, index) })
    return teacherRow(pack, { seed: name, index, difficulty })
  }
  return { row, recipeHash: hashRecipe(name, vocabulary, row) }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      threads: { type: 'string', default: '2' },
      folder: { type: 'string', default: join(root, 'build/demo-models') },
      trainer: { type: 'string' },
      output: { type: 'string' },
    },
  })
  const names = (['teacher', 'student'] as const).filter(
    (name) => positionals.length === 0 || positionals.includes(name),
  )
  const pack = compactPack()
  const vocabulary = makeVocabulary(pack)
  const lore = loreWorlds()
  const executable = values.trainer ?? (await ensureTrainer({ root, onLog: console.log }))
  const output = values.output ?? join(root, 'main/demo/models')
  if (!existsSync(output)) mkdirSync(output, { recursive: true })
  for (const name of names) {
    const startedAtMs = Date.now()
    const { row, recipeHash } = recipeOf(name, pack, vocabulary)
    await trainDemoModel({
      name,
      plan: plans[name],
      vocabulary,
      encoder: new BpeEncoder(vocabulary),
      recipeHash,
      row,
      heldOut:
        name === 'teacher'
          ? watchedTeacherRows(pack)
          : Array.from({ length: 300 }, (_, at) => studentRow(lore, { seed: 'watch', index: at, isFinishing: true })),
      folder: join(values.folder, name),
      outputPath: join(output, `${name}.gguf`),
      executable,
      libraryDir: findLibraryDir(root),
      threads: Number(values.threads),
      checkpointSteps: 200,
      log: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
    })
    console.log(`${name}: ${((Date.now() - startedAtMs) / 60_000).toFixed(1)} minutes`)
  }
}

if (import.meta.main) await main()
