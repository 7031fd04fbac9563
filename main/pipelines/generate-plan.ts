// Makes a run out of a plan: checks leaves, models and the pipeline against one another before anything is generated.

import { randomBytes } from 'node:crypto'
import { AppError } from '../contract/errors.ts'
import type { GenerationPlan } from '../contract/generation.ts'
import type { GenerationId, JobId, LeafPath, ModelId } from '../contract/ids.ts'
import type { Model } from '../contract/models.ts'
import type { Pipeline } from '../contract/pipelines.ts'
import type { Leaf } from '../contract/taxonomy.ts'
import { chainOf, needsStudent, promptCalls } from '../domain/pipeline.ts'
import { insertGeneration, listGenerations } from '../store/generation.ts'
import { keepRunContents } from '../store/leaf-contents.ts'
import { listModels } from '../store/models.ts'
import { findLeaf } from '../store/taxonomy.ts'
import type { RunModels } from './generate-session.ts'
import type { Lab } from './lab.ts'
import { requireModel } from './models.ts'
import { findPipeline } from './pipelines.ts'
import { stagesOf } from './prompt-packs.ts'

/** A plan as it is asked for; what it leaves out is chosen when the run is made. */
type WantedGeneration = Omit<GenerationPlan, 'seed' | 'pipeline'> & { seed?: number | undefined; pipeline: string }

/** Checks a plan against the project and writes the run. Who starts its job calls setGenerationJob. */
export function createGeneration(lab: Lab, wanted: WantedGeneration): GenerationId {
  const { db } = lab.project()
  const pipeline = findPipeline(lab, wanted.pipeline)
  const studentId = wanted.studentId ?? listModels(db).find(({ roles }) => roles.includes('student'))?.id
  const plan: GenerationPlan = {
    ...wanted,
    pipeline,
    studentId,
    embedderId: wanted.embedderId ?? listModels(db).find(({ roles }) => roles.includes('embedder'))?.id,
    seed: wanted.seed ?? 1 + listGenerations(db).length,
  }
  const models = runModels(lab, plan)
  const id = `generation-${randomBytes(6).toString('hex')}` as GenerationId
  let firstSlot = 0
  const seen = new Set<LeafPath>()
  const shares = plan.leaves.map(({ leaf: path, quota }, position) => {
    const leaf = findLeaf(db, path)
    if (!leaf) throw noLeaf(path)
    if (seen.has(path)) throw doubleLeaf(path)
    seen.add(path)
    checkChain(leaf, pipeline, models)
    const maxAttempts = Math.ceil(quota * plan.maxAttemptsFactor)
    const share = { leaf: path, position, quota, firstSlot, maxAttempts }
    firstSlot += maxAttempts
    return share
  })
  const run = { id, jobId: '' as JobId, plan, teacherSha256: models.teacher.sha256, createdAtMs: lab.now() }
  insertGeneration(db, run, shares)
  keepRunContents(db, id, [...seen])
  lab.emit({ kind: 'changed', what: 'generation' })
  return id
}

/** The models a plan names, ready to be opened. A student that is gone is only missed where its words are needed. */
export function runModels(lab: Lab, plan: GenerationPlan): RunModels {
  const isNamed = (id: ModelId | undefined): id is ModelId => id !== undefined
  const needed = plan.leaves.some(({ leaf: path }) => {
    const leaf = findLeaf(lab.project().db, path)
    return leaf && needsStudent(plan.pipeline?.chains[chainOf(leaf)] ?? [])
  })
  return {
    teacher: requireModel(lab, plan.teacherId, 'teacher'),
    judge: isNamed(plan.judgeId) && plan.judgeId !== plan.teacherId ? requireModel(lab, plan.judgeId, 'teacher') : null,
    student: isNamed(plan.studentId) ? studentOf(lab, plan.studentId, needed) : null,
    embedder: isNamed(plan.embedderId) && asksMeaning(plan) ? requireModel(lab, plan.embedderId, 'embedder') : null,
  }
}

function asksMeaning({ pipeline }: GenerationPlan): boolean {
  return Object.values(pipeline?.chains ?? {}).some((blocks) => blocks.some(({ use }) => use === 'semantic'))
}

function studentOf(lab: Lab, id: ModelId, isNeeded: boolean): Model | null {
  try {
    return requireModel(lab, id)
  } catch (thrown) {
    if (isNeeded) throw thrown
    return null
  }
}

/** Every prompt the leaf's chain needs must be in the pack of the model that is asked, and a student where its words are. */
function checkChain(leaf: Leaf, pipeline: Pipeline, { teacher, judge, student }: RunModels): void {
  const chain = chainOf(leaf)
  const blocks = pipeline.chains[chain] ?? []
  if (needsStudent(blocks) && !student) throw noStudent(leaf.path)
  for (const block of blocks) {
    for (const { stage, who } of promptCalls(block, chain, leaf.persona)) {
      const model = who === 'judge' && judge ? judge : teacher
      if (stagesOf(model.promptPack).includes(stage)) continue
      throw new AppError({
        code: 'bad-input',
        message: `The pipeline "${pipeline.name}" uses "${block.use}", for which "${model.name}" has no prompt: it follows the ${model.promptPack} prompts only.`,
        remedy: 'Choose another pipeline, for example "lab", or a model that follows the standard prompts.',
      })
    }
  }
}

export function noGeneration(id: GenerationId): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no generation run ${id} in this project.`,
    remedy: 'List the runs and pick one of them.',
  })
}
function noLeaf(leaf: LeafPath): AppError {
  return new AppError({
    code: 'not-found',
    message: `There is no leaf ${leaf} in the taxonomy.`,
    remedy: 'Choose leaves that are in the taxonomy.',
  })
}
function doubleLeaf(leaf: LeafPath): AppError {
  return new AppError({
    code: 'bad-input',
    message: `The leaf ${leaf} is in the plan twice.`,
    remedy: 'Give each leaf one quota.',
  })
}
function noStudent(leaf: LeafPath): AppError {
  return new AppError({
    code: 'bad-input',
    message: `The leaf ${leaf} is filled from what the student does already, and no student was chosen.`,
    remedy: 'Choose the student on the Models screen, or leave this leaf out.',
  })
}
