// A new generation run: reads what there is to plan with, and shows the form, or what is missing.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { PlanForm } from './plan-form.tsx'

/** The form once everything is read. */
export function NewGeneration() {
  const { t } = useTranslation()
  const leaves = useRead('taxonomy.list', {})
  const models = useRead('model.list', {})
  const pipelines = useRead('pipeline.list', {})
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
              {({ length }) => (
                <Reading of={pipelines}>
                  {(pipelineList) => (
                    <PlanForm leaves={leafList} models={modelList} pipelines={pipelineList} runCount={length} />
                  )}
                </Reading>
              )}
            </Reading>
          )}
        </Reading>
      )}
    </Reading>
  )
}
