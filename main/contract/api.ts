// The API table: every method the engine offers, with its zod input and output type. The one place a method is declared;
// hosts, clients and tests derive their types from it. Methods return fast; long work answers with a JobId.

import { z } from 'zod'
import {
  type FileReport,
  leafDraft,
  type LeafRevision,
  type LeafRevisionText,
  type RepairOutcome,
  repairSubject,
  type TaxonomyDiff,
} from './authoring.ts'
import type { Dataset, DatasetRow, ExportOutcome, Sample, SamplePage } from './curation.ts'
import { chunkEdit, cutDocument, maxUploadCharacters } from './document-edits.ts'
import type { Draft, SeedCheck } from './drafts.ts'
import type { Evaluation, EvaluationDetail, Exam } from './exams.ts'
import type { Candidate, CandidateDetail, GenerationRun, JudgeAgreement, ThresholdEffect } from './generation.ts'
import { stageNames } from './generation.ts'
import {
  type CandidateId,
  type CheckpointId,
  type ChunkId,
  type DatasetId,
  type DocumentId,
  type EvaluationId,
  type ExamId,
  type GenerationId,
  idSchema,
  type JobId,
  type LeafPath,
  type ModelId,
  type TuningId,
} from './ids.ts'
import type { Job, JobEvent } from './jobs.ts'
import type { Model } from './models.ts'
import { modelRoles } from './models.ts'
import type { PipelineProblem, PipelineSummary } from './pipelines.ts'
import { generationPlan, thresholdWish, tuningPlan } from './plans.ts'
import type {
  ChunkTokens,
  DocumentSummary,
  ImportOutcome,
  LeafDetail,
  LeafSummary,
  PlacedChunk,
  QnaProblem,
} from './taxonomy.ts'
import { repairKinds } from './taxonomy.ts'
import { type DecontaminationReport, type HeldOutFile, type TwinPage, twinVerdict, twinWish } from './twins.ts'
import {
  type Checkpoint,
  exportTypes,
  presetNames,
  type TrainPlan,
  type TuningEstimate,
  type TuningPlan,
  type TuningRun,
  type TuningStep,
  type TuningWarning,
} from './tuning.ts'
import type {
  DemoReport,
  HardwareReport,
  OfflineProof,
  Overview,
  ProjectSummary,
  RemoteTest,
  Settings,
} from './workspace.ts'

interface Method<Input extends z.ZodType, Output> {
  input: Input
  /** Phantom: carries the output type only. */
  output: Output | undefined
}
function method<Output>() {
  return <Input extends z.ZodType>(input: Input): Method<Input, Output> => ({ input, output: undefined })
}

const leaf = idSchema<LeafPath>()
const candidate = idSchema<CandidateId>()
const text = (max: number) => z.string().max(max)
const path = z.string().min(1).max(4096)
const none = z.object({}).strict()
const page = { offset: z.number().int().min(0).default(0), limit: z.number().int().min(1).max(500).default(100) }

export const sampleFilter = z.object({
  leaf: leaf.optional(),
  status: z.enum(['accepted', 'rejected', 'dropped', 'edited']).optional(),
  droppedBy: text(60).optional(),
  minScore: z.number().optional(),
  text: text(400).optional(),
  reviewed: z.boolean().optional(),
})

export const chatTurn = z.object({ role: z.enum(['system', 'user', 'assistant']), content: text(100_000) })

export const remoteTeacher = z.object({
  url: text(500).min(8),
  model: text(200).min(1),
  apiKey: text(500).optional(),
  isPublicAllowed: z.boolean().optional(),
})

export const settingsInput = z.object({
  theme: z.enum(['system', 'light', 'dark']).optional(),
  language: z.enum(['en', 'ja']).optional(),
  threads: z.number().int().min(1).max(256).optional(),
  gpu: z.enum(['auto', 'off']).optional(),
  remoteTeacher: remoteTeacher.nullable().optional(),
})

