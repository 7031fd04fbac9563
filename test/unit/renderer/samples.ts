// Samples and models as the engine would send them.

import type { Sample, SampleStatus } from '../../../main/contract/curation.ts'
import type { CandidateId, GenerationId, LeafPath, ModelId } from '../../../main/contract/ids.ts'
import type { Model } from '../../../main/contract/models.ts'

export function sampleOf(number: number, fields: Partial<Sample> = {}): Sample {
  return {
    id: `candidate-${number}` as CandidateId,
    generationId: 'generation-1' as GenerationId,
    leaf: 'knowledge/nature/creatures' as LeafPath,
    slot: number,
    seedIds: [],
    chunkId: null,
    context: '',
    question: `Question ${number}?`,
    answer: `Answer ${number}.`,
    state: 'passed',
    droppedBy: null,
    reason: '',
    score: 2,
    teacherId: 'model-1' as ModelId,
    createdAtMs: number,
    status: 'accepted',
    verdict: null,
    branch: 'knowledge',
    ...fields,
  }
}

export function judged(sample: Sample, status: SampleStatus): Sample {
  return { ...sample, status }
}

export function modelOf(number: number, fields: Partial<Model> = {}): Model {
  return {
    id: `model-${number}` as ModelId,
    name: `Model ${number}`,
    path: `/models/${number}.gguf`,
    sizeBytes: 4_000_000,
    sha256: 'a'.repeat(64),
    architecture: 'llama',
    parameterCount: 2_000_000,
    contextLength: 1024,
    vocabSize: 1000,
    fileType: 'F16',
    licence: 'apache-2.0',
    hasChatTemplate: true,
    promptPack: 'compact',
    isDemo: false,
    origin: '',
    roles: [],
    unfit: {},
    isMissing: false,
    ...fields,
  }
}
