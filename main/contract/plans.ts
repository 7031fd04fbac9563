// Inputs of long work: what a generation, and what a tuning, is asked for.

import { z } from 'zod'
import { type DatasetId, type ExamId, type GenerationId, idSchema, type LeafPath, type ModelId } from './ids.ts'
import { branches } from './taxonomy.ts'
import { presetNames } from './tuning.ts'

const leaf = idSchema<LeafPath>()
const text = (max: number) => z.string().max(max)

const thresholds = z.object({
  minPairGrade: z.number().int().min(1).max(3).default(2),
  nearDuplicateRougeL: z.number().min(0).max(1).default(0.7),
})
export const generationPlan = z.object({
  teacherId: idSchema<ModelId>(),
  judgeId: idSchema<ModelId>().optional(),
  studentId: idSchema<ModelId>().optional(),
  embedderId: idSchema<ModelId>().optional(),
  /** Name of a preset or of a pipeline saved in the project. */
  pipeline: text(60).min(1).default('lab'),
  timeBudgetMinutes: z.number().positive().max(100_000).optional(),
  leaves: z.array(z.object({ leaf, quota: z.number().int().min(1).max(100_000) })).min(1),
  /** Without one, each run of a project has its own: with the same seed a second run only repeats the first. */
  seed: z.number().int().optional(),
  parallel: z.number().int().min(1).max(128).default(16),
  maxAttemptsFactor: z.number().min(1).max(20).default(4),
  thresholds: thresholds.default({ minPairGrade: 2, nearDuplicateRougeL: 0.7 }),
})

export const thresholdWish = z.object({ generationId: idSchema<GenerationId>(), thresholds })

const phasePlan = z.object({
  name: z.enum(['KT/1', 'KT/2', 'ST', 'stacked']),
  branches: z.array(z.enum(branches)).min(1),
  responses: z.enum(['short', 'long', 'all']),
  replayShare: z.number().min(0).max(0.95),
  epochs: z.number().int().min(1).max(1000),
  learningRate: z.number().positive().max(1),
  batchRows: z.number().int().min(1).max(100_000),
  warmupSteps: z.number().int().min(0),
  schedule: z.enum(['constant', 'cosine', 'linear']),
  contextTokens: z.number().int().min(32).max(131_072),
})
export const tuningPlan = z.object({
  name: text(200).min(1),
  studentId: idSchema<ModelId>(),
  datasetId: idSchema<DatasetId>(),
  preset: z.enum(presetNames),
  mode: z.enum(['full', 'lora']),
  lora: z
    .object({
      rank: z.number().int().min(1).max(512),
      alpha: z.number().positive(),
      rankStabilised: z.boolean().optional(),
      leastUsed: z.boolean().optional(),
      dropout: z.number().min(0).max(0.9).optional(),
    })
    .optional(),
  options: z
    .object({
      neftuneAlpha: z.number().min(0).max(1000).optional(),
      klWeight: z.number().min(0).max(1000).optional(),
      frozenLayers: z.number().int().min(0).max(1024).optional(),
      freezesEmbedding: z.boolean().optional(),
      eightBitMoments: z.boolean().optional(),
      device: z.enum(['processor', 'gpu']).optional(),
    })
    .optional(),
  phases: z.array(phasePlan).min(1).max(10),
  seed: z.number().int(),
  threads: z.number().int().min(1).max(256),
  checkpointEverySteps: z.number().int().min(1),
  examIds: z.array(idSchema<ExamId>()).max(20),
})
