// The random llama that most of the trainer's tests use: tied and small, or of any other shape. random-model.ts writes it.

import { type RandomModel, writeRandomModel } from './random-model.ts'

export interface LlamaShape extends Omit<RandomModel, 'architecture' | 'rope' | 'experts'> {
  ropeBase?: number
}

export const smallShape: LlamaShape = {
  width: 64,
  layerCount: 2,
  headCount: 4,
  kvHeadCount: 2,
  ffnWidth: 96,
  vocabSize: 320,
  isTied: true,
}

/** Writes the model and returns its path. */
export function writeRandomLlama(path: string, { ropeBase, ...shape }: LlamaShape): string {
  return writeRandomModel(path, { architecture: 'llama', ...shape, rope: { base: ropeBase } })
}