export const api = {
  // workspace
  'workspace.overview': method<Overview>()(none),
  'workspace.hardware': method<HardwareReport>()(none),
  'workspace.offline': method<OfflineProof>()(none),
  'settings.get': method<Settings>()(none),
  'settings.set': method<Settings>()(settingsInput),
  'settings.testRemoteTeacher': method<RemoteTest>()(remoteTeacher),
  'project.list': method<ProjectSummary[]>()(none),
  'project.create': method<ProjectSummary>()(z.object({ name: text(100).min(1) })),
  'project.open': method<ProjectSummary>()(z.object({ id: text(100).min(1) })),
  // models
  'model.list': method<Model[]>()(none),
  'model.add': method<Model>()(z.object({ path })),
  'model.scan': method<{ added: Model[]; refused: { path: string; message: string; remedy: string }[] }>()(
    z.object({ folder: path }),
  ),
  'model.remove': method<null>()(z.object({ modelId: idSchema<ModelId>() })),
  'model.assign': method<Model[]>()(z.object({ modelId: idSchema<ModelId>(), role: z.enum(modelRoles) })),
  // taxonomy and documents
  'taxonomy.list': method<LeafSummary[]>()(none),
  /** The leaves alone, for fields that choose one: counts change with every verdict, paths do not. */
  'taxonomy.paths': method<LeafPath[]>()(none),
  'taxonomy.leaf': method<LeafDetail>()(z.object({ leaf })),
  'taxonomy.save': method<LeafDetail>()(leafDraft),
  'taxonomy.remove': method<null>()(z.object({ leaf })),
  'taxonomy.check': method<QnaProblem[]>()(leafDraft),
  'taxonomy.import': method<ImportOutcome[]>()(z.object({ folder: path, documentsFolder: path.optional() })),
  'taxonomy.export': method<ExportOutcome>()(z.object({ folder: path, extended: z.boolean().default(false) })),
  /** Checks a folder of files without importing it; `fix` writes every repair into its file. Needs no project. */
  'taxonomy.validate': method<FileReport[]>()(
    z.object({ folder: path, documentsFolder: path.optional(), fix: z.boolean().default(false) }),
  ),
  /** Shows what repairs make of a text, and with `apply` makes them: a file is written, a leaf whose file is untouched is saved. */
  'taxonomy.repair': method<RepairOutcome>()(
    z.object({
      subject: repairSubject,
      /** Where the problems to repair stand; none = all. */
      places: z
        .array(z.object({ kind: z.enum(repairKinds), line: z.number().int(), column: z.number().int() }))
        .optional(),
      apply: z.boolean().default(false),
    }),
  ),
  /** Moves or renames a leaf, or a folder with all its leaves; what was made from them follows. */
  'taxonomy.move': method<{ from: LeafPath; to: LeafPath }[]>()(
    z.object({ from: leaf, to: leaf, isFolder: z.boolean().default(false) }),
  ),
  /** Brings a removed leaf back, or a leaf into the state of one of its revisions. */
  'taxonomy.restore': method<LeafDetail>()(z.object({ leaf, revision: z.number().int().optional() })),
  'taxonomy.revisions': method<LeafRevision[]>()(z.object({ leaf })),
  'taxonomy.revision': method<LeafRevisionText>()(z.object({ leaf, revision: z.number().int() })),
  /** Against the run each leaf was last in, against one run, or of a folder against a revision of its repository. */
  'taxonomy.diff': method<TaxonomyDiff>()(
    z.object({
      since: idSchema<GenerationId>().optional(),
      git: text(200).min(1).optional(),
      folder: path.optional(),
    }),
  ),
  'document.list': method<DocumentSummary[]>()(z.object({ leaf: leaf.optional() })),
  'document.import': method<{
    added: DocumentSummary[]
    refused: { path: string; message: string; remedy: string }[]
  }>()(z.object({ leaf, paths: z.array(path).min(1).max(2000) })),
  /** A file of the client's own machine, for clients that are not on the engine's. */
  'document.upload': method<DocumentSummary>()(
    z.object({ leaf, name: text(400).min(1), base64: text(maxUploadCharacters) }),
  ),
  'document.add': method<DocumentSummary>()(z.object({ leaf, name: text(200).min(1), text: text(5_000_000) })),
  'document.remove': method<null>()(z.object({ documentId: idSchema<DocumentId>() })),
  'document.text': method<{ text: string }>()(z.object({ documentId: idSchema<DocumentId>() })),
  'document.chunks': method<PlacedChunk[]>()(cutDocument),
  'document.tokens': method<ChunkTokens>()(none),
  'document.edit': method<PlacedChunk[]>()(cutDocument.extend({ edit: chunkEdit })),
  'document.undo': method<PlacedChunk[]>()(cutDocument),
  'document.redo': method<PlacedChunk[]>()(cutDocument),
  // drafts of the teacher, closed-book answers of the student
  'draft.list': method<Draft[]>()(z.object({ documentId: idSchema<DocumentId>() })),
  'draft.pairs': method<Draft[]>()(
    cutDocument.extend({ chunkId: idSchema<ChunkId>(), count: z.number().int().min(1).max(8).default(2) }),
  ),
  'draft.outline': method<Draft>()(z.object({ documentId: idSchema<DocumentId>() })),
  'draft.settle': method<null>()(z.object({ draft: z.number().int().min(1), state: z.enum(['taken', 'dismissed']) })),
  'seed.checks': method<SeedCheck[]>()(z.object({ leaf })),
  'seed.check': method<SeedCheck[]>()(z.object({ leaf })),
  // generation
  'generation.start': method<{ generationId: GenerationId; jobId: JobId }>()(generationPlan),
  'pipeline.list': method<PipelineSummary[]>()(none),
  'pipeline.check': method<PipelineProblem[]>()(z.object({ text: text(100_000) })),
  'pipeline.save': method<PipelineSummary>()(z.object({ text: text(100_000).min(1) })),
  'pipeline.remove': method<null>()(z.object({ name: text(60).min(1) })),
  'generation.list': method<GenerationRun[]>()(none),
  'generation.get': method<GenerationRun>()(z.object({ generationId: idSchema<GenerationId>() })),
  'generation.latest': method<Candidate[]>()(
    z.object({ generationId: idSchema<GenerationId>(), limit: z.number().int().min(1).max(200).default(50) }),
  ),
  'generation.thresholds': method<ThresholdEffect[]>()(thresholdWish),
  'generation.applyThresholds': method<ThresholdEffect[]>()(thresholdWish),
  'generation.decontamination': method<DecontaminationReport | null>()(
    z.object({ generationId: idSchema<GenerationId>() }),
  ),
  'generation.agreement': method<JudgeAgreement[]>()(none),
  'prompt.preview': method<{ system: string; user: string; grammar: string }>()(
    z.object({ leaf, stage: z.enum(stageNames), pack: z.enum(['standard', 'compact']).default('standard') }),
  ),
  'prompt.list': method<{ pack: string; language: string; stage: string; system: string; user: string }[]>()(none),
  // curation and datasets
  'sample.list': method<SamplePage>()(z.object({ filter: sampleFilter.default({}), ...page })),
  'sample.get': method<CandidateDetail & Sample>()(z.object({ candidateId: candidate })),
  'sample.judge': method<Sample>()(
    z.object({
      candidateId: candidate,
      kind: z.enum(['accept', 'reject', 'edit']),
      question: text(20_000).optional(),
      answer: text(20_000).optional(),
      reason: text(2000).default(''),
    }),
  ),
  'sample.undo': method<Sample | null>()(none),
  'sample.redo': method<Sample | null>()(none),
  'sample.export': method<ExportOutcome>()(
    z.object({
      folder: path,
      format: z.enum(['labdesk', 'messages', 'train', 'instructlab']),
      datasetId: idSchema<DatasetId>().optional(),
    }),
  ),
  // near duplicates among seeds and accepted samples
  'twin.find': method<{ jobId: JobId }>()(twinWish),
  'twin.list': method<TwinPage>()(z.object(page)),
  'twin.settle': method<null>()(twinVerdict),
  /** Rejects, by rule, every sample that has a better twin; undo brings them back one by one. */
  'twin.keepBest': method<{ rejectedCount: number }>()(none),
  'dataset.list': method<Dataset[]>()(none),
  'dataset.freeze': method<Dataset>()(
    z.object({
      name: text(200).min(1),
      validationShare: z.number().min(0).max(0.5).default(0.05),
      seed: z.number().int().default(1),
      leaves: z.array(leaf).optional(),
      /** Leaves out rows that repeat an exam or a held-out file. */
      decontaminate: z.boolean().default(true),
    }),
  ),
  'dataset.decontamination': method<DecontaminationReport | null>()(z.object({ datasetId: idSchema<DatasetId>() })),
  'dataset.rows': method<{ rows: DatasetRow[]; total: number }>()(
    z.object({ datasetId: idSchema<DatasetId>(), ...page }),
  ),
  // tuning
  'tuning.preset': method<TuningPlan>()(
    z.object({ preset: z.enum(presetNames), datasetId: idSchema<DatasetId>(), studentId: idSchema<ModelId>() }),
  ),
  'tuning.estimate': method<TuningEstimate>()(tuningPlan),
  'tuning.start': method<{ tuningId: TuningId; jobId: JobId }>()(tuningPlan),
  'tuning.list': method<TuningRun[]>()(none),
  'tuning.get': method<TuningRun>()(z.object({ tuningId: idSchema<TuningId>() })),
  'tuning.steps': method<TuningStep[]>()(
    z.object({ tuningId: idSchema<TuningId>(), after: z.number().int().min(0).default(0) }),
  ),
  /** The first of each kind. */
  'tuning.warnings': method<TuningWarning[]>()(z.object({ tuningId: idSchema<TuningId>() })),
  'tuning.checkpoints': method<Checkpoint[]>()(z.object({ tuningId: idSchema<TuningId>() })),
  'tuning.export': method<Model>()(
    z.object({
      checkpointId: idSchema<CheckpointId>(),
      what: z.enum(['adapter', 'model']),
      type: z.enum(exportTypes),
      path,
    }),
  ),
  'train.plan': method<TrainPlan>()(
    z.object({
      model: path,
      mode: z.enum(['full', 'lora']).default('lora'),
      rank: z.number().int().min(1).max(1024).default(16),
      tokens: z.number().int().min(16).max(1_000_000).default(512),
      threads: z.number().int().min(1).max(256).default(1),
      recompute: z.boolean().default(false),
      eightBit: z.boolean().default(false),
      probe: z.boolean().default(false),
    }),
  ),
  // exams
  'exam.list': method<Exam[]>()(none),
  'exam.import': method<Exam>()(z.object({ path })),
  'exam.start': method<{ jobId: JobId }>()(
    z.object({ examIds: z.array(idSchema<ExamId>()).min(1), modelIds: z.array(idSchema<ModelId>()).min(1) }),
  ),
  'heldout.list': method<HeldOutFile[]>()(none),
  'heldout.add': method<HeldOutFile>()(z.object({ path })),
  'heldout.remove': method<null>()(z.object({ id: text(100).min(1) })),
  'evaluation.list': method<Evaluation[]>()(none),
  'evaluation.get': method<EvaluationDetail>()(z.object({ evaluationId: idSchema<EvaluationId>() })),
  // chat: tokens stream as `chat.token` events carrying `chatId`
  'chat.send': method<{ text: string; tokens: number; ms: number }>()(
    z.object({
      chatId: text(100).min(1),
      modelId: idSchema<ModelId>(),
      turns: z.array(chatTurn).min(1).max(200),
      temperature: z.number().min(0).max(2).default(0),
      seed: z.number().int().default(1),
      maxTokens: z.number().int().min(1).max(8192).default(256),
    }),
  ),
  'chat.stop': method<null>()(z.object({ chatId: text(100).min(1) })),
  // jobs
  'job.list': method<Job[]>()(none),
  'job.get': method<Job>()(z.object({ jobId: idSchema<JobId>() })),
  'job.events': method<JobEvent[]>()(z.object({ jobId: idSchema<JobId>(), after: z.number().int().min(0).default(0) })),
  'job.pause': method<Job>()(z.object({ jobId: idSchema<JobId>() })),
  'job.resume': method<Job>()(z.object({ jobId: idSchema<JobId>() })),
  'job.cancel': method<Job>()(z.object({ jobId: idSchema<JobId>() })),
  // demo
  'demo.run': method<{ jobId: JobId }>()(z.object({ withoutReplay: z.boolean().default(true) })),
  'demo.report': method<DemoReport | null>()(none),
} as const

