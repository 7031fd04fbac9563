// npm run bench:generate: tokens a second of the llama worker against llama.cpp's own batched bench: same libraries, model, threads and lengths,
// in turn, medians of rounds. The batched bench samples nothing; the worker samples as generation does. Markdown on stdout. --threads N, --rounds N,
// --sequences 1,4,16,32, --prompt N, --tokens N, --model PATH (more than one; default: the demo's teacher and a random 135 M llama in Q8_0),
// --temperature T, --compute FOLDER (another version's main/compute), --busy (does not wait for a quiet machine), --json FILE.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { CompletionRequest, LlamaHost } from '../main/compute/llama-protocol.ts'
import { ensureTrainer, findLibraryDir } from '../main/compute/trainer-build.ts'
import { m135 } from './bench-cases.ts'
import { exportQ8 } from './bench-labdesk.ts'
import { buildBatchedBench, type LlamaProgram, runBatchedBench } from './bench-llama.ts'
import { writeBenchModel } from './bench-model.ts'
import { waitForQuiet } from './bench-process.ts'
import { root } from './steps.ts'

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '3' },
    sequences: { type: 'string', default: '1,4,16,32' },
    prompt: { type: 'string', default: '128' },
    tokens: { type: 'string', default: '64' },
    model: { type: 'string', multiple: true, default: [] },
    temperature: { type: 'string', default: '0.8' },
    compute: { type: 'string', default: join(root, 'main/compute') },
    busy: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})
const threads = Number(options.threads)
const outputTokens = Number(options.tokens)

/** Tokens answered before the clock starts. */
const warmTokens = 512

interface Rates {
  model: string
  sequences: number
  /** Tokens a second, a round each. */
  worker: number[]
  bench: number[]
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'labdesk-bench-'))
  try {
    const models = options.model.length > 0 ? options.model.map((path) => resolve(path)) : await writeModels(folder)
    const program = await buildBatchedBench({
      root,
      libraryDir: findLibraryDir(root),
      folder: join(tmpdir(), 'labdesk-bench-llama'),
    })
    if ('reason' in program) throw new Error(program.reason)
    const results: Rates[] = []
    for (const model of models)
      for (const sequences of options.sequences.split(',').map(Number))
        results.push(await compare(program, model, sequences))
    report(results)
    if (options.json) writeFileSync(options.json, JSON.stringify(results, null, 2))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function writeModels(folder: string): Promise<string[]> {
  const f32 = join(folder, 'm135-f32.gguf')
  const q8 = join(folder, 'm135-q8_0.gguf')
  writeBenchModel(f32, m135)
  await exportQ8({ executable: await ensureTrainer({ root }), libraryDir: findLibraryDir(root), threads }, f32, q8)
  rmSync(f32)
  return [join(root, 'main/demo/models/teacher.gguf'), q8]
}

async function compare(program: LlamaProgram, modelPath: string, sequences: number): Promise<Rates> {
  const result: Rates = { model: basename(modelPath), sequences, worker: [], bench: [] }
  for (let round = 1; round <= Number(options.rounds); round++) {
    if (!options.busy) await waitForQuiet()
    const { rate, promptTokens } = await measureWorker(modelPath, sequences)
    if (!options.busy) await waitForQuiet()
    const bench = await runBatchedBench(program, { modelPath, promptTokens, outputTokens, sequences, threads })
    if ('reason' in bench) throw new Error(bench.reason)
    result.worker.push(rate)
    result.bench.push(bench.outputRate)
    console.error(`${result.model} x${sequences}: ${rate.toFixed(0)} against ${bench.outputRate.toFixed(0)} tokens/s`)
  }
  return result
}

/** The prompts are evaluated first; what is timed is decoding from then on, the way to the worker and back included. */
async function measureWorker(modelPath: string, sequences: number): Promise<{ rate: number; promptTokens: number }> {
  const { createLlamaHost } = (await import(pathToFileURL(join(resolve(options.compute), 'llama.ts')).href)) as {
    createLlamaHost: () => LlamaHost
  }
  const host = createLlamaHost()
  try {
    const contextTokens = Number(options.prompt) + outputTokens + 64
    const session = await host.openSession({ modelPath, contextTokens, sequences, threads, gpu: 'off' })
    const prompts: string[] = []
    let promptTokens = 0
    for (let place = 0; place < sequences; place++) {
      const tokens = (await session.tokenize(noise(place))).slice(0, Number(options.prompt))
      prompts.push(await session.detokenize(tokens))
      promptTokens = tokens.length
    }
    const ask = (limit: number) =>
      Promise.all(
        prompts.map((prompt, seed) => {
          const sampling = { temperature: Number(options.temperature), topP: 0.95, minP: 0.05, seed }
          const request: CompletionRequest = { prompt, maxTokens: limit, minTokens: limit, ...sampling }
          return session.complete(request)
        }),
      )
    // A generation goes on for minutes: what is timed is the worker once its code is compiled, as it is after the first answers.
    for (let tokens = 0; tokens < warmTokens; tokens += sequences * outputTokens) await ask(outputTokens)
    const startedAt = performance.now()
    const answers = await ask(outputTokens)
    const seconds = (performance.now() - startedAt) / 1000
    return { rate: answers.reduce((sum, { outputTokens: count }) => sum + count, 0) / seconds, promptTokens }
  } finally {
    await host.close()
  }
}

/** Words that no two sequences have in common from the start. */
function noise(place: number): string {
  let state = place * 7919 + 1
  return Array.from({ length: 1000 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state.toString(36)
  }).join(' ')
}

function report(results: readonly Rates[]): void {
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, prompts of ${options.prompt} tokens,`)
  console.log(
    `answers of ${options.tokens}, temperature ${options.temperature}, medians of ${options.rounds} rounds.\n`,
  )
  console.log('| model | sequences | worker, tokens/s | llama-batched-bench | ratio |')
  console.log('|---|---|---|---|---|')
  for (const { model, sequences, worker, bench } of results) {
    const [own, other] = [median(worker), median(bench)]
    console.log(`| ${model} | ${sequences} | ${own.toFixed(0)} | ${other.toFixed(0)} | ${(own / other).toFixed(2)} |`)
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[Math.floor((sorted.length - 1) / 2)] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2
}

await main()
