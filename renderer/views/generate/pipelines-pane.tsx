// The pipelines runs may follow: presets to read and start from, and the user's own, checked while they are written.

import { Button, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { PipelineProblem, PipelineSummary } from '../../../main/contract/pipelines.ts'
import { ask } from '../../components/ask.tsx'
import { type Column, Grid } from '../../components/grid.tsx'
import { ProblemList } from '../../components/problem-list.tsx'
import { Reading } from '../../components/reading.tsx'
import { useAct, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'

/** The list, and the text of the one chosen. */
export function PipelinesPane() {
  const pipelines = useRead('pipeline.list', {})
  return <Reading of={pipelines}>{(list) => <Chosen pipelines={list} />}</Reading>
}

function Chosen({ pipelines }: { pipelines: readonly PipelineSummary[] }) {
  const { t } = useTranslation()
  const [name, setName] = useState(pipelines[0]?.name ?? '')
  const shown = pipelines.find((pipeline) => pipeline.name === name) ?? pipelines[0]
  const columns: Column<PipelineSummary>[] = [
    { key: 'name', title: t('pipelines.name'), render: (pipeline) => <strong>{pipeline.name}</strong> },
    {
      key: 'kind',
      title: t('pipelines.kind'),
      render: ({ isPreset }) => t(isPreset ? 'pipelines.preset' : 'pipelines.own'),
    },
    {
      key: 'chains',
      title: t('pipelines.chains'),
      render: ({ chains }) => chains.map((chain) => t(`pipelines.chain.${chain}`)).join(' · '),
    },
  ]
  return (
    <div className="stack" data-testid="pipelines">
      <Grid
        label={t('pipelines.title')}
        columns={columns}
        rows={pipelines}
        keyOf={(pipeline) => pipeline.name}
        selectedKey={shown?.name}
        onOpen={(pipeline) => setName(pipeline.name)}
      />
      {shown && <Editor key={shown.name} pipeline={shown} onSaved={setName} />}
    </div>
  )
}

interface EditorProps {
  pipeline: PipelineSummary
  onSaved(name: string): void
}

function Editor({ pipeline, onSaved }: EditorProps) {
  const { t } = useTranslation()
  const [text, setText] = useState(pipeline.text)
  const [resting] = useDebouncedValue(text, 300)
  const problems: readonly PipelineProblem[] = useRead('pipeline.check', { text: resting }).value ?? []
  const save = useAct('pipeline.save')
  const remove = useAct('pipeline.remove')
  const isBroken = problems.some(({ severity }) => severity === 'error')
  async function submit(): Promise<void> {
    const saved = await save.run({ text })
    if (!saved) return
    showDone(t('pipelines.saved', { name: saved.name }))
    onSaved(saved.name)
  }
  return (
    <div className="stack">
      <p className="dim readable">{pipeline.description}</p>
      <Textarea
        label={t('pipelines.text')}
        description={pipeline.isPreset ? t('pipelines.presetText') : undefined}
        classNames={{ input: 'mono' }}
        autosize
        minRows={14}
        maxRows={30}
        spellCheck={false}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <ProblemList problems={problems} />
      <div className="row">
        <Button
          onClick={() => void submit()}
          loading={save.isRunning}
          disabled={isBroken || resting !== text || text === pipeline.text}
        >
          {t('pipelines.save')}
        </Button>
        {text !== pipeline.text && (
          <Button variant="default" onClick={() => setText(pipeline.text)}>
            {t('pipelines.revert')}
          </Button>
        )}
        {!pipeline.isPreset && (
          <Button
            variant="default"
            loading={remove.isRunning}
            onClick={() =>
              ask({
                title: t('pipelines.removeTitle', { name: pipeline.name }),
                text: t('pipelines.removeText'),
                yes: t('pipelines.remove'),
                onYes: () => void remove.run({ name: pipeline.name }),
              })
            }
          >
            {t('pipelines.remove')}
          </Button>
        )}
      </div>
    </div>
  )
}
