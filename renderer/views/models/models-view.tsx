// Models: the GGUF files the project knows, the roles they play, and why one cannot.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Model } from '../../../main/contract/models.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { formatBytes, formatCount, formatParameters } from '../../format.ts'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { AddModelDialog } from './add-model-dialog.tsx'
import { ModelDetail } from './model-detail.tsx'
import { ModelRoles } from './model-roles.tsx'
import { ScanDialog } from './scan-dialog.tsx'

/** The table, and the details of the one that is open. */
export function ModelsView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const models = useRead('model.list', {})
  const close = () => goTo('models')
  const buttons = (
    <>
      <Button onClick={() => goTo('models', 'add')}>{t('models.add')}</Button>
      <Button variant="default" onClick={() => goTo('models', 'scan')}>
        {t('models.scan')}
      </Button>
    </>
  )
  const opened = models.value?.find(({ id }) => id === subject)
  return (
    <Screen name="models" actions={buttons}>
      <p className="hush dim" style={{ marginBottom: 10 }}>
        {t('models.intro')}
      </p>
      <Reading
        of={models}
        empty={
          <EmptyNote title={t('models.emptyTitle')} text={t('models.emptyText')}>
            {buttons}
          </EmptyNote>
        }
      >
        {(list) => <ModelTable models={list} opened={subject} />}
      </Reading>
      {opened && <ModelDetail model={opened} />}
      <AddModelDialog isOpen={subject === 'add'} onClose={close} />
      <ScanDialog isOpen={subject === 'scan'} onClose={close} />
    </Screen>
  )
}

function ModelTable({ models, opened }: { models: readonly Model[]; opened: string }) {
  const { t } = useTranslation()
  const columns: Column<Model>[] = [
    { key: 'name', title: t('models.name'), render: (model) => <ModelName model={model} /> },
    { key: 'roles', title: t('models.roles'), render: (model) => <ModelRoles model={model} /> },
    { key: 'architecture', title: t('models.architecture'), render: ({ architecture }) => architecture },
    {
      key: 'parameters',
      title: t('models.parameters'),
      isNumeric: true,
      render: (model) => formatParameters(model.parameterCount),
    },
    { key: 'type', title: t('models.type'), render: ({ fileType }) => fileType },
    { key: 'size', title: t('models.size'), isNumeric: true, render: ({ sizeBytes }) => formatBytes(sizeBytes) },
    {
      key: 'context',
      title: t('models.context'),
      isNumeric: true,
      render: ({ contextLength }) => formatCount(contextLength),
    },
    {
      key: 'licence',
      title: t('models.licence'),
      render: ({ licence }) => licence || <span className="dim">{t('models.noLicence')}</span>,
    },
  ]
  return (
    <Grid
      label={t('screens.models')}
      columns={columns}
      rows={models}
      keyOf={({ id }) => id}
      selectedKey={opened}
      onOpen={({ id }) => goTo('models', id)}
    />
  )
}

function ModelName({ model }: { model: Model }) {
  const { t } = useTranslation()
  return (
    <span className="row">
      <strong style={{ minWidth: 110 }}>{model.name}</strong>
      {model.isDemo && (
        <span className="tag" title={t('models.demoHint')}>
          {t('models.demo')}
        </span>
      )}
      {model.origin && <span className="tag accent">{t('models.tuned')}</span>}
      {model.isMissing && <span className="tag bad">{t('models.missing')}</span>}
    </span>
  )
}
