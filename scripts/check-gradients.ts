// npm run check:gradients: compares every gradient of the trainer, full and LoRA, with PyTorch in float64 (check-gradients.py). Needs
// python3 with torch (Debian: apt-get install python3-torch); says so and fails when it is not there.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTrainer, type Trainer } from '../main/compute/trainer.ts'
import { ensureTrainer, findLibraryDir } from '../main/compute/trainer-build.ts'
import type { LoadRequest } from '../main/compute/trainer-protocol.ts'
import { readF32 } from '../test/support/gguf-patch.ts'
import { type LlamaShape, writeRandomLlama } from '../test/support/random-llama.ts'
import { plainAdam, randomMicrobatch } from '../test/support/random-microbatch.ts'
import { root } from './steps.ts'

const folder = mkdtempSync(join(tmpdir(), 'labdesk-gradients-'))
const shape: LlamaShape = {
  width: 96,
  layerCount: 3,
  headCount: 6,
  kvHeadCount: 2,
  ffnWidth: 160,
  vocabSize: 400,
  isTied: true,
  ropeBase: 20_000,
}
const batch = randomMicrobatch({ rowLengths: [70, 33, 120, 5], vocabSize: shape.vocabSize, seed: 21, share: 0.6 })
const load = { microbatchTokens: 256, optimizer: plainAdam }
const lora: LoadRequest['lora'] = {
  rank: 8,
  alpha: 16,
  seed: 4,
  targets: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'],
}

/** Writes what PyTorch needs of one case: all values, the rows and the trainer's gradients. */
async function writeCase(trainer: Trainer, name: string, of: { shape: LlamaShape; model: string; adapter?: string }) {
  const { loss, tensors, values } = await trainer.gradients([batch])
  const base = baseNames(of.shape)
  const adapterNames = of.adapter ? tensors.map((tensor) => tensor.name) : []
  const numbers = [
    ...base.map((tensor) => readF32(of.model, tensor)),
    ...adapterNames.map((tensor) => readF32(of.adapter ?? '', tensor)),
  ]
  const head = {
    name,
    loss,
    shape: of.shape,
    scale: (lora?.alpha ?? 0) / (lora?.rank ?? 1),
    eps: 1e-5,
    rowLengths: batch.rowLengths,
    tokens: Array.from(batch.tokens),
    weights: Array.from(batch.weights),
    values: [...base, ...adapterNames].map((tensor, index) => ({ name: tensor, count: numbers[index]?.length ?? 0 })),
    gradients: tensors,
  }
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(head))
  writeFileSync(join(folder, `${name}.values`), Buffer.concat(numbers.map((piece) => Buffer.from(piece.buffer))))
  writeFileSync(join(folder, `${name}.gradients`), Buffer.concat(values.map((piece) => Buffer.from(piece.buffer))))
}

function baseNames({ layerCount, isTied }: LlamaShape): string[] {
  const roles = ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down']
  const layers = Array.from({ length: layerCount }, (_, layer) => roles.map((role) => `blk.${layer}.${role}.weight`))
  return ['token_embd.weight', 'output_norm.weight', ...(isTied ? [] : ['output.weight']), ...layers.flat()]
}

const trainer = await openTrainer({
  executable: await ensureTrainer({ root }),
  libraryDir: findLibraryDir(root),
  threads: 2,
})
for (const isTied of [true, false]) {
  const name = isTied ? 'full-tied' : 'full-untied'
  const model = writeRandomLlama(join(folder, `${name}.gguf`), { ...shape, isTied })
  await trainer.load({ ...load, modelPath: model, mode: 'full' })
  await writeCase(trainer, name, { shape: { ...shape, isTied }, model })
}
const model = join(folder, 'full-tied.gguf')
await trainer.load({ ...load, modelPath: model, mode: 'lora', lora })
// B starts at zero, where A's gradient vanishes.
for (let step = 0; step < 10; step++) await trainer.step(1e-2, [batch])
const adapter = join(folder, 'adapter.gguf')
await trainer.export({ what: 'adapter', path: adapter, type: 'f32' })
await writeCase(trainer, 'lora', { shape, model, adapter })
await trainer.close()

// A version manager's python3 may stand before the system's, which is the one with Debian's torch.
const hasTorch = (command: string) => spawnSync(command, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0
const command = ['python3', '/usr/bin/python3'].find(hasTorch) ?? 'python3'
const python = spawnSync(command, [join(root, 'scripts/check-gradients.py'), folder], { stdio: 'inherit' })
rmSync(folder, { recursive: true, force: true })
process.exitCode = python.status ?? 1
