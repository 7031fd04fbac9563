// What a GGUF header says about a model, and which roles it can play, in the user's words. Pure. Refuses what is no whole model at all.

import { AppError } from '../contract/errors.ts'
import type { Model, ModelRole } from '../contract/models.ts'
import { type GgufFile, type GgufTensor, ggufValue } from './gguf.ts'

/** The part of a Model that its header decides. */
export type ModelFacts = Pick<
  Model,
  | 'name'
  | 'architecture'
  | 'parameterCount'
  | 'contextLength'
  | 'vocabSize'
  | 'fileType'
  | 'licence'
  | 'hasChatTemplate'
  | 'promptPack'
  | 'isDemo'
  | 'unfit'
>

/** ggml tensor types: name, elements of a block, bytes of a block. */
const tensorTypes: Record<number, readonly [name: string, blockElements: number, blockBytes: number]> = {
  0: ['F32', 1, 4],
  1: ['F16', 1, 2],
  2: ['Q4_0', 32, 18],
  3: ['Q4_1', 32, 20],
  6: ['Q5_0', 32, 22],
  7: ['Q5_1', 32, 24],
  8: ['Q8_0', 32, 34],
  10: ['Q2_K', 256, 84],
  11: ['Q3_K', 256, 110],
  12: ['Q4_K', 256, 144],
  13: ['Q5_K', 256, 176],
  14: ['Q6_K', 256, 210],
  16: ['IQ2_XXS', 256, 66],
  17: ['IQ2_XS', 256, 74],
  18: ['IQ3_XXS', 256, 98],
  19: ['IQ1_S', 256, 50],
  20: ['IQ4_NL', 32, 18],
  21: ['IQ3_S', 256, 110],
  22: ['IQ2_S', 256, 82],
  23: ['IQ4_XS', 256, 136],
  29: ['IQ1_M', 256, 56],
  30: ['BF16', 1, 2],
  34: ['TQ1_0', 256, 54],
  35: ['TQ2_0', 256, 66],
  39: ['MXFP4', 32, 17],
}
/** `general.file_type` where it says more than the commonest tensor type does. */
const mixtures: Record<number, string> = {
  11: 'Q3_K_S',
  12: 'Q3_K_M',
  13: 'Q3_K_L',
  14: 'Q4_K_S',
  15: 'Q4_K_M',
  16: 'Q5_K_S',
  17: 'Q5_K_M',
}

/** What the trainer opens, and whether as a mixture of experts. Weights may be of any type above. */
const trainableArchitectures: Record<string, { isMixture: boolean }> = {
  llama: { isMixture: false },
  qwen2: { isMixture: false },
  qwen3: { isMixture: false },
  gemma2: { isMixture: false },
  gemma3: { isMixture: false },
  phi3: { isMixture: false },
  granite: { isMixture: false },
  olmo2: { isMixture: false },
  qwen3moe: { isMixture: true },
  granitemoe: { isMixture: true },
}
/** Encoders: they answer nothing. */
const silentArchitectures = [
  'bert',
  'modern-bert',
  'neo-bert',
  'nomic-bert',
  'nomic-bert-moe',
  'jina-bert-v2',
  'jina-bert-v3',
  'gemma-embedding',
]
/** Encoders of images, and halves of a model: no use here at all. */
const foreignArchitectures = ['t5encoder', 'clip']

/**
 * Facts of a model file of `sizeBytes` named `fileName`.
 * @throws AppError `bad-gguf` when the file is cut short, an adapter, or holds no weights
 */
export function readModelFacts(file: GgufFile, fileName: string, sizeBytes: number): ModelFacts {
  refusePartial(file, sizeBytes)
  const architecture = text(file, 'general.architecture') || 'unknown'
  const tokens = ggufValue(file, 'tokenizer.ggml.tokens')
  const template = text(file, 'tokenizer.chat_template')
  return {
    name: text(file, 'general.name') || fileName.replace(/\.gguf$/i, ''),
    architecture,
    parameterCount: file.tensors.reduce((sum, tensor) => sum + elementsOf(tensor), 0),
    contextLength: number(file, `${architecture}.context_length`),
    vocabSize: Array.isArray(tokens) ? tokens.length : number(file, `${architecture}.vocab_size`),
    fileType: mixtures[number(file, 'general.file_type')] ?? commonestType(file),
    licence: text(file, 'general.license'),
    hasChatTemplate: template !== '',
    promptPack: text(file, 'labdesk.prompt_pack') === 'compact' ? 'compact' : 'standard',
    isDemo: ggufValue(file, 'labdesk.demo') === true || text(file, 'labdesk.recipe_hash') !== '',
    unfit: findUnfit(file, architecture, template !== ''),
  }
}

