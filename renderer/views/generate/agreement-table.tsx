// How far each judge agrees with the person's own verdicts: trust is earned by figures, and needs enough of them.

import { useTranslation } from 'react-i18next'
import type { JudgeAgreement } from '../../../main/contract/generation.ts'
import { type Column, Grid } from '../../components/grid.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount, formatRatio } from '../../format.ts'
import { useRead } from '../../state/lab.ts'

/** Fewer verdicts say little: the table then says so. */
const enoughVerdicts = 30

/** Nothing until a person has decided about judged samples. */
export function AgreementTable() {
  const { t } = useTranslation()
  const judges = useRead('generation.agreement', {}).value ?? []
  if (judges.length === 0) return null
  const total = (judge: JudgeAgreement) =>
    judge.passedAccepted + judge.passedRejected + judge.failedAccepted + judge.failedRejected
  const count = (key: 'passedAccepted' | 'passedRejected' | 'failedAccepted' | 'failedRejected') =>
    ({
      key,
      title: t(`agreement.${key}`),
      isNumeric: true,
      render: (judge: JudgeAgreement) => formatCount(judge[key]),
    }) satisfies Column<JudgeAgreement>
  return (
    <Section title={t('agreement.title')}>
      <p className="dim">{t('agreement.text')}</p>
      <Grid
        label={t('agreement.title')}
        columns={[
          { key: 'stage', title: t('agreement.judge'), render: ({ stage }) => t(`stages.${stage}`) },
          count('passedAccepted'),
          count('failedRejected'),
          count('passedRejected'),
          count('failedAccepted'),
          {
            key: 'agreement',
            title: t('agreement.agreement'),
            isNumeric: true,
            render: (judge) => formatRatio(judge.passedAccepted + judge.failedRejected, total(judge), 0),
          },
          {
            key: 'kappa',
            title: t('agreement.kappa'),
            isNumeric: true,
            render: ({ kappa }) => (kappa === null ? '–' : kappa.toFixed(2)),
          },
        ]}
        rows={judges}
        keyOf={({ stage }) => stage}
        noteOf={(judge) =>
          total(judge) < enoughVerdicts ? (
            <span className="dim">{t('agreement.few', { count: enoughVerdicts - total(judge) })}</span>
          ) : null
        }
      />
    </Section>
  )
}
