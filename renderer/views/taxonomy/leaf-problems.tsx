// The rules a leaf breaks, checked by the engine while one types.

import { useDebouncedValue } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import type { LeafDraft } from '../../../main/contract/authoring.ts'
import { ProblemList } from '../../components/problem-list.tsx'
import { Section } from '../../components/screen.tsx'
import { useRead } from '../../state/lab.ts'

/** Checks after a short pause; seeds that are still empty wait until they say something. */
export function LeafProblems({ draft }: { draft: LeafDraft }) {
  const { t } = useTranslation()
  const [settled] = useDebouncedValue(draft, 350)
  const seeds = settled.seeds.filter(({ question, answer }) => question !== '' && answer !== '')
  const check = useRead('taxonomy.check', { ...settled, seeds })
  const unfinished = draft.seeds.filter(({ question, answer }) => question === '' || answer === '').length
  return (
    <Section title={t('taxonomy.rules')}>
      <div aria-live="polite" className="stack-s" data-testid="leaf-problems">
        {unfinished > 0 && <div className="note warn-note">{t('taxonomy.unfinished', { count: unfinished })}</div>}
        {check.value?.length === 0 && unfinished === 0 && <span className="good">{t('taxonomy.noProblems')}</span>}
        <ProblemList problems={check.value ?? []} />
      </div>
    </Section>
  )
}
