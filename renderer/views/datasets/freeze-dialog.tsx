// Freezes the accepted samples into a dataset that never changes again.

import { Button, Checkbox, Modal, MultiSelect, NumberInput, TextInput } from '@mantine/core'
import { type FormEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { ErrorNote } from '../../components/reading.tsx'
import { formatCount } from '../../format.ts'
import { useAct, useRead } from '../../state/lab.ts'
import { showDone } from '../../state/notices.ts'
import { goTo } from '../../state/route.ts'

interface FreezeDialogProps {
  isOpen: boolean
  onClose: () => void
}

/** Name, leaves, validation share, seed. */
export function FreezeDialog({ isOpen, onClose }: FreezeDialogProps) {
  const { t } = useTranslation()
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={t('datasets.freeze')}
      size="lg"
      closeButtonProps={{ 'aria-label': t('close') }}
    >
      <FreezeForm />
    </Modal>
  )
}

function FreezeForm() {
  const { t } = useTranslation()
  const leaves = useRead('taxonomy.list', {}).value ?? []
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<string[]>([])
  const [validationPercent, setValidationPercent] = useState(5)
  const [seed, setSeed] = useState(1)
  const [decontaminate, setDecontaminate] = useState(true)
  const freeze = useAct('dataset.freeze', { isQuiet: true })
  const counted = leaves.filter(({ path }) => chosen.length === 0 || chosen.includes(path))
  const rows = counted.reduce((sum, leaf) => sum + leaf.acceptedCount + leaf.datasetRowCount, 0)
  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    const dataset = await freeze.run({
      name: name.trim(),
      validationShare: validationPercent / 100,
      seed,
      decontaminate,
      ...(chosen.length > 0 && { leaves: chosen as LeafPath[] }),
    })
    if (!dataset) return
    showDone(t('datasets.frozen', { name: dataset.name }))
    goTo('datasets', dataset.id)
  }
  return (
    <form className="stack" onSubmit={(event) => void submit(event)}>
      <span className="dim">{t('datasets.freezeText')}</span>
      <TextInput
        label={t('datasets.name')}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <MultiSelect
        size="xs"
        label={t('datasets.leaves')}
        placeholder={chosen.length === 0 ? t('datasets.allLeaves') : undefined}
        searchable
        limit={200}
        data={leaves.map(({ path }) => path)}
        value={chosen}
        onChange={setChosen}
      />
      <div className="row-wrap">
        <NumberInput
          label={t('datasets.validationShare')}
          w={170}
          min={0}
          max={50}
          suffix=" %"
          value={validationPercent}
          onChange={(value) => setValidationPercent(Number(value) || 0)}
        />
        <NumberInput
          label={t('generate.seed')}
          w={110}
          value={seed}
          onChange={(value) => setSeed(Math.round(Number(value) || 0))}
        />
        <span className="dim">{t('datasets.willFreeze', { rows: formatCount(rows), count: counted.length })}</span>
      </div>
      <DecontaminationChoice isOn={decontaminate} onChange={setDecontaminate} />
      {freeze.error && <ErrorNote error={freeze.error} />}
      <Button type="submit" style={{ alignSelf: 'start' }} loading={freeze.isRunning} disabled={name.trim() === ''}>
        {t('datasets.freeze')}
      </Button>
    </form>
  )
}

function DecontaminationChoice({ isOn, onChange }: { isOn: boolean; onChange: (isOn: boolean) => void }) {
  const { t } = useTranslation()
  return (
    <Checkbox
      label={t('decontamination.check')}
      checked={isOn}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  )
}
