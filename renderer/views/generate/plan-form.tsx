// The form of a generation plan: pipeline, models, thresholds, time, and the quota of every leaf. Starts a run, or a preview of it.

import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MethodInput } from '../../../main/contract/api.ts'
import type { LeafPath, ModelId } from '../../../main/contract/ids.ts'
import type { Model } from '../../../main/contract/models.ts'
import type { PipelineSummary } from '../../../main/contract/pipelines.ts'
import type { LeafSummary } from '../../../main/contract/taxonomy.ts'
import { ErrorNote } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { useAct } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { PlanModels, PlanNumbers, type Wish } from './plan-fields.tsx'
import { QuotaTable, type Quotas } from './quota-table.tsx'

const usualQuota = 50
/** Attempts of each leaf in a preview. */
const previewed = 3

/** Leaves the pipeline can write for: foundational leaves bring their own rows, or are mined where there is a chain for it. */
function abilityOf({ chains }: Pick<PipelineSummary, 'chains'>): (leaf: LeafSummary) => boolean {
  return (leaf) => {
    if (leaf.branch === 'foundational_skills' && leaf.datasetRowCount > 0) return false
    if (leaf.branch === 'knowledge') return leaf.seedCount > 0 && leaf.documentCount > 0
    return leaf.seedCount > 0 || (leaf.branch === 'foundational_skills' && chains.includes('mined'))
  }
}

interface PlanFormProps {
  leaves: readonly LeafSummary[]
  models: readonly Model[]
  pipelines: readonly PipelineSummary[]
  /** Runs there are already; with the seed of one of them a new run would only repeat it. */
  runCount: number
}

/** Leaves that cannot be generated for say why. */
export function PlanForm({ leaves, models, pipelines, runCount }: PlanFormProps) {
  const { t } = useTranslation()
  const speaking = models.filter(({ unfit, isMissing }) => unfit.teacher === undefined && !isMissing)
  const assigned = (role: 'teacher' | 'student') => models.find(({ roles }) => roles.includes(role))?.id ?? null
  const [wish, setWish] = useState<Wish>({
    pipeline: 'lab',
    teacherId: speaking.find(({ id }) => id === assigned('teacher'))?.id ?? speaking[0]?.id ?? null,
    judgeId: null,
    studentId: assigned('student'),
    minutes: '',
    seed: 1 + runCount,
    parallel: 16,
    minPairGrade: 2,
    nearDuplicateRougeL: 0.7,
  })
  const pipeline = pipelines.find(({ name }) => name === wish.pipeline)
  const canGenerate = abilityOf(pipeline ?? { chains: [] })
  const [quotas, setQuotas] = useState<Quotas>(() =>
    Object.fromEntries(leaves.filter(canGenerate).map(({ path }) => [path, usualQuota])),
  )
  const start = useAct('generation.start', { isQuiet: true })
  const able = new Set(leaves.filter(canGenerate).map(({ path }) => path as string))
  const chosen = Object.entries(quotas).filter(([path, quota]) => quota > 0 && able.has(path))
  const total = chosen.reduce((sum, [, quota]) => sum + quota, 0)
  const change = (part: Partial<Wish>) => setWish((before) => ({ ...before, ...part }))
  async function submit(isPreview: boolean): Promise<void> {
    const plan = planOf(wish, chosen)
    const asked = isPreview
      ? { ...plan, leaves: plan.leaves.map(({ leaf }) => ({ leaf, quota: previewed })), maxAttemptsFactor: 1 }
      : plan
    const started = await start.run(asked)
    if (started) goTo('generate', started.generationId)
  }
  return (
    <div className="stack">
      <PlanModels wish={wish} models={models} speaking={speaking} pipelines={pipelines} onChange={change} />
      {pipeline && <p className="dim readable">{pipeline.description}</p>}
      <PlanNumbers wish={wish} onChange={change} />
      {speaking.length === 0 && (
        <div className="note warn-note">
          {t('generate.noTeacherText')}{' '}
          <Button size="compact-xs" variant="default" onClick={() => goTo('models', 'add')}>
            {t('models.add')}
          </Button>
        </div>
      )}
      {start.error && <ErrorNote error={start.error} />}
      <div className="row">
        <Button
          onClick={() => void submit(false)}
          loading={start.isRunning}
          disabled={!wish.teacherId || chosen.length === 0}
        >
          {t('generate.start')}
        </Button>
        <Button
          variant="default"
          onClick={() => void submit(true)}
          disabled={!wish.teacherId || chosen.length === 0 || start.isRunning}
        >
          {t('generate.preview', { count: previewed })}
        </Button>
        <span className="dim">{t('generate.planned', { count: chosen.length, samples: formatCount(total) })}</span>
      </div>
      <Section title={t('generate.leaves')}>
        <QuotaTable leaves={leaves} canGenerate={canGenerate} quotas={quotas} onChange={setQuotas} />
      </Section>
    </div>
  )
}

function planOf(wish: Wish, chosen: readonly [string, number][]): MethodInput<'generation.start'> {
  return {
    teacherId: wish.teacherId as ModelId,
    ...(wish.judgeId && { judgeId: wish.judgeId as ModelId }),
    ...(wish.studentId && { studentId: wish.studentId as ModelId }),
    ...(wish.minutes !== '' && { timeBudgetMinutes: wish.minutes }),
    pipeline: wish.pipeline,
    leaves: chosen.map(([leaf, quota]) => ({ leaf: leaf as LeafPath, quota })),
    seed: wish.seed,
    parallel: wish.parallel,
    thresholds: { minPairGrade: wish.minPairGrade, nearDuplicateRougeL: wish.nearDuplicateRougeL },
  }
}
