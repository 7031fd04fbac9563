// Small GGUF files for tests that look at headers only: one weight matrix, and whatever metadata the test wants.

import { writeFileSync } from 'node:fs'
import { type GgufEntry, writeGguf } from '../../main/domain/gguf.ts'

const llama: GgufEntry[] = [
  { key: 'general.architecture', type: 'string', value: 'llama' },
  { key: 'general.name', type: 'string', value: 'Finch 1B' },
  { key: 'general.license', type: 'string', value: 'apache-2.0' },
  { key: 'llama.context_length', type: 'u32', value: 512 },
  { key: 'tokenizer.ggml.tokens', type: 'array', of: 'string', value: ['a', 'b', 'c'] },
  { key: 'tokenizer.chat_template', type: 'string', value: '{{ messages }}' },
]

/** Writes a header with one tensor of `rows` x 8 ones. `change` overrides or, with a null value, removes metadata of the llama it starts from. */
export function writeTestGguf(path: string, change: Record<string, GgufEntry | null> = {}, rows = 4): string {
  const kept = llama.filter((entry) => !(entry.key in change))
  const given = Object.values(change).filter((entry) => entry !== null)
  const elements = new Float32Array(8 * rows).fill(1)
  writeFileSync(path, writeGguf([...kept, ...given], [{ name: 'token_embd.weight', shape: [8, rows], elements }]))
  return path
}

/** A text value of metadata, by key. */
export function textEntry(key: string, value: string): Record<string, GgufEntry> {
  return { [key]: { key, type: 'string', value } }
}
