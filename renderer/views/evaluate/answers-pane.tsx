// The answers behind one score: by leaf, then question by question.

import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { EvaluationDetail, ExamAnswer } from '../../../main/contract/exams.ts'
import type { EvaluationId } from '../../../main/contract/ids.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { Meter } from '../../components/meter.tsx'
import { Reading } from '../../components/reading.tsx'
import { Section } from '../../components/screen.tsx'
import { useRead } from '../../state/lab.ts'

/** Opens under the table. */
export function AnswersPane({ evaluationId }: { evaluationId: string }) {
  const { t } = useTranslation()
  const detail = useRead('evaluation.get', { evaluationId: evaluationId as EvaluationId })
  return (
    <Section
      title={
        detail.value
          ? `${detail.value.examName} · ${detail.value.modelName} · ${detail.value.phase}`
          : t('evaluate.answers')
      }
    >
      <Reading of={detail}>{(value) => <Answers detail={value} />}</Reading>
    </Section>
  )
}

function Answers({ detail }: { detail: EvaluationDetail }) {
  const { t } = useTranslation()
  const [shown, setShown] = useState<'all' | 'right' | 'wrong'>('all')
  const answers = detail.answers.filter(({ isCorrect }) => shown === 'all' || isCorrect === (shown === 'right'))
  return (
    <div className="stack" data-testid="answers">
      {detail.perLeaf.length > 1 && (
        <div className="funnel">
          {detail.perLeaf.map(({ leaf, correct, total }) => [
            <span key={leaf} className="clip" title={leaf}>
              {leaf}
            </span>,
            <Meter key={`${leaf} bar`} label={leaf} done={correct} total={total} />,
            <span key={`${leaf} count`} className="num">
              {correct}/{total}
            </span>,
          ])}
        </div>
      )}
      <SegmentedControl
        style={{ alignSelf: 'start' }}
        aria-label={t('evaluate.answers')}
        value={shown}
        onChange={(value) => setShown(value === 'right' || value === 'wrong' ? value : 'all')}
        data={(['all', 'right', 'wrong'] as const).map((value) => ({ value, label: t(`evaluate.show.${value}`) }))}
      />
      <AnswerTable answers={answers} />
    </div>
  )
}

function AnswerTable({ answers }: { answers: readonly ExamAnswer[] }) {
  const { t } = useTranslation()
  const columns: Column<ExamAnswer>[] = [
    { key: 'index', title: '#', isNumeric: true, render: ({ index }) => index + 1 },
    {
      key: 'right',
      title: t('evaluate.verdict'),
      render: ({ isCorrect }) => (
        <span className={isCorrect ? 'good' : 'bad'}>{isCorrect ? t('evaluate.right') : t('evaluate.wrong')}</span>
      ),
    },
    {
      key: 'question',
      title: t('taxonomy.seed.question'),
      render: ({ question }) => <span className="prose">{question}</span>,
    },
    {
      key: 'answer',
      title: t('taxonomy.seed.answer'),
      render: ({ answer }) => <span className="prose">{answer}</span>,
    },
    {
      key: 'accepted',
      title: t('evaluate.accepted'),
      render: ({ accepted }) => <span className="dim">{accepted.join(' / ')}</span>,
    },
  ]
  return <Grid label={t('evaluate.answers')} columns={columns} rows={answers} keyOf={({ index }) => String(index)} />
}
