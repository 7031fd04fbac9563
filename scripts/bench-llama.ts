// llama.cpp's own programs, of the source node-llama-cpp bundles, compiled against the libraries it ships: its trainer (steps are timed
// from outside by its progress line, one a step) and its batched bench. Refuses nothing: what cannot run is a reason in words.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Failed, Turn, TurnLength } from './bench-cases.ts'
import { readPeakBytes, runChild } from './bench-process.ts'

export interface LlamaProgram {
  executable: string
  libraryDir: string
}

/** Builds the trainer in `folder` (kept from run to run), or says why it cannot be built. */
export function buildFinetune(options: BuildOptions): Promise<LlamaProgram | Failed> {
  return buildProgram(options, 'llama-finetune', ['examples/training/finetune.cpp'])
}

export interface BuildOptions {
  root: string
  libraryDir: string
  folder: string
}

/** Compiles one of the source's programs against the libraries that are shipped. */
export async function buildProgram(
  { root, libraryDir, folder }: BuildOptions,
  name: string,
  files: readonly string[],
): Promise<LlamaProgram | Failed> {
  const llama = join(root, 'node_modules/node-llama-cpp/llama')
  const bundle = join(llama, 'gitRelease.bundle')
  if (!existsSync(bundle)) return { reason: 'node-llama-cpp brings no source bundle' }
  const { tag } = JSON.parse(readFileSync(join(llama, 'llama.cpp.info.json'), 'utf8')) as { tag: string }
  const executable = join(folder, `${name}-${tag}`)
  if (existsSync(executable)) return { executable, libraryDir }
  mkdirSync(folder, { recursive: true })
  const source = join(folder, `llama-source-${tag}`)
  rmSync(source, { recursive: true, force: true })
  const clone = await runChild({ command: ['git', 'clone', '-q', bundle, source], limitMs: 120_000 })
  if (clone.ended !== 'status 0') return { reason: `git clone of the bundle: ${lastLine(clone.stderr)}` }
  const includes = ['include', 'common', 'ggml/include', 'vendor'].map((part) => `-I${join(source, part)}`)
  const libraries = ['libllama-common.so', `libllama.${tag}.so`, `libggml.${tag}.so`, 'libggml-base.so']
  const compile = await runChild({
    command: [
      ...'g++ -O2 -std=c++17 -DGGML_SHARED -DGGML_BACKEND_SHARED -DLLAMA_SHARED'.split(' '),
      ...includes,
      ...files.map((file) => join(source, file)),
      '-o',
      executable,
      `-L${libraryDir}`,
      ...libraries.map((library) => `-l:${library}`),
      `-Wl,-rpath,${libraryDir}`,
    ],
    limitMs: 300_000,
  })
  rmSync(source, { recursive: true, force: true })
  return compile.ended === 'status 0' ? { executable, libraryDir } : { reason: `g++: ${lastLine(compile.stderr)}` }
}

/** One turn: a context, batch and microbatch of `length` tokens, every token in the loss, AdamW. */
export async function runFinetune(
  { executable, libraryDir }: LlamaProgram,
  options: { modelPath: string; length: number; threads: number; turn: TurnLength; folder: string },
): Promise<Turn | Failed> {
  const { length, threads, turn } = options
  const textPath = join(options.folder, 'finetune.txt')
  // Bytes are tokens of the bench vocabulary; a data point starts every length / 2 tokens. It is ended before it has seen them all.
  writeFileSync(textPath, Array.from({ length: 300_000 }, (_, at) => 'etaoinshrdlu'[(at * at + at) % 11]).join(''))
  const outPath = join(options.folder, 'finetuned.gguf')
  const times: number[] = []
  let peakBytes = 0
  const run = await runChild({
    command: [
      executable,
      ...`-c ${length} -b ${length} -ub ${length} -t ${threads} -tb ${threads} -epochs 1 --val-split 0`.split(' '),
      ...Object.entries({ '-m': options.modelPath, '--file': textPath, '-o': outPath }).flat(),
    ],
    // The CPU libraries are looked for in the working folder.
    cwd: libraryDir,
    env: { GGML_NO_BACKTRACE: '1' },
    limitMs: 300_000,
    onStderr: (piece, pid) => {
      if (!piece.includes('] data=')) return false
      times.push(performance.now())
      peakBytes = Math.max(peakBytes, readPeakBytes(pid) ?? 0)
      const spent = (times.at(-1) ?? 0) - (times[0] ?? 0)
      return times.length > turn.leastSteps && spent >= turn.seconds * 1000
    },
  })
  // The first line ends the warm-up step.
  const stepMs = times.slice(1).map((time, index) => time - (times[index] ?? time))
  if (stepMs.length >= turn.leastSteps) return { stepMs, tokensPerStep: length, peakBytes }
  const words = /^.*GGML_ASSERT.*$/m.exec(run.stderr)?.[0] ?? lastLine(run.stderr)
  const ending = run.isEndedByUs ? 'no step in five minutes' : `ended with ${run.ended}`
  return { reason: `${ending}: ${words.replace(/^.*\/(?=[^/]*\.(c|cpp):)/, '').trim()}` }
}

/** What llama-batched-bench measures of `sequences` prompts evaluated and answered together, tokens a second. */
export async function runBatchedBench(
  { executable, libraryDir }: LlamaProgram,
  options: { modelPath: string; promptTokens: number; outputTokens: number; sequences: number; threads: number },
): Promise<{ promptRate: number; outputRate: number } | Failed> {
  const { modelPath, promptTokens, outputTokens, sequences, threads } = options
  const context = sequences * (promptTokens + outputTokens + 64)
  const ask = () =>
    runChild({
      command: [
        executable,
        '-m',
        modelPath,
        ...`-c ${context} -b 512 -ub 512 -t ${threads} -tb ${threads} -ngl 0 --output-format jsonl`.split(' '),
        ...`-npp ${promptTokens} -ntg ${outputTokens} -npl ${sequences}`.split(' '),
      ],
      cwd: libraryDir,
      env: { GGML_NO_BACKTRACE: '1' },
      limitMs: 300_000,
    })
  let run = await ask()
  // Its log is written by another thread, which now and then does not come to it before the program ends.
  for (let tries = 1; tries < 4 && !run.stdout.includes('{'); tries++) run = await ask()
  const line = run.stdout.split('\n').find((text) => text.startsWith('{'))
  if (!line) return { reason: `${run.ended}: ${lastLine(run.stderr)}` }
  const { speed_pp: promptRate, speed_tg: outputRate } = JSON.parse(line) as { speed_pp: number; speed_tg: number }
  return { promptRate, outputRate }
}

/** Builds the batched bench in `folder`, or says why it cannot be built. */
export function buildBatchedBench(options: BuildOptions): Promise<LlamaProgram | Failed> {
  const files = ['batched-bench.cpp', 'main.cpp'].map((file) => `tools/batched-bench/${file}`)
  return buildProgram(options, 'llama-batched-bench', files)
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() || 'no output'
}
