// Findings of a checker of YAML files: where, what, and what to do.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { QnaProblem, Severity } from '../../main/contract/taxonomy.ts'

const notes: Record<Severity, string> = { error: 'note bad-note', warning: 'note warn-note', hint: 'note' }
const severities: readonly Severity[] = ['error', 'warning', 'hint']

interface ProblemListProps {
  problems: readonly QnaProblem[]
  /** Makes a button of each repair. */
  onRepair?: ((problem: QnaProblem) => void) | undefined
}

/** Worst first. Line 0 means that there is no file yet. */
export function ProblemList({ problems, onRepair }: ProblemListProps) {
  const { t } = useTranslation()
  const sorted = problems.toSorted(
    (a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity) || a.line - b.line,
  )
  return (
    <>
      {sorted.map((problem) => (
        <div
          key={`${problem.line}:${problem.column} ${problem.field} ${problem.message}`}
          className={notes[problem.severity]}
        >
          <div>
            <span className="tag">{t(`severity.${problem.severity}`)}</span> {problem.message}
          </div>
          <div className="dim">
            {problem.line > 0 && t('taxonomy.lineColumn', { line: problem.line, column: problem.column })}{' '}
            {problem.field && <span className="mono">{problem.field}</span>} {problem.remedy}
          </div>
          {onRepair && problem.repair && (
            <Button size="compact-xs" variant="default" mt={3} onClick={() => onRepair(problem)}>
              {t('repair.one')}
            </Button>
          )}
        </div>
      ))}
    </>
  )
}
