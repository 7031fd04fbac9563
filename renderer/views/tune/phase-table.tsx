// The phases of a plan, a column each, in the order they run.

import { ActionIcon, NativeSelect } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { PhasePlan, TuningPlan } from '../../../main/contract/tuning.ts'
import { type PhaseNumber, withoutPhase, withPhase } from '../../state/plan.ts'
import { NumberCell } from './number-cell.tsx'

const numbers: readonly PhaseNumber[] = [
  'replayShare',
  'epochs',
  'learningRate',
  'batchRows',
  'warmupSteps',
  'contextTokens',
]
const choices = {
  responses: ['short', 'long', 'all'],
  schedule: ['constant', 'cosine', 'linear'],
} as const

interface PhaseTableProps {
  plan: TuningPlan
  /** Fields the engine would refuse. */
  broken: readonly string[]
  onChange(plan: TuningPlan): void
}

/** Every number of every phase, editable in place. */
export function PhaseTable({ plan, broken, onChange }: PhaseTableProps) {
  const { t } = useTranslation()
  const change = (index: number, fields: Partial<PhasePlan>) => onChange(withPhase(plan, index, fields))
  return (
    <div className="grid-scroll">
      <table className="grid" aria-label={t('tune.phases')} style={{ width: 'auto' }}>
        <thead>
          <tr>
            <th scope="col">{t('tune.phase')}</th>
            {plan.phases.map((phase, index) => (
              <th key={phase.name} scope="col">
                <PhaseHead
                  name={phase.name}
                  canRemove={plan.phases.length > 1}
                  onRemove={() => onChange(withoutPhase(plan, index))}
                />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr>
            <td>{t('tune.branches')}</td>
            {plan.phases.map((phase) => (
              <td key={phase.name} className="dim" style={{ maxWidth: 200 }}>
                {phase.branches.map((branch) => t(`branches.${branch}`)).join(', ')}
              </td>
            ))}
          </tr>
          <ChoiceRow name="responses" plan={plan} onChange={change} />
          {numbers.map((name) => (
            <tr key={name}>
              <td>{t(`tune.${name}`)}</td>
              {plan.phases.map((phase, index) => (
                <td key={phase.name}>
                  <NumberCell
                    label={`${t(`tune.${name}`)} ${phase.name}`}
                    value={phase[name]}
                    isBroken={broken.includes(`phases.${index}.${name}`)}
                    onChange={(value) => change(index, { [name]: value })}
                  />
                </td>
              ))}
            </tr>
          ))}
          <ChoiceRow name="schedule" plan={plan} onChange={change} />
        </tbody>
      </table>
    </div>
  )
}

function PhaseHead({ name, canRemove, onRemove }: { name: string; canRemove: boolean; onRemove: () => void }) {
  const { t } = useTranslation()
  return (
    <span className="row">
      {name}
      {canRemove && (
        <ActionIcon
          size="xs"
          aria-label={t('tune.removePhase', { name })}
          title={t('tune.removePhase', { name })}
          onClick={onRemove}
        >
          <IconTrash size={12} />
        </ActionIcon>
      )}
    </span>
  )
}

interface ChoiceRowProps {
  name: keyof typeof choices
  plan: TuningPlan
  onChange(index: number, fields: Partial<PhasePlan>): void
}

function ChoiceRow({ name, plan, onChange }: ChoiceRowProps) {
  const { t } = useTranslation()
  return (
    <tr>
      <td>{t(`tune.${name}`)}</td>
      {plan.phases.map((phase, index) => (
        <td key={phase.name}>
          <NativeSelect
            aria-label={`${t(`tune.${name}`)} ${phase.name}`}
            value={phase[name]}
            data={choices[name].map((value) => ({ value, label: t(`tune.options.${value}`) }))}
            onChange={(event) => onChange(index, { [name]: event.currentTarget.value })}
          />
        </td>
      ))}
    </tr>
  )
}
