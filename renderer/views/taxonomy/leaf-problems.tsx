// The rules a leaf breaks, checked by the engine while one types, with the repairs there are for them.

import { useDebouncedValue } from '@mantine/hooks'
import { useTranslation } from 'react-i18next'
import type { LeafDraft } from '../../../main/contract/authoring.ts'
import { RepairableProblems } from '../../components/repairable-problems.tsx'
import { Section } from '../../components/screen.tsx'
import { useRead } from '../../state/lab.ts'

interface LeafProblemsProps {
  draft: LeafDraft
  /** The leaf after a repair. */
  onRepaired(draft: LeafDraft): void
}

type Seed = LeafDraft['seeds'][number]

/** Checks after a short pause; seeds that are still empty wait until they say something, and repairs wait for them. */
export function LeafProblems({ draft, onRepaired }: LeafProblemsProps) {
  const { t } = useTranslation()
  const [settled] = useDebouncedValue(draft, 350)
  const checked = { ...settled, seeds: settled.seeds.filter(isWhole) }
  const check = useRead('taxonomy.check', checked)
  const unfinished = draft.seeds.filter((seed) => !isWhole(seed)).length
  return (
    <Section title={t('taxonomy.rules')}>
      <div aria-live="polite" className="stack-s" data-testid="leaf-problems">
        {unfinished > 0 && <div className="note warn-note">{t('taxonomy.unfinished', { count: unfinished })}</div>}
        {check.value?.length === 0 && unfinished === 0 && <span className="good">{t('taxonomy.noProblems')}</span>}
        <RepairableProblems
          problems={check.value ?? []}
          subject={unfinished === 0 && settled === draft ? { kind: 'leaf', draft: checked } : null}
          onRepaired={(outcome) => outcome.draft && onRepaired(outcome.draft)}
        />
      </div>
    </Section>
  )
}

function isWhole({ question, answer, turns = [] }: Seed): boolean {
  return [{ question, answer }, ...turns].every((exchange) => exchange.question !== '' && exchange.answer !== '')
}
