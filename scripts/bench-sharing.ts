// npm run bench:sharing: how many prompt tokens a generation run evaluates of those it asks for. A taxonomy is imported, its leaves are filled
// by a model of random weights with the standard prompts, and every answer's two counts are added up. Its answers are exchanged for texts of
// the form and length of a good teacher's; its tokens are bytes, which changes the counts but hardly their ratio. --taxonomy FOLDER, --documents FOLDER, --leaf PATH (more than one; default all), --quota N (a leaf),
// --sequences N, --threads N.

import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createLlamaHost } from '../main/compute/llama.ts'
import type { CompletionRequest, LlamaHost } from '../main/compute/llama-protocol.ts'
import { createEngine } from '../main/engine.ts'
import { writeTinyGguf } from '../test/support/tiny-gguf.ts'

const { values: options } = parseArgs({
  options: {
    taxonomy: { type: 'string' },
    documents: { type: 'string' },
    leaf: { type: 'string', multiple: true, default: [] },
    quota: { type: 'string', default: '16' },
    sequences: { type: 'string', default: '16' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
})

interface Counts {
  calls: number
  asked: number
  evaluated: number
}

/** The worker, its answers counted. */
function counting(host: LlamaHost, counts: Counts): LlamaHost {
  return {
    async openSession(request) {
      const session = await host.openSession(request)
      return {
        reply: session.reply,
        score: (score) => session.score(score),
        tokenize: (text) => session.tokenize(text),
        detokenize: (tokens) => session.detokenize(tokens),
        dispose: () => session.dispose(),
        complete: async (...call) => {
          const completion = await session.complete(...call)
          counts.calls += 1
          counts.asked += completion.promptTokens
          counts.evaluated += completion.evaluatedPromptTokens
          return { ...completion, text: usualText(call[0], counts.calls), stop: 'end' }
        },
      }
    },
    openEmbedder: (request) => host.openEmbedder(request),
    get pid() {
      return host.pid
    },
    close: () => host.close(),
  }
}

/** A text of a stage's form as long as a good teacher's, its quote taken from the document, so that no chain of calls ends early. */
function usualText({ prompt, grammar = '' }: CompletionRequest, seed: number): string {
  const words = (count: number, at: number) =>
    Array.from({ length: count }, (_, index) => ((seed * 31 + at * 7 + index) ** 3 % 46_656).toString(36)).join(' ')
  const quote = /"""\n[\s\S]*?([A-Z][^\n."]{20,200}\.)\s/.exec(prompt)?.[1] ?? words(12, 9)
  const sentences = [1, 2, 3].map((at) => `The ${words(10, at)}.`).join(' ')
  const line = grammar.includes('Quote') ? quote : `${words(12, 9)}?`
  const fields: Record<string, string> = { line, text: sentences, 'yes-no': 'YES', grade: '3', letter: 'A' }
  const root = grammar.split('\n')[0]?.replace('root ::= ', '') ?? ''
  const parts = root.match(/"(?:[^"\\]|\\.)*"|[\w-]+/g) ?? []
  return parts.map((part) => (part.startsWith('"') ? (JSON.parse(part) as string) : (fields[part] ?? ''))).join('')
}

const folder = mkdtempSync(join(tmpdir(), 'labdesk-sharing-'))
const counts: Counts = { calls: 0, asked: 0, evaluated: 0 }
const engine = await createEngine({
  dataDir: join(folder, 'data'),
  host: 'cli',
  seedDemo: async () => undefined,
  llama: counting(createLlamaHost(), counts),
})
try {
  if (!options.taxonomy) throw new Error('Name a folder with qna.yaml files: --taxonomy FOLDER')
  await engine.call('settings.set', { threads: Number(options.threads), gpu: 'off' })
  const path = writeTinyGguf(join(folder, 'random.gguf'), { contextLength: 32_768 })
  const { id: teacherId } = await engine.call('model.add', { path })
  await engine.call('taxonomy.import', {
    folder: resolve(options.taxonomy),
    ...(options.documents ? { documentsFolder: resolve(options.documents) } : {}),
  })
  const leaves = (await engine.call('taxonomy.list', {})).map(({ path: leaf }) => leaf)
  const wanted = leaves.filter((leaf) => options.leaf.length === 0 || options.leaf.includes(leaf))
  console.log('| leaf | calls | prompt tokens asked for | evaluated | share |')
  console.log('|---|---|---|---|---|')
  for (const leaf of wanted) {
    Object.assign(counts, { calls: 0, asked: 0, evaluated: 0 })
    const plan = { teacherId, leaves: [{ leaf, quota: Number(options.quota) }], parallel: Number(options.sequences) }
    const { jobId } = await engine.call('generation.start', { ...plan, maxAttemptsFactor: 1 })
    let job = await engine.call('job.get', { jobId })
    while (['queued', 'running'].includes(job.state)) {
      await new Promise((done) => setTimeout(done, 100))
      job = await engine.call('job.get', { jobId })
    }
    if (job.error) console.error(`${leaf}: ${job.error.message}`)
    const share = (counts.evaluated / Math.max(1, counts.asked)).toFixed(3)
    console.log(`| ${leaf} (${job.state}) | ${counts.calls} | ${counts.asked} | ${counts.evaluated} | ${share} |`)
  }
} finally {
  await engine.close()
  rmSync(folder, { recursive: true, force: true })
}
