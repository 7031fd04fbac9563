// Findings of the validator with a button for each that can be repaired, and one for all of them.

import { Button } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { RepairOutcome, RepairSubject } from '../../main/contract/authoring.ts'
import type { QnaProblem } from '../../main/contract/taxonomy.ts'
import { ProblemList } from './problem-list.tsx'
import { RepairDialog, type RepairPlace } from './repair-dialog.tsx'

interface RepairableProblemsProps {
  problems: readonly QnaProblem[]
  /** What the problems are of; null where nothing can be repaired at the moment. */
  subject: RepairSubject | null
  onRepaired(outcome: RepairOutcome): void
}

/** The list with its buttons and the preview they open. */
export function RepairableProblems({ problems, subject, onRepaired }: RepairableProblemsProps) {
  const { t } = useTranslation()
  const [asked, setAsked] = useState<{ places: RepairPlace[] | undefined } | null>(null)
  const canRepair = subject !== null && problems.some(({ repair }) => repair)
  const repairOne = ({ repair, line, column }: QnaProblem) =>
    repair && setAsked({ places: [{ kind: repair.kind, line, column }] })
  return (
    <>
      {canRepair && (
        <div>
          <Button size="compact-sm" variant="default" onClick={() => setAsked({ places: undefined })}>
            {t('repair.all')}
          </Button>
        </div>
      )}
      <ProblemList problems={problems} onRepair={subject ? repairOne : undefined} />
      {asked && subject && (
        <RepairDialog subject={subject} places={asked.places} onDone={onRepaired} onClose={() => setAsked(null)} />
      )}
    </>
  )
}
