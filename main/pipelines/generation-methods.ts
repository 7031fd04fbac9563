// generation.* and prompt.*: starts runs, shows them with their funnels, moves their thresholds, shows the prompts they use.

import type { GenerationId } from '../contract/ids.ts'
import { agreementOf, kappaOf } from '../domain/agreement.ts'
import {
  findGeneration,
  findPlan,
  listGenerations,
  listLatestCandidates,
  setGenerationJob,
} from '../store/generation.ts'
import { readRunReport } from '../store/held-out.ts'
import { listConfusions } from '../store/judgements.ts'
import type { Database } from '../store/open.ts'
import { runWords } from './decontamination.ts'
import { createGeneration, noGeneration } from './generate-plan.ts'
import { applyThresholds, thresholdEffects } from './generation-thresholds.ts'
import type { Handlers, Lab } from './lab.ts'
import { listPrompts } from './prompt-packs.ts'
import { previewPrompt } from './prompt-preview.ts'

type GenerationMethods =
  | 'generation.start'
  | 'generation.list'
  | 'generation.get'
  | 'generation.latest'
  | 'generation.thresholds'
  | 'generation.applyThresholds'
  | 'generation.decontamination'
  | 'generation.agreement'
  | 'prompt.preview'
  | 'prompt.list'

export function generationMethods(lab: Lab): Handlers<GenerationMethods> {
  const required = <Run>(id: GenerationId, find: (db: Database, id: GenerationId) => Run | undefined): Run => {
    const run = find(lab.project().db, id)
    if (run) return run
    throw noGeneration(id)
  }
  return {
    'generation.start': (plan) => {
      const generationId = createGeneration(lab, plan)
      const quota = plan.leaves.reduce((sum, leaf) => sum + leaf.quota, 0)
      const what = plan.leaves.length === 1 ? plan.leaves[0]?.leaf : `${plan.leaves.length} leaves`
      const job = lab.jobs.start({
        kind: 'generate',
        title: `Generate ${quota} samples for ${what}`,
        subject: generationId,
      })
      setGenerationJob(lab.project().db, generationId, job.id)
      return { generationId, jobId: job.id }
    },
    'generation.list': () => listGenerations(lab.project().db),
    'generation.get': ({ generationId }) => required(generationId, findGeneration),
    'generation.latest': ({ generationId, limit }) =>
      listLatestCandidates(lab.project().db, required(generationId, findPlan).id, limit),
    'generation.thresholds': (wish) => thresholdEffects(lab, required(wish.generationId, findPlan), wish.thresholds),
    'generation.applyThresholds': (wish) =>
      applyThresholds(lab, required(wish.generationId, findPlan), wish.thresholds),
    'generation.decontamination': ({ generationId }) =>
      readRunReport(lab.project().db, required(generationId, findPlan).id, runWords),
    'generation.agreement': () =>
      listConfusions(lab.project().db).map((counts) => ({
        ...counts,
        agreement: agreementOf(counts),
        kappa: kappaOf(counts),
      })),
    'prompt.preview': (wish) => previewPrompt(lab, wish),
    'prompt.list': () => listPrompts(lab.resources.promptsDir),
  }
}