function refusePartial(file: GgufFile, sizeBytes: number): void {
  if (text(file, 'general.type') === 'adapter')
    throw refusal(
      'it is a LoRA adapter, not a model.',
      'Add the model it belongs to; adapters are used from the Tune screen.',
    )
  if (file.tensors.length === 0)
    throw refusal('it holds a vocabulary but no weights.', 'Choose the file with the weights of the model.')
  const needed = file.tensors.reduce(
    (end, tensor) => Math.max(end, file.dataOffset + tensor.offset + bytesOf(tensor)),
    0,
  )
  if (needed > sizeBytes)
    throw refusal(
      `it is cut short: ${needed} bytes are needed, ${sizeBytes} are there.`,
      'Copy or download the file again, completely.',
    )
}

function findUnfit(file: GgufFile, architecture: string, hasChatTemplate: boolean): Partial<Record<ModelRole, string>> {
  if (foreignArchitectures.includes(architecture))
    return {
      ...speechless('It is part of another model and cannot work alone.'),
      embedder: 'It does not turn texts into vectors.',
    }
  const isSilent = silentArchitectures.includes(architecture) || number(file, `${architecture}.pooling_type`) > 0
  if (isSilent) return speechless('It is an embedding model: it turns text into numbers and writes no answers.')
  const embedder = 'It writes answers; texts are compared by a model made for that (BERT, Nomic, Qwen3-Embedding...).'
  if (!hasChatTemplate)
    return {
      ...speechless('It has no chat template, so it cannot be asked anything. Use an instruction-tuned GGUF.'),
      embedder,
    }
  const untrainable = whyUntrainable(file, architecture)
  return untrainable ? { student: untrainable, embedder } : { embedder }
}

function whyUntrainable(file: GgufFile, architecture: string): string {
  const known = trainableArchitectures[architecture]
  if (!known)
    return `Its architecture is ${architecture}; the trainer knows ${Object.keys(trainableArchitectures).join(', ')}.`
  if (number(file, `${architecture}.expert_count`) > 0 !== known.isMixture)
    return known.isMixture
      ? 'It has no experts, as a model of its architecture should.'
      : 'It is a mixture of experts; of those the trainer knows qwen3moe and granitemoe.'
  if (number(file, 'split.count') > 1)
    return 'It is split over several files; join them first (llama-gguf-split --merge).'
  const foreign = file.tensors.find((tensor) => !tensorTypes[tensor.type])
  if (foreign) return `Its weights are of ${typeName(foreign)}, which the trainer cannot read.`
  return ''
}

const speechless = (reason: string): Partial<Record<ModelRole, string>> => ({ teacher: reason, student: reason })

function commonestType(file: GgufFile): string {
  const elements = new Map<string, number>()
  for (const tensor of file.tensors)
    elements.set(typeName(tensor), (elements.get(typeName(tensor)) ?? 0) + elementsOf(tensor))
  return [...elements].sort((a, b) => b[1] - a[1])[0]?.[0] ?? ''
}

const typeName = (tensor: GgufTensor) => tensorTypes[tensor.type]?.[0] ?? `type ${tensor.type}`
const elementsOf = (tensor: GgufTensor) => tensor.shape.reduce((product, length) => product * length, 1)

/** Size of a tensor's data; 0 for a type that is not known here, so that newer files are not called cut short. */
function bytesOf(tensor: GgufTensor): number {
  const [, blockElements, blockBytes] = tensorTypes[tensor.type] ?? ['', 1, 0]
  return Math.ceil(elementsOf(tensor) / blockElements) * blockBytes
}

function text(file: GgufFile, key: string): string {
  const value = ggufValue(file, key)
  return typeof value === 'string' ? value : ''
}

function number(file: GgufFile, key: string): number {
  const value = ggufValue(file, key)
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0
}

function refusal(reason: string, remedy: string): AppError {
  return new AppError({ code: 'bad-gguf', message: `This file cannot be used as a model: ${reason}`, remedy })
}
