// A host process of its own that carries the test tuning to its end: starts it in a fresh folder, resumes it in a used one. Made to be
// killed at any moment. Usage: node tuning-child.ts <dataDir>

import { createLlamaHost } from '../../main/compute/llama.ts'
import { createTestEngine } from './test-engine.ts'
import { openTuningLab, planOf } from './tuning-lab.ts'

const dataDir = process.argv[2] ?? ''
const engine = await startOrResume()
for (;;) {
  const [job] = await engine.call('job.list', {})
  if (!job) throw new Error('the job is gone')
  if (job.state !== 'running' && job.state !== 'queued') {
    process.stdout.write(`${job.state} ${job.error?.message ?? ''}\n`)
    break
  }
  await new Promise((resolve) => setTimeout(resolve, 20))
}
await engine.close()

async function startOrResume() {
  const known = await createTestEngine({ dataDir, llama: createLlamaHost() })
  const [job] = await known.call('job.list', {})
  if (job) {
    if (job.state !== 'done') await known.call('job.resume', { jobId: job.id })
    return known
  }
  await known.close()
  const lab = await openTuningLab({ dataDir })
  await lab.engine.call('tuning.start', planOf(lab, { examIds: [lab.exams.choice.id, lab.exams.skill.id] }))
  return lab.engine
}
