// Writes a checkpoint as a GGUF: the whole model, or only its LoRA adapter.

import { Button, Select } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MethodInput } from '../../../main/contract/api.ts'
import type { CheckpointId, TuningId } from '../../../main/contract/ids.ts'
import type { Model } from '../../../main/contract/models.ts'
import { type Checkpoint, exportTypes, type TuningRun } from '../../../main/contract/tuning.ts'
import { PathField } from '../../components/path-field.tsx'
import { EmptyNote, ErrorNote, Reading } from '../../components/reading.tsx'
import { formatBytes, formatWhen } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'

type Request = MethodInput<'tuning.export'>

/** Run, checkpoint, form, type, path. */
export function ModelExport({ tuningId }: { tuningId: string }) {
  const { t } = useTranslation()
  const runs = useRead('tuning.list', {})
  return (
    <Reading
      of={runs}
      empty={
        <EmptyNote title={t('tune.emptyTitle')} text={t('export.needsRun')}>
          <Button onClick={() => goTo('tune', 'new')}>{t('tune.new')}</Button>
        </EmptyNote>
      }
    >
      {(list) => <RunExport runs={list.toSorted((a, b) => b.createdAtMs - a.createdAtMs)} tuningId={tuningId} />}
    </Reading>
  )
}

function RunExport({ runs, tuningId }: { runs: readonly TuningRun[]; tuningId: string }) {
  const { t } = useTranslation()
  const run = runs.find(({ id }) => id === tuningId) ?? runs[0]
  const checkpoints = useRead('tuning.checkpoints', run ? { tuningId: run.id as TuningId } : null)
  if (!run) return null
  return (
    <div className="stack">
      <Select
        w={360}
        label={t('tune.run')}
        value={run.id}
        data={runs.map(({ id, plan, createdAtMs }) => ({
          value: id,
          label: `${plan.name} · ${formatWhen(createdAtMs)}`,
        }))}
        onChange={(id) => id && goTo('export', id)}
      />
      <Reading of={checkpoints} empty={<span className="dim">{t('tune.noCheckpoints')}</span>}>
        {(list) => <CheckpointExport key={run.id} checkpoints={list} run={run} />}
      </Reading>
    </div>
  )
}

function CheckpointExport({ checkpoints, run }: { checkpoints: readonly Checkpoint[]; run: TuningRun }) {
  const { t } = useTranslation()
  const usual = checkpoints.findLast(({ isBest }) => isBest) ?? checkpoints.at(-1)
  const [checkpointId, setCheckpointId] = useState<string | null>(usual?.id ?? null)
  const [what, setWhat] = useState<Request['what']>('model')
  const [type, setType] = useState<Request['type']>('f16')
  const [path, setPath] = useState('')
  const [made, setMade] = useState<Model | null>(null)
  const write = useAct('tuning.export', { isQuiet: true })
  const kinds: Request['what'][] = run.plan.mode === 'lora' ? ['model', 'adapter'] : ['model']
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setMade(null)
    setMade((await write.run({ checkpointId: checkpointId as CheckpointId, what, type, path: path.trim() })) ?? null)
  }
  return (
    <form className="stack narrow" onSubmit={(event) => void submit(event)}>
      <div className="row-wrap">
        <Select
          w={300}
          label={t('export.checkpoint')}
          value={checkpointId}
          data={checkpoints.map(({ id, phase, step, isBest }) => ({
            value: id,
            label: `${phase} · ${step}${isBest ? ` · ${t('tune.best')}` : ''}`,
          }))}
          onChange={setCheckpointId}
        />
        <Select
          w={190}
          label={t('export.what')}
          value={what}
          data={kinds.map((value) => ({ value, label: t(`export.whats.${value}`) }))}
          onChange={(value) => setWhat(value === 'adapter' ? 'adapter' : 'model')}
        />
        <Select
          w={130}
          label={t('export.type')}
          value={type}
          data={exportTypes.map((value) => ({ value, label: value.toUpperCase() }))}
          onChange={(value) => setType(exportTypes.find((one) => one === value) ?? type)}
        />
      </div>
      <PathField
        label={t('export.path')}
        kind="save"
        value={path}
        onChange={setPath}
        suggestedName={`${run.plan.name}-${type}.gguf`}
        placeholder="/home/me/tuned.gguf"
      />
      {run.plan.mode !== 'lora' && <span className="dim">{t('export.noAdapter')}</span>}
      {write.error && <ErrorNote error={write.error} />}
      {made && (
        <div className="note accent-note" role="status" data-testid="export-done">
          <strong>{t('export.done')}</strong>
          <span className="mono">{made.path}</span> ({formatBytes(made.sizeBytes)})
        </div>
      )}
      <Button
        type="submit"
        style={{ alignSelf: 'start' }}
        loading={write.isRunning}
        disabled={!checkpointId || path.trim() === ''}
      >
        {t('export.write')}
      </Button>
    </form>
  )
}
