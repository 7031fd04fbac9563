// The trainer's gradients against finite differences of its own loss, tensor by tensor.

import { join } from 'node:path'
import { afterAll, expect } from 'vitest'
import { loraTargets } from '../../main/compute/trainer-protocol.ts'
import { worstError } from '../support/finite-differences.ts'
import { smallShape, writeRandomLlama } from '../support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../support/random-microbatch.ts'
import { relativeDistance } from '../support/relative-distance.ts'
import { startTrainer, temporaryFolder, test } from '../support/trainer-lab.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const batch = randomMicrobatch({ rowLengths: [19, 34, 11], vocabSize: smallShape.vocabSize, seed: 3 })
const common = { microbatchTokens: 128, optimizer: plainAdam }
test.each([true, false])('full gradients equal finite differences for every tensor (tied head: %s)', async (isTied) => {
  const path = writeRandomLlama(join(folder, `full-${isTied}.gguf`), { ...smallShape, isTied })
  const trainer = await startTrainer()
  const load = (modelPath: string) => trainer.load({ modelPath, mode: 'full', ...common })
  const worst = await worstError({ trainer, path, load, batch, folder })
  await trainer.close()
  expect(worst.error, worst.name).toBeLessThan(1e-3)
})

test.each([false, true])(
  'LoRA gradients equal finite differences for every adapter (recompute: %s)',
  async (recompute) => {
    const base = writeRandomLlama(join(folder, `base-${recompute}.gguf`), smallShape)
    const trainer = await startTrainer()
    const lora = { rank: 4, alpha: 8, seed: 5, targets: [...loraTargets] }
    await trainer.load({ modelPath: base, mode: 'lora', lora, recompute, ...common })
    // B starts at zero, where A's gradient vanishes: train a little first.
    for (let index = 0; index < 20; index++) await trainer.step(2e-2, [batch])
    const path = join(folder, 'adapter.gguf')
    await trainer.export({ what: 'adapter', path, type: 'f32' })
    const load = (continueFrom: string) =>
      trainer.load({ modelPath: base, mode: 'lora', lora: { ...lora, continueFrom }, recompute, ...common })
    const worst = await worstError({ trainer, path, load, batch, folder })
    await trainer.close()
    expect(worst.error, worst.name).toBeLessThan(1e-3)
  },
)

test.each(['avx2', 'portable'] as const)('the %s kernels compute the same gradients as the best ones', async (isa) => {
  const modelPath = writeRandomLlama(join(folder, 'isa.gguf'), smallShape)
  const results = []
  for (const wanted of [undefined, isa]) {
    const trainer = await startTrainer(wanted ? { isa: wanted } : {})
    await trainer.load({ modelPath, mode: 'full', ...common })
    results.push(await trainer.gradients([batch]))
    await trainer.close()
  }
  const [best, other] = results
  for (const [index, tensor] of (best?.tensors ?? []).entries())
    expect(relativeDistance(best?.values[index] ?? [], other?.values[index]), tensor.name).toBeLessThan(1e-5)
})
