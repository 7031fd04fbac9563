// What the project holds, as links to the screens that show it.

import { useTranslation } from 'react-i18next'
import type { Overview } from '../../../main/contract/workspace.ts'
import { Figures } from '../../components/facts.tsx'
import { Section } from '../../components/screen.tsx'
import { formatCount } from '../../format.ts'

/** The figures. */
export function Counts({ counts }: { counts: Overview['counts'] }) {
  const { t } = useTranslation()
  return (
    <Section title={t('overview.contents')}>
      <Figures
        of={[
          [t('overview.leaves'), formatCount(counts.leaves)],
          [t('overview.seeds'), formatCount(counts.seeds)],
          [t('overview.documents'), formatCount(counts.documents)],
          [t('overview.candidates'), formatCount(counts.candidates)],
          [t('overview.accepted'), formatCount(counts.accepted)],
          [t('overview.datasets'), formatCount(counts.datasets)],
          [t('overview.tunings'), formatCount(counts.tunings)],
          [t('overview.evaluations'), formatCount(counts.evaluations)],
        ]}
      />
    </Section>
  )
}
