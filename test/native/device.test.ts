// The GPU path: ggml's backends compute the gradients that the processor's own kernels compute. Where there is no GPU, Mesa's software
// device stands for one (Debian: apt-get install mesa-vulkan-drivers libvulkan1); ggml's processor backend runs the same graph anywhere.

import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { OpenTrainerOptions, Trainer } from '../../main/compute/trainer.ts'
import { findDeviceLibraryDir } from '../../main/compute/trainer-build.ts'
import type { LoadRequest } from '../../main/compute/trainer-protocol.ts'
import { modelVariants } from '../support/model-variants.ts'
import { type LlamaShape, smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { type RandomModel, writeRandomModel } from '../support/random-model.ts'
import { relativeDistance } from '../support/relative-distance.ts'
import { root, startTrainer, temporaryFolder, test, trainerPath } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const batch = randomMicrobatch({ rowLengths: [19, 26, 11], vocabSize: smallShape.vocabSize, seed: 3 })
const lora: LoadRequest['lora'] = {
  rank: 4,
  alpha: 8,
  seed: 5,
  targets: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'],
}
const load = { microbatchTokens: 64, optimizer: plainAdam }
const exact = { exact: true, allowsSoftware: true }

const vulkanDir = findDeviceLibraryDir(root, 'vulkan')
const vulkan = await findVulkan()
if (!vulkan)
  console.log('skipped: no Vulkan device here; install mesa-vulkan-drivers and libvulkan1 for a software one')
const onVulkan = vulkan ? test : test.skip

async function findVulkan(): Promise<string | undefined> {
  if (!vulkanDir || !trainerPath) return undefined
  const trainer = await startTrainer({ libraryDir: vulkanDir, device: exact })
  const found = (await trainer.devices()).find(({ name }) => name.startsWith('Vulkan'))
  await trainer.close()
  return found?.name
}

const processor: Partial<OpenTrainerOptions> = { device: { ...exact, name: 'CPU' } }
const software: Partial<OpenTrainerOptions> = {
  ...(vulkanDir ? { libraryDir: vulkanDir } : {}),
  device: { ...exact, name: vulkan ?? '' },
}

/** Worst |a - b| / |a| of a tensor's gradient between the processor's kernels and a device. */
async function worstDistance(device: Partial<OpenTrainerOptions>, wish: Parameters<Trainer['load']>[0]) {
  const gradients = []
  for (const options of [{}, device]) {
    const trainer = await startTrainer(options)
    const loaded = await trainer.load(wish)
    expect(loaded.notice).toBeUndefined()
    expect(loaded.device).toBe(options.device?.name ?? 'cpu')
    // B starts at zero, where A's gradient vanishes: one step moves both the same way.
    await trainer.step(1e-2, [batch])
    gradients.push(await trainer.gradients([batch]))
    await trainer.close()
  }
  const [own, other] = gradients
  return Math.max(...(own?.values ?? []).map((values, index) => relativeDistance(values, other?.values[index])))
}

function variant(wanted: string): RandomModel {
  const found = modelVariants.find(({ name }) => name === wanted)
  if (!found) throw new Error(`no ${wanted} among the variants`)
  return found.model
}

const dense = modelVariants.filter(({ model }) => !model.architecture.endsWith('moe'))

test.each(dense)('$name: the portable graph has the kernels’ gradients', async ({ name, model }) => {
  const modelPath = writeRandomModel(join(folder, `${name.replaceAll(' ', '-')}.gguf`), model)
  expect(await worstDistance(processor, { ...load, modelPath, mode: 'full' })).toBeLessThan(1e-3)
})

const bases: { base: string; shape: LlamaShape }[] = [
  { base: 'an F32', shape: smallShape },
  { base: 'a BF16', shape: { ...smallShape, type: 'bf16' } },
  { base: 'a Q8_0', shape: { ...smallShape, type: 'q8_0' } },
  {
    base: 'a Q4_K_M',
    shape: { ...smallShape, width: 256, ffnWidth: 256, type: 'q4_k', roleTypes: { attn_v: 'q6_k', ffn_down: 'q5_k' } },
  },
]

test.each(bases)('an adapter on $base base has the kernels’ gradients', async ({ base, shape }) => {
  const modelPath = writeRandomLlama(join(folder, `adapter-${base}.gguf`), shape)
  const regularise = { seed: 1, klWeight: 0.5, neftuneAlpha: 2 }
  const wish = { ...load, modelPath, mode: 'lora', lora, regularise } as const
  expect(await worstDistance(processor, wish)).toBeLessThan(1e-3)
})

test('activations computed again give the same gradients on a device', async () => {
  const modelPath = writeRandomModel(join(folder, 'again.gguf'), variant('gemma2'))
  expect(await worstDistance(processor, { ...load, modelPath, mode: 'full', recompute: true })).toBeLessThan(1e-3)
})

onVulkan(
  'Vulkan: a whole model has the kernels’ gradients',
  async () => {
    const modelPath = writeRandomLlama(join(folder, 'vulkan.gguf'), smallShape)
    expect(await worstDistance(software, { ...load, modelPath, mode: 'full' })).toBeLessThan(1e-3)
  },
  240_000,
)

onVulkan(
  'Vulkan: an adapter on a Q8_0 base has the kernels’ gradients',
  async () => {
    const modelPath = writeRandomLlama(join(folder, 'vulkan-q8.gguf'), { ...smallShape, type: 'q8_0' })
    expect(await worstDistance(software, { ...load, modelPath, mode: 'lora', lora })).toBeLessThan(1e-3)
  },
  240_000,
)

onVulkan(
  'Vulkan: windows, caps and post norms have the kernels’ gradients',
  async () => {
    const modelPath = writeRandomModel(join(folder, 'vulkan-gemma.gguf'), variant('gemma2'))
    expect(await worstDistance(software, { ...load, modelPath, mode: 'full' })).toBeLessThan(1e-3)
  },
  240_000,
)

test('a device that cannot train a model leaves it to the processor and says why', async () => {
  const modelPath = writeRandomModel(join(folder, 'routed.gguf'), variant('qwen3moe'))
  const trainer = await startTrainer(processor)
  const loaded = await trainer.load({ ...load, modelPath, mode: 'full' })
  expect(loaded.device).toBe('cpu')
  expect(loaded.notice).toMatch(/processor/)
  expect((await trainer.step(1e-3, [batch])).loss).toBeGreaterThan(0)
  await trainer.close()
})

test('dropout stays on the processor, and says so', async () => {
  const modelPath = writeRandomLlama(join(folder, 'dropout.gguf'), smallShape)
  const trainer = await startTrainer(processor)
  const loaded = await trainer.load({ ...load, modelPath, mode: 'lora', lora, regularise: { seed: 1, dropout: 0.1 } })
  expect(loaded.device).toBe('cpu')
  expect(loaded.notice).toMatch(/dropout/)
  expect((await trainer.step(1e-3, [batch])).loss).toBeGreaterThan(0)
  await trainer.close()
})

test('a device that is not there is refused with the ones that are', async () => {
  const trainer = await startTrainer({ device: { ...exact, name: 'Cuda7' } })
  const modelPath = writeRandomLlama(join(folder, 'nowhere.gguf'), smallShape)
  await expect(trainer.load({ ...load, modelPath, mode: 'full' })).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(/Cuda7.*CPU/),
  })
  await trainer.close()
})
