// Plans a generation run: which leaves with how many accepted samples each, the teacher, the seed, how many at once.

import { Button, NumberInput, Select } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath, ModelId } from '../../../main/contract/ids.ts'
import type { Model } from '../../../main/contract/models.ts'
import type { LeafSummary } from '../../../main/contract/taxonomy.ts'
import { EmptyNote, ErrorNote, Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { QuotaTable, type Quotas } from './quota-table.tsx'

const usualQuota = 50

/** The form; leaves that cannot be generated for say why. */
export function NewGeneration() {
  const { t } = useTranslation()
  const leaves = useRead('taxonomy.list', {})
  const models = useRead('model.list', {})
  const runs = useRead('generation.list', {})
  const toTaxonomy = (
    <EmptyNote title={t('taxonomy.emptyTitle')} text={t('taxonomy.emptyText')}>
      <Button onClick={() => goTo('taxonomy', 'import')}>{t('taxonomy.import')}</Button>
    </EmptyNote>
  )
  return (
    <Reading of={models}>
      {(modelList) => (
        <Reading of={leaves} empty={toTaxonomy}>
          {(leafList) => (
            <Reading of={runs}>
              {({ length }) => <PlanForm leaves={leafList} models={modelList} runCount={length} />}
            </Reading>
          )}
        </Reading>
      )}
    </Reading>
  )
}

/** Leaves the teacher can write for: foundational leaves bring their own rows. */
function canGenerate(leaf: LeafSummary): boolean {
  const isGenerated = leaf.branch !== 'foundational_skills' || leaf.datasetRowCount === 0
  return isGenerated && leaf.seedCount > 0 && (leaf.branch !== 'knowledge' || leaf.documentCount > 0)
}

interface PlanFormProps {
  leaves: readonly LeafSummary[]
  models: readonly Model[]
  /** Runs there are already; with the seed of one of them a new run would only repeat it. */
  runCount: number
}

function PlanForm({ leaves, models, runCount }: PlanFormProps) {
  const { t } = useTranslation()
  const able = leaves.filter(canGenerate)
  const teachers = models.filter(({ unfit, isMissing }) => unfit.teacher === undefined && !isMissing)
  const assigned = teachers.find(({ roles }) => roles.includes('teacher')) ?? teachers[0]
  const [teacherId, setTeacherId] = useState<string | null>(assigned?.id ?? null)
  const [quotas, setQuotas] = useState<Quotas>(() => Object.fromEntries(able.map(({ path }) => [path, usualQuota])))
  const [run, setRun] = useState({ seed: 1 + runCount, parallel: 16, minPairGrade: 2, nearDuplicateRougeL: 0.7 })
  const start = useAct('generation.start', { isQuiet: true })
  const chosen = Object.entries(quotas).filter(([, quota]) => quota > 0)
  const total = chosen.reduce((sum, [, quota]) => sum + quota, 0)
  async function submit(): Promise<void> {
    const started = await start.run({
      teacherId: teacherId as ModelId,
      leaves: chosen.map(([leaf, quota]) => ({ leaf: leaf as LeafPath, quota })),
      seed: run.seed,
      parallel: run.parallel,
      thresholds: { minPairGrade: run.minPairGrade, nearDuplicateRougeL: run.nearDuplicateRougeL },
    })
    if (started) goTo('generate', started.generationId)
  }
  const number = (name: keyof typeof run, limits: { min: number; max: number; step?: number }) => (
    <NumberInput
      w={150}
      label={t(`generate.${name}`)}
      description={undefined}
      value={run[name]}
      {...limits}
      onChange={(value) => setRun((before) => ({ ...before, [name]: Number(value) || limits.min }))}
    />
  )
  return (
    <div className="stack">
      <div className="row-wrap">
        <Select
          w={260}
          label={t('generate.teacher')}
          placeholder={t('generate.noTeacher')}
          value={teacherId}
          data={teachers.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={setTeacherId}
        />
        {number('seed', { min: 0, max: 2 ** 31 })}
        {number('parallel', { min: 1, max: 128 })}
        {number('minPairGrade', { min: 1, max: 3 })}
        {number('nearDuplicateRougeL', { min: 0, max: 1, step: 0.05 })}
      </div>
      {teachers.length === 0 && (
        <div className="note warn-note">
          {t('generate.noTeacherText')}{' '}
          <Button size="compact-xs" variant="default" onClick={() => goTo('models', 'add')}>
            {t('models.add')}
          </Button>
        </div>
      )}
      {start.error && <ErrorNote error={start.error} />}
      <div className="row">
        <Button onClick={() => void submit()} loading={start.isRunning} disabled={!teacherId || chosen.length === 0}>
          {t('generate.start')}
        </Button>
        <span className="dim">{t('generate.planned', { count: chosen.length, samples: formatCount(total) })}</span>
      </div>
      <Section title={t('generate.leaves')}>
        <QuotaTable leaves={leaves} canGenerate={canGenerate} quotas={quotas} onChange={setQuotas} />
      </Section>
    </div>
  )
}
