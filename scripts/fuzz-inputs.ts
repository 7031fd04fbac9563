// npm run fuzz: damages whole files of every format in a seeded way and feeds them to Labdesk. None may crash it, hold it up for more
// than 5 s or grow its memory without bound; each refusal is named and has a remedy. Failing inputs are kept.
// Usage: npm run fuzz -- [--inputs 10000] [--seed 1] [--corpus FOLDER of real .yaml .jsonl .md .html .csv .docx .pdf .gguf] [--only NAME]

import { globSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDocumentReader } from '../main/compute/document-reader.ts'
import { startWatchdog } from '../main/compute/reader/watchdog.ts'
import { feed, type FuzzCorpus, type FuzzOutcome, fuzzTargets } from '../test/support/fuzz-targets.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    corpus: { type: 'string' },
    only: { type: 'string' },
  },
})
const longestMs = 5000
/** Longest real file to start from: larger ones only make the run slower. */
const longestSeedBytes = 1 << 20
const growthLimitBytes = 64 << 20

const reader = createDocumentReader()
const targets = fuzzTargets(reader, values.corpus === undefined ? {} : readCorpus(values.corpus)).filter(
  ({ name }) => values.only === undefined || name === values.only,
)
const shares = targets.reduce((sum, { share }) => sum + share, 0)
const folder = mkdtempSync(join(tmpdir(), 'labdesk-fuzz-'))
// An endless loop in this process would otherwise never be told.
const watchdog = startWatchdog()
watchdog.watch({ stallMs: 2 * longestMs, memoryBytes: 2 ** 31 })

const startedAt = performance.now()
let failures = 0
let before = 0
for (const target of targets) {
  const count = Math.round((Number(values.inputs) * target.share) / shares)
  const outcomes: FuzzOutcome[] = []
  for (let round = 0; round < count; round++) {
    watchdog.beat()
    writeFileSync(join(folder, 'current'), `${target.name} ${round}`)
    const outcome = await feed(target, { seed: values.seed, round })
    outcomes.push(outcome)
    // Once everything is loaded.
    if (before === 0 && outcomes.length === 50) before = heldBytes()
    if (outcome.kind === 'given up') console.log(`${target.name} ${round} was given up after ${seconds(outcome.ms)}`)
    if (outcome.kind === 'failed' || (outcome.ms > longestMs && outcome.kind !== 'given up'))
      tell(target.name, round, outcome)
  }
  report(target.name, outcomes)
}
watchdog.rest()
reader.close()
const growth = heldBytes() - before
const peak = Math.round(process.resourceUsage().maxRSS / 1024)
const took = seconds(performance.now() - startedAt)
console.log(`memory held grew by ${Math.round(growth / 2 ** 20)} MB, at most ${peak} MB were in use; ${took} in all`)
if (growth > growthLimitBytes) failures++
console.log(failures === 0 ? 'every input was taken or refused by name' : `${failures} FAILED; see ${folder}`)
process.exitCode = failures === 0 ? 0 : 1

/** What is in use after everything unreachable was thrown away. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function tell(name: string, round: number, outcome: FuzzOutcome): void {
  failures++
  const why = outcome.kind === 'failed' ? outcome.why : `it took ${seconds(outcome.ms)}`
  console.error(`${name} ${round}: ${why}`)
  if (outcome.kind === 'failed') writeFileSync(join(folder, `${name}-${round}`), outcome.bytes)
}

function report(name: string, outcomes: readonly FuzzOutcome[]): void {
  const count = (kind: FuzzOutcome['kind']) => outcomes.filter((outcome) => outcome.kind === kind).length
  const slowest = Math.max(0, ...outcomes.map(({ ms }) => ms))
  const parts = (['taken', 'refused', 'given up', 'failed'] as const).map((kind) => `${count(kind)} ${kind}`)
  console.log(`${name.padEnd(6)} ${outcomes.length} inputs: ${parts.join(', ')}; slowest ${seconds(slowest)}`)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

function readCorpus(from: string): FuzzCorpus {
  const corpus: FuzzCorpus = {}
  const add = (name: string, path: string) =>
    (corpus[name] = [...(corpus[name] ?? []), new Uint8Array(readFileSync(path))])
  for (const path of globSync('**/*.{yaml,jsonl,md,html,csv,docx,pdf,gguf}', { cwd: from }).map((one) =>
    join(from, one),
  )) {
    if (statSync(path).size > longestSeedBytes) continue
    const name = extname(path).slice(1)
    add(name, path)
    if (name === 'jsonl') add('exam', path)
  }
  return corpus
}
