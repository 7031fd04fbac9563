// npm run bench:blocks: what each block of the lab pipeline is worth, by leaving it out. On the demo's world, where an oracle knows the
// truth of every sample: accepted samples, how many are true, how many nearly repeat another, quotas met, calls and time.
// Usage: node scripts/bench-blocks.ts [--threads n] [--only name,name] [--json file]

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { GenerationRun } from '../main/contract/generation.ts'
import type { Pipeline, PipelineBlock } from '../main/contract/pipelines.ts'
import { demoQuotas } from '../main/demo/plan.ts'
import { demoOracle } from '../main/demo/sample-truth.ts'
import { createDuplicateScreen } from '../main/domain/duplicate-screen.ts'
import { readPipeline } from '../main/domain/pipeline.ts'
import { createEngine, type Engine } from '../main/engine.ts'

const { values } = parseArgs({
  options: {
    threads: { type: 'string', default: '2' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
})

interface Variant {
  name: string
  change: (block: PipelineBlock) => PipelineBlock | null
}
const without = (use: PipelineBlock['use']): Variant => ({
  name: `without ${use}`,
  change: (block) => (block.use === use ? null : block),
})
const variants: Variant[] = [
  { name: 'lab', change: (block) => block },
  without('faithful'),
  without('relevant'),
  without('self-contained'),
  without('question-fit'),
  without('pair-grade'),
  without('new'),
  without('unseen'),
  {
    name: 'no judge at all',
    change: (block) => (['new', 'unseen'].includes(block.use) || !('by' in block || isJudge(block)) ? block : null),
  },
  { name: 'three votes', change: (block) => (isJudge(block) ? ({ ...block, votes: 3 } as PipelineBlock) : block) },
  { name: 'best of three', change: (block) => (block.use === 'answer' ? { ...block, bestOf: 3 } : block) },
]

function isJudge({ use }: PipelineBlock): boolean {
  return ['faithful', 'relevant', 'self-contained', 'question-fit', 'pair-grade'].includes(use)
}

/** What a run came to. */
interface Outcome {
  name: string
  accepted: number
  attempted: number
  /** Of those the oracle can read. */
  trueShare: number
  wrong: number
  nearDuplicates: number
  /** Leaves that reached nine tenths of their quota, and those that did not but say why. */
  leavesMet: number
  leavesExplained: number
  leaves: number
  calls: number
  parseFailures: number
  seconds: number
}

async function measure(variant: Variant, lab: Pipeline): Promise<Outcome> {
  const dataDir = mkdtempSync(join(tmpdir(), 'labdesk-bench-blocks-'))
  const engine = await createEngine({ dataDir, host: 'cli' })
  try {
    await engine.call('settings.set', { threads: Number(values.threads), gpu: 'off' })
    const chains = Object.fromEntries(
      Object.entries(lab.chains).map(([kind, blocks]) => [
        kind,
        blocks.flatMap((block) => variant.change(block) ?? []),
      ]),
    )
    await engine.call('pipeline.save', { text: JSON.stringify({ version: 1, name: 'variant', chains }) })
    const teacher = (await engine.call('model.list', {})).find(({ roles }) => roles.includes('teacher'))
    if (!teacher) throw new Error('the demo project has no teacher')
    const startedAtMs = performance.now()
    const { generationId, jobId } = await engine.call('generation.start', {
      teacherId: teacher.id,
      pipeline: 'variant',
      leaves: demoQuotas(),
      seed: 1,
    })
    const job = await settled(engine, jobId)
    if (job !== 'done') throw new Error(`${variant.name} ended as ${job}`)
    const seconds = (performance.now() - startedAtMs) / 1000
    return {
      name: variant.name,
      ...(await judge(engine, await engine.call('generation.get', { generationId }))),
      seconds,
    }
  } finally {
    await engine.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function settled(engine: Engine, jobId: Parameters<typeof engine.call<'job.get'>>[1]['jobId']): Promise<string> {
  for (;;) {
    const { state } = await engine.call('job.get', { jobId })
    if (state !== 'queued' && state !== 'running') return state
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function judge(engine: Engine, run: GenerationRun): Promise<Omit<Outcome, 'name' | 'seconds'>> {
  const oracle = demoOracle()
  const screen = createDuplicateScreen(0.7)
  const counts = { true: 0, false: 0, unknown: 0 }
  let nearDuplicates = 0
  let accepted = 0
  for (let offset = 0; ; offset += 500) {
    const { rows, total } = await engine.call('sample.list', { filter: { status: 'accepted' }, offset, limit: 500 })
    for (const sample of rows) {
      accepted += 1
      counts[oracle(sample)] += 1
      const text = { ...sample, source: sample.chunkId ?? '' }
      if (screen.findExact(text) ?? screen.findNear(text)) nearDuplicates += 1
      else screen.keep(sample.id, text)
    }
    if (offset + 500 >= total) break
  }
  const met = run.funnel.filter(({ accepted: made, quota }) => made >= 0.9 * quota)
  return {
    accepted,
    attempted: run.funnel.reduce((sum, { attempted }) => sum + attempted, 0),
    trueShare: counts.true / Math.max(1, counts.true + counts.false),
    wrong: counts.false,
    nearDuplicates,
    leavesMet: met.length,
    leavesExplained: run.funnel.filter((leaf) => !met.includes(leaf) && leaf.shortfall !== null).length,
    leaves: run.funnel.length,
    calls: run.callCount,
    parseFailures: run.parseFailureCount,
  }
}

const root = join(import.meta.dirname, '..')
const { pipeline } = readPipeline(readFileSync(join(root, 'main/presets/pipelines/lab.yaml'), 'utf8'))
if (!pipeline) throw new Error('the preset "lab" cannot be read')
const only = values.only?.split(',')
const outcomes: Outcome[] = []
console.log(
  '| pipeline | accepted | attempted | true | wrong | near duplicates | quotas met | calls | form | seconds |',
)
console.log('|---|---|---|---|---|---|---|---|---|---|')
for (const variant of variants.filter(({ name }) => !only || only.includes(name))) {
  const outcome = await measure(variant, pipeline)
  outcomes.push(outcome)
  const { name, accepted, attempted, trueShare, wrong, nearDuplicates, leavesMet, leavesExplained, leaves } = outcome
  const quotas = `${leavesMet} of ${leaves}${leavesExplained > 0 ? `, ${leavesExplained} explained` : ''}`
  console.log(
    `| ${name} | ${accepted} | ${attempted} | ${(100 * trueShare).toFixed(1)} % | ${wrong} | ${nearDuplicates} | ${quotas} | ${outcome.calls} | ${outcome.parseFailures} | ${outcome.seconds.toFixed(0)} |`,
  )
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(outcomes, null, 1)}\n`)
