// Evaluate: exams, and what the base and every phase scored on them; any score opens its answers.

import { Button } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { Exam } from '../../../main/contract/exams.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen, Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'
import { useLive, useRead } from '../../state/lab.ts'
import { newest } from '../../state/newest.ts'
import { goTo } from '../../state/route.ts'
import { JobLine } from '../../components/job-line.tsx'
import { AnswersPane } from './answers-pane.tsx'
import { HeldOutFiles } from './held-out-files.tsx'
import { ImportExamDialog } from './import-exam-dialog.tsx'
import { RunExamsDialog } from './run-exams-dialog.tsx'
import { ScoreTable } from './score-table.tsx'

const dialogs = ['run', 'import']

/** `subject` is an evaluation, `run` or `import`. */
export function EvaluateView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const exams = useRead('exam.list', {})
  const evaluations = useRead('evaluation.list', {})
  const job = useLive(({ jobs }) => newest(Object.values(jobs).filter(({ kind }) => kind === 'evaluate')))
  const close = () => goTo('evaluate')
  const buttons = (
    <>
      <Button onClick={() => goTo('evaluate', 'run')}>{t('evaluate.run')}</Button>
      <Button variant="default" onClick={() => goTo('evaluate', 'import')}>
        {t('evaluate.import')}
      </Button>
    </>
  )
  return (
    <Screen name="evaluate" actions={buttons}>
      {job && job.state !== 'done' && job.state !== 'cancelled' && <JobLine job={job} />}
      <Section title={t('evaluate.scores')}>
        <Reading
          of={evaluations}
          empty={
            <EmptyNote title={t('evaluate.emptyTitle')} text={t('evaluate.emptyText')}>
              <Button onClick={() => goTo('evaluate', 'run')}>{t('evaluate.run')}</Button>
            </EmptyNote>
          }
        >
          {(list) => <ScoreTable evaluations={list} opened={subject} />}
        </Reading>
      </Section>
      {subject && !dialogs.includes(subject) && <AnswersPane key={subject} evaluationId={subject} />}
      <Section title={t('evaluate.exams')}>
        <Reading
          of={exams}
          empty={
            <EmptyNote title={t('evaluate.noExamsTitle')} text={t('evaluate.noExamsText')}>
              <Button variant="default" onClick={() => goTo('evaluate', 'import')}>
                {t('evaluate.import')}
              </Button>
            </EmptyNote>
          }
        >
          {(list) => <ExamTable exams={list} />}
        </Reading>
      </Section>
      <HeldOutFiles />
      <RunExamsDialog isOpen={subject === 'run'} onClose={close} />
      <ImportExamDialog isOpen={subject === 'import'} onClose={close} />
    </Screen>
  )
}

function ExamTable({ exams }: { exams: readonly Exam[] }) {
  const { t } = useTranslation()
  const columns: Column<Exam>[] = [
    { key: 'name', title: t('evaluate.exam'), render: ({ name }) => <strong>{name}</strong> },
    {
      key: 'kind',
      title: t('evaluate.kind'),
      render: ({ kind }) => <span title={t(`examHints.${kind}`)}>{t(`examKinds.${kind}`)}</span>,
    },
    {
      key: 'questions',
      title: t('evaluate.questions'),
      isNumeric: true,
      render: ({ questionCount }) => formatCount(questionCount),
    },
    { key: 'source', title: t('evaluate.source'), render: ({ source }) => <span className="dim">{source}</span> },
    {
      key: 'hash',
      title: t('datasets.hash'),
      render: ({ sha256 }) => (
        <span className="mono" title={sha256}>
          {sha256.slice(0, 12)}
        </span>
      ),
    },
  ]
  return <Grid label={t('evaluate.exams')} columns={columns} rows={exams} keyOf={({ id }) => id} />
}
