// The tokenizers of real models, taken from the vocabulary files of the llama.cpp source that node-llama-cpp ships as a git bundle.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type GgufEntry, readGguf } from '../../main/domain/gguf.ts'
import { root } from './trainer-lab.ts'

/** `name` of models/ggml-vocab-<name>.gguf. */
export type VocabularyName = 'llama-bpe' | 'llama-spm' | 'qwen2' | 'phi-3' | 'starcoder' | 'gpt-2'

export interface RealVocabulary {
  size: number
  /** All `tokenizer.*` entries. */
  entries: GgufEntry[]
}

/** Unpacks the source into `folder` (about a second) and returns a reader of its vocabularies. */
export function openVocabularies(folder: string): (name: VocabularyName) => RealVocabulary {
  const source = join(folder, 'llama-source')
  const bundle = join(root, 'node_modules', 'node-llama-cpp', 'llama', 'gitRelease.bundle')
  execFileSync('git', ['clone', '--quiet', '--no-checkout', bundle, source])
  return (name) => {
    const show = ['-C', source, 'show', `HEAD:models/ggml-vocab-${name}.gguf`]
    const file = readGguf(execFileSync('git', show, { maxBuffer: 2 ** 26 }))
    const entries = file.entries.filter(({ key }) => key.startsWith('tokenizer.'))
    const tokens = entries.find(({ key }) => key === 'tokenizer.ggml.tokens')
    if (tokens?.type !== 'array') throw new Error(`the vocabulary ${name} has no tokens`)
    return { size: tokens.value.length, entries }
  }
}
