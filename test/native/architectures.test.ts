// Every supported architecture, in each of its variants: the trainer computes llama.cpp's loss, its gradients are those of that loss, and
// what it exports is what llama.cpp then computes. llama.cpp takes GELU from a table of half-precision numbers: gemma agrees less closely.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Llama } from 'node-llama-cpp'
import { afterAll, beforeAll, expect } from 'vitest'
import type { Microbatch, Trainer } from '../../main/compute/trainer.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { worstError } from '../support/finite-differences.ts'
import { readTensorTable } from '../support/gguf-patch.ts'
import { llamaLoss, openLlama } from '../support/llama-loss.ts'
import { type ModelVariant, modelVariants, tokenizedVariants } from '../support/model-variants.ts'
import { type Architecture, type RandomModel, writeRandomModel } from '../support/random-model.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import type { WeightType } from '../support/random-weights.ts'
import { openVocabularies } from '../support/real-vocabularies.ts'
import { describe, startTrainer, temporaryFolder, test, trainerPath } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
const load = { microbatchTokens: 128, optimizer: plainAdam }
const vocabSize = 320
/** Rows beyond the windows of 16, and short ones packed beside them. */
const batches = [
  randomMicrobatch({ rowLengths: [40, 21, 33], vocabSize, seed: 8 }),
  randomMicrobatch({ rowLengths: [5, 50], vocabSize, seed: 9 }),
]
const gradientBatch = randomMicrobatch({ rowLengths: [19, 24], vocabSize, seed: 3 })

let llama: Llama
let trainer: Trainer
beforeAll(async () => {
  if (!trainerPath) return
  llama = await openLlama()
  trainer = await startTrainer()
})
afterAll(async () => {
  await trainer?.close()
  await llama?.dispose()
  remove()
})

async function trainerLoss(of: Microbatch[] = batches): Promise<number> {
  return (await trainer.evaluate(of)).reduce((sum, row) => sum + row.lossSum, 0)
}

/** Relative difference of llama.cpp's loss of a file from the trainer's of what it has loaded. */
async function distance(files: { modelPath: string; adapterPath?: string }, of = batches): Promise<number> {
  return Math.abs((await llamaLoss({ llama, ...files, batches: of })) / (await trainerLoss(of)) - 1)
}

function closeness(architecture: Architecture): number {
  return architecture.startsWith('gemma') ? 5e-5 : 1e-5
}

/** Adapters of the seven names that the application offers; fused matrices take them together. Expert matrices have none. */
function loraOf({ experts }: RandomModel): NonNullable<LoadRequest['lora']> {
  const attention = ['attn_q', 'attn_k', 'attn_v', 'attn_output'] as const
  const ffn = experts ? [] : (['ffn_gate', 'ffn_up', 'ffn_down'] as const)
  return { rank: 8, alpha: 16, seed: 3, targets: [...attention, ...ffn] }
}

const roleOf = (name: string) => name.replace(/^blk\.\d+\./, '')

/** One tensor of each role, in alternating layers. */
function oneOfEachRole(names: string[]): string[] {
  return [...new Set(names.map(roleOf))].flatMap((role, index) => {
    const same = names.filter((name) => roleOf(name) === role)
    return same[index % same.length] ?? []
  })
}

describe.each<ModelVariant>(modelVariants)('$name', ({ name, model, isRouted }) => {
  const path = (what: string) => join(folder, `${name.replaceAll(' ', '-')}-${what}.gguf`)
  const within = closeness(model.architecture)

  test("has llama.cpp's loss", async () => {
    const modelPath = writeRandomModel(path('frozen'), model)
    await trainer.load({ ...load, modelPath, mode: 'frozen' })
    expect(await distance({ modelPath })).toBeLessThan(within)
  })

  test('has gradients that equal finite differences, for every kind of tensor', async () => {
    const modelPath = writeRandomModel(path('gradients'), model)
    const roles = new Set<string>()
    const worst = await worstError({
      trainer,
      path: modelPath,
      load: (moved) => trainer.load({ ...load, modelPath: moved, mode: 'full' }),
      batch: gradientBatch,
      folder,
      choose: (names) => {
        for (const each of names) roles.add(roleOf(each))
        return oneOfEachRole(names)
      },
      distance: isRouted ? 0.005 : 0.01,
    })
    expect(worst.error, worst.name).toBeLessThan(isRouted ? 5e-3 : 1e-3)
    const stored = readTensorTable(readFileSync(modelPath)).map((tensor) => roleOf(tensor.name))
    // A router stays as it is; factors of RoPE are no weights.
    const isFixed = (role: string) => role.startsWith('rope_') || role === 'ffn_gate_inp.weight'
    expect([...roles].sort()).toEqual([...new Set(stored.filter((role) => !isFixed(role)))].sort())
  })

  test("has llama.cpp's loss after training in full", async () => {
    const modelPath = writeRandomModel(path('full'), model)
    await trainer.load({ ...load, modelPath, mode: 'full' })
    const before = await trainerLoss()
    for (let step = 0; step < 3; step++) await trainer.step(2e-3, batches)
    expect(await trainerLoss()).toBeLessThan(before)
    const trained = path('trained')
    await trainer.export({ what: 'model', path: trained, type: 'f32' })
    expect(await distance({ modelPath: trained })).toBeLessThan(within)
  })

  test("has llama.cpp's loss with an adapter and with the adapter merged", async () => {
    const modelPath = writeRandomModel(path('base'), model)
    const lora = loraOf(model)
    await trainer.load({ ...load, modelPath, mode: 'lora', lora })
    const before = await trainerLoss()
    for (let step = 0; step < 6; step++) await trainer.step(5e-3, batches)
    const after = await trainerLoss()
    expect(after).toBeLessThan(before)
    const adapterPath = path('adapter')
    await trainer.export({ what: 'adapter', path: adapterPath, type: 'f32' })
    expect(await distance({ modelPath, adapterPath })).toBeLessThan(within)
    const merged = path('merged')
    await trainer.export({ what: 'model', path: merged, type: 'f32' })
    expect(await distance({ modelPath: merged })).toBeLessThan(within)
    await trainer.load({ ...load, modelPath, mode: 'lora', lora: { ...lora, continueFrom: adapterPath } })
    expect(await trainerLoss()).toBe(after)
  })
})