export type Api = typeof api
export type MethodName = keyof Api
/** What a caller passes (before defaults are filled in). */
export type MethodInput<Name extends MethodName> = z.input<Api[Name]['input']>
/** What the engine sees (after defaults). */
export type ParsedInput<Name extends MethodName> = z.output<Api[Name]['input']>
export type MethodOutput<Name extends MethodName> = Exclude<Api[Name]['output'], undefined>
export const methodNames = Object.keys(api) as MethodName[]

/** The engine seen through any port. */
export interface EngineApi {
  call<Name extends MethodName>(name: Name, input: MethodInput<Name>): Promise<MethodOutput<Name>>
  /** Subscribes to every event; returns the unsubscriber. */
  onEvent(listener: (event: EngineEvent) => void): () => void
}

/** Pushed by the engine, coalesced to at most 10 per second and kind (chat tokens excepted). Lists changed = fetch again. */
export type EngineEvent =
  | { kind: 'job'; job: Job }
  | { kind: 'tuning.step'; tuningId: TuningId; steps: TuningStep[] }
  | { kind: 'candidates'; generationId: GenerationId; candidates: Candidate[] }
  | {
      kind: 'changed'
      what:
        | 'models'
        | 'taxonomy'
        | 'documents'
        | 'samples'
        | 'datasets'
        | 'tuning'
        | 'exams'
        | 'settings'
        | 'projects'
        | 'generation'
    }
  /** Files of an import that are settled, of all that were found. */
  | { kind: 'taxonomy.import'; done: number; total: number }
  | { kind: 'chat.token'; chatId: string; text: string }
  | { kind: 'hardware'; hardware: HardwareReport }
