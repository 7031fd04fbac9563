// How a demo run is set up: how many samples each leaf is to yield and how the demo student is tuned. Measured on the demo student;
// real students have their presets.

import type { LeafPath } from '../contract/ids.ts'
import type { PhasePlan } from '../contract/tuning.ts'
import { demoProject } from './project.ts'

/** Samples wanted of a leaf: about three for every fact of a document, a few dozen of every skill. Foundational leaves bring their own rows. */
export function demoQuotas(): { leaf: LeafPath; quota: number }[] {
  const { leaves, exams } = demoProject()
  return leaves.flatMap(({ path, dataset }) => {
    if (dataset.length > 0) return []
    const facts = exams
      .filter((exam) => exam.kind === 'closed-book')
      .flatMap((exam) => exam.questions.filter((question) => question.leaf === path))
    return [{ leaf: path as LeafPath, quota: facts.length > 0 ? facts.length * 3 : 40 }]
  })
}

/** The three phases of LAB for the demo student. Without replay each phase sees its own rows alone. */
export function demoTuningPhases({ hasReplay }: { hasReplay: boolean }): PhasePlan[] {
  const common = { batchRows: 32, warmupSteps: 10, schedule: 'constant' as const, contextTokens: 512 }
  return [
    {
      ...common,
      name: 'KT/1',
      branches: ['knowledge', 'foundational_skills'],
      responses: 'short',
      replayShare: 0,
      epochs: 10,
      learningRate: 2e-4,
    },
    {
      ...common,
      name: 'KT/2',
      branches: ['knowledge', 'foundational_skills'],
      responses: 'long',
      replayShare: hasReplay ? 0.4 : 0,
      epochs: 10,
      learningRate: 2e-4,
    },
    {
      ...common,
      name: 'ST',
      branches: ['compositional_skills'],
      responses: 'all',
      replayShare: hasReplay ? 0.6 : 0,
      epochs: 16,
      learningRate: 2e-4,
    },
  ]
}
