// The fields of a leaf that are not seeds; which of them exist depends on its branch.

import { Button, Select, Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { LeafDraft } from '../../../main/contract/authoring.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { answerFormats, branches } from '../../../main/contract/taxonomy.ts'

interface LeafFieldsProps {
  draft: LeafDraft
  isNew: boolean
  onChange(fields: Partial<LeafDraft>): void
}

/** Path of a new leaf, then task or domain and outline. */
export function LeafFields({ draft, isNew, onChange }: LeafFieldsProps) {
  const { t } = useTranslation()
  const isKnowledge = draft.branch === 'knowledge'
  return (
    <div className="stack">
      {isNew && <PathFields draft={draft} onChange={onChange} />}
      {isKnowledge ? (
        <>
          <TextInput
            label={t('taxonomy.domain')}
            value={draft.domain}
            onChange={(event) => onChange({ domain: event.currentTarget.value })}
          />
          <TextInput
            label={t('taxonomy.outline')}
            value={draft.documentOutline}
            onChange={(event) => onChange({ documentOutline: event.currentTarget.value })}
          />
        </>
      ) : (
        <Textarea
          label={t('taxonomy.task')}
          autosize
          minRows={1}
          maxRows={6}
          value={draft.taskDescription}
          onChange={(event) => onChange({ taskDescription: event.currentTarget.value })}
        />
      )}
      <div className="row-wrap">
        <TextInput
          label={t('taxonomy.createdBy')}
          value={draft.createdBy}
          onChange={(event) => onChange({ createdBy: event.currentTarget.value })}
        />
        <TextInput
          label={t('taxonomy.language')}
          w={90}
          value={draft.language}
          onChange={(event) => onChange({ language: event.currentTarget.value })}
        />
        {!isKnowledge && (
          <Select
            label={t('taxonomy.persona')}
            w={180}
            value={draft.persona ?? 'precise'}
            data={(['precise', 'creative'] as const).map((value) => ({
              value,
              label: t(`taxonomy.personas.${value}`),
            }))}
            onChange={(value) => onChange({ persona: value === 'creative' ? 'creative' : 'precise' })}
          />
        )}
        {!isKnowledge && (
          <Select
            label={t('taxonomy.answerFormat')}
            w={180}
            allowDeselect={false}
            value={draft.answerFormat ?? 'text'}
            data={answerFormats.map((value) => ({ value, label: t(`taxonomy.answerFormats.${value}`) }))}
            onChange={(value) => onChange({ answerFormat: answerFormats.find((known) => known === value) ?? 'text' })}
          />
        )}
      </div>
      <AttributionField draft={draft} onChange={onChange} />
    </div>
  )
}

function AttributionField({ draft, onChange }: Pick<LeafFieldsProps, 'draft' | 'onChange'>) {
  const { t } = useTranslation()
  const text = draft.attribution ?? ''
  const form = 'Title of work: \nLink to work: \nRevision: \nLicense of the work: \nCreator names: \n'
  return (
    <details>
      <summary className="dim">
        {t('taxonomy.attribution')}: {text === '' ? t('taxonomy.noAttribution') : text.split('\n')[0]}
      </summary>
      <Textarea
        mt={6}
        className="mono"
        aria-label={t('taxonomy.attribution')}
        autosize
        minRows={5}
        maxRows={14}
        value={text}
        placeholder={form}
        onChange={(event) => onChange({ attribution: event.currentTarget.value })}
      />
      {text === '' && (
        <Button size="compact-xs" variant="default" mt={6} onClick={() => onChange({ attribution: form })}>
          {t('taxonomy.attributionForm')}
        </Button>
      )}
    </details>
  )
}

function PathFields({ draft, onChange }: Pick<LeafFieldsProps, 'draft' | 'onChange'>) {
  const { t } = useTranslation()
  const rest = draft.path.split('/').slice(1).join('/')
  return (
    <div className="row-wrap">
      <Select
        label={t('taxonomy.branch')}
        value={draft.branch}
        data={branches.map((value) => ({ value, label: t(`branches.${value}`) }))}
        onChange={(value) => {
          const branch = branches.find((known) => known === value) ?? draft.branch
          onChange({ branch, path: `${branch}/${rest}` as LeafPath })
        }}
      />
      <TextInput
        className="grow"
        label={t('taxonomy.path')}
        placeholder="science/birds/chickadee"
        spellCheck={false}
        value={rest}
        onChange={(event) => onChange({ path: `${draft.branch}/${event.currentTarget.value}` as LeafPath })}
      />
    </div>
  )
}
