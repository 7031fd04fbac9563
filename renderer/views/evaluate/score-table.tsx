// Phases against exams: score bars with intervals, and the gain or loss against the base.

import { Switch, UnstyledButton } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Evaluation } from '../../../main/contract/exams.ts'
import { ScoreBar } from '../../components/score-bar.tsx'
import { useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { gainOverBase, type ScoreMatrix, type ScoreRow, scoreMatrix } from './score-matrix.ts'

interface ScoreTableProps {
  evaluations: readonly Evaluation[]
  opened: string
}

/** Every cell opens the answers behind it. */
export function ScoreTable({ evaluations, opened }: ScoreTableProps) {
  const { t } = useTranslation()
  const [everyCheckpoint, setEveryCheckpoint] = useState(false)
  const matrix = scoreMatrix(evaluations, { everyCheckpoint })
  const groups = [...new Set(matrix.rows.map(({ group }) => group))]
  return (
    <div className="stack-s" data-testid="score-table">
      <div className="grid-scroll">
        <table className="grid" aria-label={t('evaluate.scores')}>
          <thead>
            <tr>
              <th scope="col">{t('evaluate.model')}</th>
              <th scope="col">{t('tune.phase')}</th>
              {matrix.exams.map((exam) => (
                <th key={exam.id} scope="col" className="wraps" title={t(`examHints.${exam.kind}`)}>
                  {exam.name}
                </th>
              ))}
            </tr>
          </thead>
          {groups.map((group) => (
            <GroupRows
              key={group}
              rows={matrix.rows.filter((row) => row.group === group)}
              matrix={matrix}
              opened={opened}
            />
          ))}
        </table>
      </div>
      <div className="row">
        <span className="dim grow">{t('results.intervalNote')}</span>
        <Switch
          label={t('evaluate.everyCheckpoint')}
          checked={everyCheckpoint}
          onChange={(event) => setEveryCheckpoint(event.currentTarget.checked)}
        />
      </div>
    </div>
  )
}

interface GroupRowsProps {
  rows: readonly ScoreRow[]
  matrix: ScoreMatrix
  opened: string
}

function GroupRows({ rows, matrix, opened }: GroupRowsProps) {
  const { t } = useTranslation()
  const name = useGroupName(rows[0])
  return (
    <tbody>
      {rows.map((row, index) => (
        <tr key={row.key}>
          {index === 0 && (
            <th scope="rowgroup" rowSpan={rows.length} className="group-name">
              {name}
            </th>
          )}
          <th scope="row">{row.isBase ? t('evaluate.base') : row.label}</th>
          {matrix.exams.map((exam) => {
            const evaluation = row.scores.get(exam.id)
            return (
              <td key={exam.id}>
                {evaluation ? (
                  <ScoreCell
                    evaluation={evaluation}
                    matrix={matrix}
                    isBase={row.isBase}
                    isOpen={evaluation.id === opened}
                  />
                ) : (
                  '–'
                )}
              </td>
            )
          })}
        </tr>
      ))}
    </tbody>
  )
}

/** The tuning's name, or the model's. */
function useGroupName(row: ScoreRow | undefined): string {
  const tunings = useRead('tuning.list', {}).value ?? []
  const evaluation = row?.scores.values().next().value
  return tunings.find(({ id }) => id === row?.group)?.plan.name ?? evaluation?.modelName ?? ''
}

interface ScoreCellProps {
  evaluation: Evaluation
  matrix: ScoreMatrix
  isBase: boolean
  isOpen: boolean
}

function ScoreCell({ evaluation, matrix, isBase, isOpen }: ScoreCellProps) {
  const gain = gainOverBase(matrix, evaluation)
  return (
    <UnstyledButton fz="xs" aria-pressed={isOpen} onClick={() => goTo('evaluate', evaluation.id)}>
      <ScoreBar {...evaluation} isBase={isBase}>
        {gain !== null && (
          <span
            className={gain > 0 ? 'good' : gain < 0 ? 'bad' : 'dim'}
          >{`${gain >= 0 ? '+' : '−'}${Math.abs(gain * 100).toFixed(1)}`}</span>
        )}
      </ScoreBar>
    </UnstyledButton>
  )
}
