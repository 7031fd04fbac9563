// The seeds of a leaf: context (knowledge and grounded skills), earlier turns of a conversation, question, answer.

import { ActionIcon, Button, Switch, Textarea } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useTranslation } from 'react-i18next'
import type { LeafDraft } from '../../../main/contract/authoring.ts'
import type { Exchange } from '../../../main/contract/taxonomy.ts'
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
  const change = (index: number, seed: Seed) => onChange(seeds.map((before, at) => (at === index ? seed : before)))
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
            hasTurns={!isKnowledge}
            onChange={(changed) => change(index, changed)}
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
  /** Whether it may be part of a conversation. */
  hasTurns: boolean
  onChange(seed: Seed): void
  onRemove(): void
}

function SeedFields({ seed, number, hasContext, hasTurns, onChange, onRemove }: SeedFieldsProps) {
  const { t } = useTranslation()
  const { turns = [], ...bare } = seed
  const setTurns = (next: Exchange[]) => onChange(next.length > 0 ? { ...bare, turns: next } : bare)
  return (
    <div className="stack-s" role="group" aria-label={t('taxonomy.seedNumber', { number })}>
      {hasContext && (
        <SeedText
          name={t('taxonomy.seed.context')}
          number={`${number}`}
          value={seed.context ?? ''}
          onChange={(context) => onChange({ ...seed, context })}
        />
      )}
      {turns.length > 0 && (
        <div className="turns stack-s">
          {turns.map((turn, at) => (
            <ExchangeFields
              key={at}
              exchange={turn}
              names={[t('taxonomy.seed.earlierQuestion'), t('taxonomy.seed.earlierAnswer')]}
              number={`${number}.${at + 1}`}
              removeLabel={t('taxonomy.removeTurn', { number: `${number}.${at + 1}` })}
              onChange={(changed) => setTurns(turns.map((before, place) => (place === at ? changed : before)))}
              onRemove={() => setTurns(turns.filter((_, place) => place !== at))}
            />
          ))}
        </div>
      )}
      <ExchangeFields
        exchange={seed}
        names={[t('taxonomy.seed.question'), t('taxonomy.seed.answer')]}
        number={`${number}`}
        removeLabel={t('taxonomy.removeSeed', { number })}
        onChange={(changed) => onChange({ ...seed, ...changed })}
        onRemove={onRemove}
      />
      {hasTurns && turns.length < 20 && (
        <div>
          <Button
            size="compact-xs"
            variant="subtle"
            aria-label={t('taxonomy.addTurnTo', { number })}
            onClick={() => setTurns([...turns, { question: '', answer: '' }])}
          >
            {t('taxonomy.addTurn')}
          </Button>
        </div>
      )}
    </div>
  )
}

interface ExchangeFieldsProps {
  exchange: Exchange
  names: [question: string, answer: string]
  number: string
  removeLabel: string
  onChange(exchange: Exchange): void
  onRemove(): void
}

function ExchangeFields({ exchange, names, number, removeLabel, onChange, onRemove }: ExchangeFieldsProps) {
  const { question, answer } = exchange
  return (
    <div className="row" style={{ alignItems: 'end' }}>
      <SeedText
        name={names[0]}
        number={number}
        value={question}
        onChange={(text) => onChange({ question: text, answer })}
      />
      <SeedText
        name={names[1]}
        number={number}
        value={answer}
        onChange={(text) => onChange({ question, answer: text })}
      />
      <ActionIcon aria-label={removeLabel} title={removeLabel} onClick={onRemove}>
        <IconTrash size={15} />
      </ActionIcon>
    </div>
  )
}

interface SeedTextProps {
  name: string
  number: string
  value: string
  onChange(text: string): void
}

function SeedText({ name, number, value, onChange }: SeedTextProps) {
  return (
    <Textarea
      className="grow"
      label={name}
      aria-label={`${name} ${number}`}
      autosize
      minRows={1}
      maxRows={10}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}
