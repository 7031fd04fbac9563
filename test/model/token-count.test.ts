// Counts against llama.cpp's own tokenizers, with the vocabularies of real models.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getLlama, type LlamaModel } from 'node-llama-cpp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GgufEntry, writeGguf } from '../../main/domain/gguf.ts'
import { createTokenCount } from '../../main/domain/token-count.ts'
import { openVocabularies, type VocabularyName } from '../support/real-vocabularies.ts'

const names: VocabularyName[] = ['llama-bpe', 'llama-spm', 'qwen2', 'phi-3', 'gpt-2', 'starcoder']
const texts = {
  prose:
    "The black-capped chickadee (Poecile atricapillus) is a small, nonmigratory songbird. It's well known for lowering its body temperature by 10-12 °C during cold nights; about 1,500 caches are remembered.\n\nIt weighs 9-14 g.",
  table:
    '| Species | Length (cm) | Mass (g) |\n| --- | --- | --- |\n| Black-capped | 12-15 | 9-14 |\n| Carolina | 11.5-13 | 9-12 |\n',
  japanese: 'アメリカコガラは北アメリカに住む小さな鳥です。冬の夜には体温を下げることで知られています。',
  code: 'function add(a, b) {\n  return a + b // sum\n}\n',
}

/** What llama.cpp wants to see of a model before it looks at its vocabulary. */
const hyperparameters: GgufEntry[] = [
  { key: 'general.architecture', type: 'string', value: 'llama' },
  { key: 'llama.attention.layer_norm_rms_epsilon', type: 'f32', value: 1e-5 },
  ...['context_length', 'embedding_length', 'block_count', 'feed_forward_length', 'attention.head_count'].map(
    (key): GgufEntry => ({ key: `llama.${key}`, type: 'u32', value: 64 }),
  ),
]

let folder = ''
let open: ReturnType<typeof openVocabularies>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'labdesk-vocabulary-'))
  open = openVocabularies(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const listOf = <Value>(entries: readonly GgufEntry[], key: string) =>
  (entries.find((entry) => entry.key === key)?.value ?? []) as Value[]

describe.each(names)('the vocabulary of %s', (name) => {
  test('gives the counts of llama.cpp, within a few tokens of a hundred', async () => {
    const { entries } = open(name)
    const path = join(folder, `${name}.gguf`)
    writeFileSync(path, writeGguf([...hyperparameters, ...entries], []))
    const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 1, logLevel: 'error' as never })
    const model: LlamaModel = await llama.loadModel({ modelPath: path, vocabOnly: true })
    const count = createTokenCount({
      model: String(entries.find(({ key }) => key === 'tokenizer.ggml.model')?.value),
      pre: String(entries.find(({ key }) => key === 'tokenizer.ggml.pre')?.value ?? ''),
      tokens: listOf(entries, 'tokenizer.ggml.tokens'),
      merges: listOf(entries, 'tokenizer.ggml.merges'),
      scores: listOf(entries, 'tokenizer.ggml.scores'),
    })
    for (const [kind, text] of Object.entries(texts)) {
      const real = model.tokenize(text).length
      const counted = count?.(text) ?? 0
      expect(Math.abs(counted - real), `${name} ${kind}: ${counted} for ${real}`).toBeLessThanOrEqual(1 + real * 0.03)
    }
    await model.dispose()
    await llama.dispose()
  }, 60_000)
})
