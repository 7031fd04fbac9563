// A new tuning: dataset, student and preset give a plan; the plan can then be edited and started.

import { Button, Select } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DatasetId, ModelId } from '../../../main/contract/ids.ts'
import { type PresetName, presetNames } from '../../../main/contract/tuning.ts'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { useLive, useRead } from '../../state/lab.ts'
import { newest } from '../../state/newest.ts'
import { goTo } from '../../state/route.ts'
import { PlanEditor } from './plan-editor.tsx'

/** The three choices, and the editor of the plan they give. */
export function NewTuning() {
  const { t } = useTranslation()
  const datasets = useRead('dataset.list', {})
  const models = useRead('model.list', {}).value ?? []
  const students = models.filter(({ unfit, isMissing }) => unfit.student === undefined && !isMissing)
  const [datasetChoice, setDataset] = useState<string | null>(null)
  const [studentChoice, setStudent] = useState<string | null>(null)
  const [preset, setPreset] = useState<PresetName>('workstation-full')
  const datasetId = (datasetChoice ?? newest(datasets.value)?.id ?? null) as DatasetId | null
  const usual = students.find(({ roles }) => roles.includes('student')) ?? students[0]
  const studentId = (studentChoice ?? usual?.id ?? null) as ModelId | null
  const plan = useRead('tuning.preset', datasetId && studentId ? { preset, datasetId, studentId } : null)
  return (
    <Reading
      of={datasets}
      empty={
        <EmptyNote title={t('datasets.emptyTitle')} text={t('tune.needsDataset')}>
          <Button onClick={() => goTo('datasets', 'freeze')}>{t('datasets.freeze')}</Button>
        </EmptyNote>
      }
    >
      {(list) => (
        <div className="stack">
          <TrainerNote />
          <div className="row-wrap">
            <Select
              w={230}
              label={t('tune.dataset')}
              value={datasetId}
              data={list.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={setDataset}
            />
            <Select
              w={230}
              label={t('tune.student')}
              placeholder={t('tune.noStudent')}
              value={studentId}
              data={students.map(({ id, name }) => ({ value: id, label: name }))}
              onChange={setStudent}
            />
            <Select
              w={230}
              label={t('tune.preset')}
              value={preset}
              data={presetNames.map((value) => ({ value, label: t(`tune.presets.${value}`) }))}
              onChange={(value) => setPreset(presetNames.find((name) => name === value) ?? preset)}
            />
          </div>
          {datasetId && studentId && (
            <Reading of={plan}>{(value) => <PlanEditor key={JSON.stringify(value)} preset={value} />}</Reading>
          )}
        </div>
      )}
    </Reading>
  )
}

/** Says so when the trainer cannot run on this machine. */
function TrainerNote() {
  const trainer = useLive(({ hardware }) => hardware?.trainer)
  if (!trainer || trainer.isReady) return null
  return (
    <div className="note bad-note" role="alert">
      <strong>{trainer.message}</strong>
      <div>{trainer.remedy}</div>
    </div>
  )
}
