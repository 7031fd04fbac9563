// A process with a real engine, a real llama worker and a random model that fills two leaves in the data folder given as its argument,
// or goes on filling them. Says `worker <pid>` and `done`, and writes what it asks into calls.log there. Made to be killed, and so is its
// worker. Arguments: folder, and the quotas of the skill leaf and the knowledge leaf.

import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LeafPath } from '../../main/contract/ids.ts'
import { createLlamaHost } from '../../main/compute/llama.ts'
import type { LlamaHost } from '../../main/compute/llama-protocol.ts'
import { createTestEngine } from './test-engine.ts'
import { writeTinyGguf } from './tiny-gguf.ts'

const dataDir = process.argv[2] ?? ''
const modelPath = join(dataDir, 'tiny.gguf')
if (!existsSync(modelPath))
  writeTinyGguf(modelPath, { contextLength: 1024, metadata: { 'labdesk.prompt_pack': 'compact' } })
const [skillQuota = 40, knowledgeQuota = 8] = process.argv.slice(3).map(Number)
const llama = logged(createLlamaHost())
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

/** The host, with a line for every call it answered: what was asked for, told apart by the seed. */
function logged(host: LlamaHost): LlamaHost {
  const openSession: LlamaHost['openSession'] = async (request) => {
    const session = await host.openSession(request)
    const { complete } = session
    session.complete = async (asked, options) => {
      appendFileSync(join(dataDir, 'calls.log'), `${asked.seed} ${asked.prompt.length}\n`)
      return complete.call(session, asked, options)
    }
    return session
  }
  return {
    openSession,
    openEmbedder: (request) => host.openEmbedder(request),
    close: () => host.close(),
    get pid() {
      return host.pid
    },
  }
}

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
      { leaf: verses, quota: skillQuota },
      { leaf: birds, quota: knowledgeQuota },
    ],
    parallel: 4,
    seed: 11,
  })
  return jobId
}
