// The projects on this machine; each is one folder.

import { Button, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ProjectSummary } from '../../../main/contract/workspace.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { Reading } from '../../components/reading.tsx'
import { formatWhen } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'

/** Open one, or begin a new one. */
export function ProjectsPage() {
  const { t } = useTranslation()
  const projects = useRead('project.list', {})
  const [name, setName] = useState('')
  const create = useAct('project.create')
  const open = useAct('project.open')
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const project = await create.run({ name: name.trim() })
    if (!project) return
    setName('')
    if (!project.isOpen) await open.run({ id: project.id })
  }
  const columns: Column<ProjectSummary>[] = [
    { key: 'name', title: t('models.name'), render: (project) => <strong>{project.name}</strong> },
    { key: 'folder', title: t('tune.folder'), render: ({ folder }) => <span className="mono">{folder}</span> },
    { key: 'created', title: t('datasets.created'), render: ({ createdAtMs }) => formatWhen(createdAtMs) },
    {
      key: 'open',
      title: t('settings.state'),
      render: ({ id, isOpen }) =>
        isOpen ? (
          <span className="tag good">{t('settings.isOpen')}</span>
        ) : (
          <Button size="compact-xs" variant="default" loading={open.isRunning} onClick={() => void open.run({ id })}>
            {t('settings.open')}
          </Button>
        ),
    },
  ]
  return (
    <div className="stack">
      <form className="row-wrap" onSubmit={(event) => void submit(event)}>
        <TextInput
          w={280}
          label={t('settings.projectName')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" loading={create.isRunning} disabled={name.trim() === ''}>
          {t('settings.createProject')}
        </Button>
      </form>
      <Reading of={projects}>
        {(list) => <Grid label={t('settings.projects')} columns={columns} rows={list} keyOf={({ id }) => id} />}
      </Reading>
    </div>
  )
}
