// A process with a real engine, a real llama worker and a random model that fills two leaves in the data folder given as its argument,
// or goes on filling them. Says `worker <pid>` and `done`. Made to be killed, and so is its worker.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LeafPath } from '../../main/contract/ids.ts'
import { createLlamaHost } from '../../main/compute/llama.ts'
import { createTestEngine } from './test-engine.ts'
import { writeTinyGguf } from './tiny-gguf.ts'

const dataDir = process.argv[2] ?? ''
const modelPath = join(dataDir, 'tiny.gguf')
if (!existsSync(modelPath))
  writeTinyGguf(modelPath, { contextLength: 1024, metadata: { 'labdesk.prompt_pack': 'compact' } })
const llama = createLlamaHost()
const engine = await createTestEngine({ dataDir, llama })
await engine.call('settings.set', { threads: 1, gpu: 'off' })

let lastPid: number | null = null
setInterval(() => {
  if (llama.pid !== lastPid && llama.pid !== null) console.log(`worker ${llama.pid}`)
  lastPid = llama.pid
}, 5)

const known = (await engine.call('job.list', {})).find((job) => job.kind === 'generate')
const job = known ? await resume(known.id) : await start()
const ended = await engine.settled(job)
console.log(ended.state === 'done' ? 'done' : `ended ${ended.state} ${ended.error?.message ?? ''}`)
await engine.close()
process.exit(0)

async function resume(jobId: NonNullable<typeof known>['id']) {
  if (known?.state !== 'done') await engine.call('job.resume', { jobId })
  return jobId
}

async function start() {
  const teacher = await engine.call('model.add', { path: modelPath })
  const verses = 'compositional_skills/writing/verses' as LeafPath
  const birds = 'knowledge/nature/birds' as LeafPath
  const seeds = [1, 2, 3, 4, 5].map((number) => ({ question: `Write ${number}.`, answer: `Line ${number}.` }))
  await engine.call('taxonomy.save', { path: verses, branch: 'compositional_skills', taskDescription: 'Write.', seeds })
  const grounded = seeds.map((seed) => ({ ...seed, context: 'The wren sings.' }))
  await engine.call('taxonomy.save', {
    path: birds,
    branch: 'knowledge',
    domain: 'birds',
    documentOutline: 'o',
    seeds: grounded,
  })
  await engine.call('document.add', { leaf: birds, name: 'birds.md', text: 'The wren sings at dawn. It is brown.' })
  const { jobId } = await engine.call('generation.start', {
    teacherId: teacher.id,
    leaves: [
      { leaf: verses, quota: 40 },
      { leaf: birds, quota: 8 },
    ],
    parallel: 4,
    seed: 11,
  })
  return jobId
}
