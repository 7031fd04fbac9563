// A project ready to tune: a tiny random student, three leaves of made-up rows, a frozen dataset, exams. Shared by the tests of tuning.

import { join } from 'node:path'
import type { Dataset } from '../../main/contract/curation.ts'
import type { Exam } from '../../main/contract/exams.ts'
import type { LeafPath } from '../../main/contract/ids.ts'
import type { Model } from '../../main/contract/models.ts'
import type { Branch } from '../../main/contract/taxonomy.ts'
import type { PhasePlan, TuningPlan } from '../../main/contract/tuning.ts'
import { createLlamaHost } from '../../main/compute/llama.ts'
import { addExam } from '../../main/pipelines/exam-methods.ts'
import { saveLeaf, savePublicRows } from '../../main/store/taxonomy.ts'
import { createTestEngine, type TestEngine } from './test-engine.ts'
import { writeTinyGguf } from './tiny-gguf.ts'

export interface TuningLab {
  engine: TestEngine
  student: Model
  dataset: Dataset
  exams: { choice: Exam; closedBook: Exam; skill: Exam }
}

const colours = ['red', 'green', 'blue', 'black', 'white', 'brown']
const things = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite', 'lion']
const colourOf = (at: number) => colours[(at * 5 + 2) % colours.length] as string

/** Opens an engine with everything a tuning needs; the same on every call. */
export async function openTuningLab(options: { dataDir?: string } = {}): Promise<TuningLab> {
  const engine = await createTestEngine({ ...options, llama: createLlamaHost() })
  const path = join(engine.dataDir, 'student.gguf')
  writeTinyGguf(path, { contextLength: 256, seed: 3 })
  const student = await engine.call('model.add', { path })
  fillLeaves(engine)
  const dataset = await engine.call('dataset.freeze', { name: 'Colours', validationShare: 0.15, seed: 1 })
  return { engine, student, dataset, exams: addExams(engine) }
}

function fillLeaves({ lab }: TestEngine): void {
  const rows: Record<Branch, { question: string; answer: string }[]> = {
    knowledge: things.flatMap((thing, at) => [
      { question: `colour of ${thing}?`, answer: colourOf(at) },
      { question: `what colour has the ${thing}?`, answer: `the ${thing} is ${colourOf(at)}` },
    ]),
    foundational_skills: Array.from({ length: 16 }, (_, at) => ({ question: `after ${at}?`, answer: `${at + 1}` })),
    compositional_skills: things.map((thing) => ({ question: `say ${thing} twice`, answer: `${thing} ${thing}` })),
  }
  for (const [branch, made] of Object.entries(rows)) {
    const leaf = `${branch}/test/made` as LeafPath
    saveLeaf(lab.project().db, { ...emptyLeaf, path: leaf, branch: branch as Branch }, lab.now())
    savePublicRows(
      lab.project().db,
      { leaf, from: 0 },
      made.map((row) => ({ system: '', context: '', ...row })),
    )
  }
}

const emptyLeaf = {
  publicFileSha256: null,
  taskDescription: 'made up',
  domain: 'colours',
  documentOutline: '',
  createdBy: 'test',
  persona: 'precise',
  language: 'en',
  documentSource: null,
  attribution: '',
  sourceText: null,
  isSourceCurrent: true,
  problems: [],
  seeds: [],
} as const

function addExams({ lab }: TestEngine): TuningLab['exams'] {
  const blank = { leaf: null, choices: [], context: '', accepted: [] }
  const facts = things.slice(0, 6).map((thing, index) => ({
    ...blank,
    index,
    leaf: 'knowledge/test/made' as LeafPath,
    question: `colour of ${thing}?`,
    accepted: [colourOf(index)],
  }))
  const withChoices = facts.map((fact) => ({
    ...fact,
    choices: colours.slice(0, 4).includes(fact.accepted[0] ?? '') ? colours.slice(0, 4) : colours.slice(2),
  }))
  const skills = things
    .slice(0, 4)
    .map((thing, index) => ({ ...blank, index, question: `say ${thing} twice`, accepted: [`${thing} ${thing}`] }))
  return {
    choice: addExam(lab, { name: 'Choice', kind: 'choice', source: 'test', questions: withChoices }),
    closedBook: addExam(lab, { name: 'Closed book', kind: 'closed-book', source: 'test', questions: facts }),
    skill: addExam(lab, { name: 'Skill', kind: 'skill', source: 'test', questions: skills }),
  }
}

const phase: PhasePlan = {
  name: 'KT/1',
  branches: ['knowledge', 'foundational_skills'],
  responses: 'short',
  replayShare: 0,
  epochs: 3,
  learningRate: 2e-3,
  batchRows: 4,
  warmupSteps: 2,
  schedule: 'constant',
  contextTokens: 128,
}

/** Three short phases of LAB. */
export const labPhases: PhasePlan[] = [
  phase,
  { ...phase, name: 'KT/2', responses: 'long', replayShare: 0.25 },
  { ...phase, name: 'ST', branches: ['compositional_skills'], responses: 'all', replayShare: 0.5 },
]

/** A plan of the three phases; override what the test is about. */
export function planOf({ student, dataset }: TuningLab, over: Partial<TuningPlan> = {}): TuningPlan {
  return {
    name: 'Test run',
    studentId: student.id,
    datasetId: dataset.id,
    preset: 'workstation-full',
    mode: 'full',
    phases: labPhases,
    seed: 5,
    threads: 1,
    checkpointEverySteps: 5,
    examIds: [],
    ...over,
  }
}