const wide = { width: 256, layerCount: 2, headCount: 4, kvHeadCount: 2, ffnWidth: 256, vocabSize }
const experts = { count: 4, used: 2, width: 256 }
const stored: [string, RandomModel & { type: WeightType }][] = [
  ['q4_0', { ...wide, architecture: 'llama', type: 'q4_0', biases: ['qkv'] }],
  ['q4_k', { ...wide, architecture: 'qwen2', type: 'q4_k', biases: ['qkv'], isTied: true }],
  // As a Q4_K_M file has it.
  ['q4_k and q6_k', { ...wide, architecture: 'llama', type: 'q4_k', roleTypes: { attn_v: 'q6_k', ffn_down: 'q6_k' } }],
  ['q5_k', { ...wide, architecture: 'phi3', type: 'q5_k' }],
  ['q6_k', { ...wide, architecture: 'gemma3', type: 'q6_k', window: 16, isTied: true }],
  ['q4_k experts', { ...wide, architecture: 'qwen3moe', type: 'q4_k', experts }],
  ['q8_0 experts', { ...wide, architecture: 'granitemoe', type: 'q8_0', experts, scales: { logit: 2 } }],
]
test.each(stored)('weights of type %s are read as llama.cpp reads them', async (name, model) => {
  const modelPath = writeRandomModel(join(folder, `${name.replaceAll(' ', '-')}.gguf`), model)
  await trainer.load({ ...load, modelPath, mode: 'lora', lora: loraOf(model) })
  // llama.cpp's CPU products quantise the activations beside such weights; beside the same values in F32 they do not.
  if (!model.experts) expect(await distance({ modelPath })).toBeLessThan(5e-3)
  const plain = join(folder, 'plain.gguf')
  await trainer.export({ what: 'model', path: plain, type: 'f32' })
  expect(await distance({ modelPath: plain })).toBeLessThan(closeness(model.architecture))
})

describe('with the tokenizer of a real model', () => {
  let vocabularyOf: ReturnType<typeof openVocabularies>
  beforeAll(() => {
    vocabularyOf = openVocabularies(folder)
  })

  test.each(tokenizedVariants)(
    "$model.architecture has llama.cpp's loss of a sentence ($vocabulary)",
    async (variant) => {
      const { size, entries } = vocabularyOf(variant.vocabulary)
      const model = { ...variant.model, vocabSize: size, vocabulary: entries }
      const modelPath = writeRandomModel(join(folder, 'tokenized.gguf'), model)
      const batch = await tokenize(modelPath, 'The wren builds several nests.')
      await trainer.load({ ...load, modelPath, mode: 'frozen' })
      expect(await distance({ modelPath }, [batch])).toBeLessThan(closeness(model.architecture))
    },
  )
})

/** One row of a text in the model's own tokens, every one counting but the first. */
async function tokenize(modelPath: string, text: string): Promise<Microbatch> {
  const model = await llama.loadModel({ modelPath, gpuLayers: 0, vocabOnly: true })
  const tokens = Int32Array.from(model.tokenize(text))
  await model.dispose()
  const weights = Float32Array.from(tokens, (_, index) => (index > 0 ? 1 : 0))
  return { rowLengths: [tokens.length], rowGroups: [0], tokens, weights }
}
