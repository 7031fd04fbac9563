// The seeds of a leaf: context (knowledge and grounded skills), question, answer.

import { ActionIcon, Button, Switch, Textarea } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { LeafDraft } from '../../../main/contract/authoring.ts'
import { Section } from '../../components/screen.tsx'

type Seed = LeafDraft['seeds'][number]

interface SeedListProps {
  draft: LeafDraft
  onChange(seeds: Seed[]): void
}

/** Editable list; contexts are on for all seeds or for none. */
export function SeedList({ draft, onChange }: SeedListProps) {
  const { t } = useTranslation()
  const { seeds } = draft
  const isKnowledge = draft.branch === 'knowledge'
  const hasContexts = isKnowledge || seeds.some(({ context }) => context !== undefined)
  const change = (index: number, fields: Partial<Seed>) =>
    onChange(seeds.map((seed, at) => (at === index ? { ...seed, ...fields } : seed)))
  const setContexts = (isOn: boolean) =>
    onChange(seeds.map(({ context: _dropped, ...seed }) => (isOn ? { ...seed, context: '' } : seed)))
  const add = () =>
    onChange([
      ...seeds,
      hasContexts ? { context: seeds.at(-1)?.context ?? '', question: '', answer: '' } : { question: '', answer: '' },
    ])
  const switcher = !isKnowledge && (
    <Switch
      label={t('taxonomy.grounded')}
      checked={hasContexts}
      onChange={(event) => setContexts(event.currentTarget.checked)}
    />
  )
  return (
    <Section title={t('taxonomy.seeds', { count: seeds.length })} actions={switcher}>
      <div className="stack">
        {seeds.map((seed, index) => (
          <SeedFields
            key={index}
            seed={seed}
            number={index + 1}
            hasContext={hasContexts}
            onChange={(fields) => change(index, fields)}
            onRemove={() => onChange(seeds.filter((_, at) => at !== index))}
          />
        ))}
        <div>
          <Button variant="default" onClick={add}>
            {t('taxonomy.addSeed')}
          </Button>
        </div>
      </div>
    </Section>
  )
}

interface SeedFieldsProps {
  seed: Seed
  number: number
  hasContext: boolean
  onChange(fields: Partial<Seed>): void
  onRemove(): void
}

function SeedFields({ seed, number, hasContext, onChange, onRemove }: SeedFieldsProps) {
  const { t } = useTranslation()
  const field = (name: 'context' | 'question' | 'answer') => (
    <Textarea
      className="grow"
      label={t(`taxonomy.seed.${name}`)}
      aria-label={t(`taxonomy.seed.${name}`) + ` ${number}`}
      autosize
      minRows={1}
      maxRows={10}
      value={seed[name] ?? ''}
      onChange={(event) => onChange({ [name]: event.currentTarget.value })}
    />
  )
  return (
    <div className="stack-s" role="group" aria-label={t('taxonomy.seedNumber', { number })}>
      {hasContext && field('context')}
      <div className="row" style={{ alignItems: 'end' }}>
        {field('question')}
        {field('answer')}
        <ActionIcon
          aria-label={t('taxonomy.removeSeed', { number })}
          title={t('taxonomy.removeSeed', { number })}
          onClick={onRemove}
        >
          <IconTrash size={15} />
        </ActionIcon>
      </div>
    </div>
  )
}
