// Which file answers which method and runs which kind of job. An area adds its own lines here; nothing else knows all areas.

import type { JobKind } from './contract/jobs.ts'
import { chatMethods } from './pipelines/chat-methods.ts'
import { chunkMethods } from './pipelines/chunk-methods.ts'
import { datasetMethods } from './pipelines/dataset-methods.ts'
import { demoHandler } from './pipelines/demo.ts'
import { heldOutMethods } from './pipelines/decontamination.ts'
import { demoMethods } from './pipelines/demo-methods.ts'
import { draftMethods } from './pipelines/draft-methods.ts'
import { documentMethods } from './pipelines/document-methods.ts'
import { examHandler, examMethods } from './pipelines/exam-methods.ts'
import { generateHandler } from './pipelines/generate.ts'
import { generationMethods } from './pipelines/generation-methods.ts'
import { pipelineMethods } from './pipelines/pipelines.ts'
import { jobMethods } from './pipelines/job-methods.ts'
import type { Handlers, JobHandler, Lab } from './pipelines/lab.ts'
import { modelsMethods } from './pipelines/models-methods.ts'
import { sampleMethods } from './pipelines/sample-methods.ts'
import { taxonomyMethods } from './pipelines/taxonomy-methods.ts'
import { tuneHandler } from './pipelines/tune.ts'
import { tuningMethods } from './pipelines/tuning-methods.ts'
import { twinMethods, twinsHandler } from './pipelines/twins.ts'
import { workspaceMethods } from './pipelines/workspace-methods.ts'
import type { Workspace } from './pipelines/workspace.ts'

/** The handlers of every method. */
export function methodsOf(workspace: Workspace): Handlers {
  return {
    ...workspaceMethods(workspace),
    ...jobMethods(workspace),
    ...modelsMethods(workspace),
    ...taxonomyMethods(workspace),
    ...documentMethods(workspace),
    ...chunkMethods(workspace),
    ...draftMethods(workspace),
    ...generationMethods(workspace),
    ...pipelineMethods(workspace),
    ...sampleMethods(workspace),
    ...twinMethods(workspace),
    ...heldOutMethods(workspace),
    ...chatMethods(workspace),
    ...datasetMethods(workspace),
    ...tuningMethods(workspace),
    ...examMethods(workspace),
    ...demoMethods(workspace),
  }
}

/** The handlers of every kind of job. */
export function jobHandlersOf(lab: Lab): Partial<Record<JobKind, JobHandler>> {
  return {
    generate: generateHandler(lab),
    tune: tuneHandler(lab),
    evaluate: examHandler(lab),
    twins: twinsHandler(lab),
    demo: demoHandler(lab),
  }
}
