// The prompts models are given, word for word: as the files have them, or filled in for a leaf of the project.

import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MethodOutput } from '../../../main/contract/api.ts'
import { stageNames } from '../../../main/contract/generation.ts'
import type { LeafPath } from '../../../main/contract/ids.ts'
import { LeafSelect } from '../../components/leaf-select.tsx'
import { Reading } from '../../components/reading.tsx'
import { useRead } from '../../state/lab.ts'

type Prompt = MethodOutput<'prompt.list'>[number]

/** Folded; one fold a prompt. */
export function PromptsPage() {
  const { t } = useTranslation()
  const prompts = useRead('prompt.list', {})
  const [leaf, setLeaf] = useState<LeafPath | ''>('')
  return (
    <div className="stack readable">
      <span className="dim">{t('settings.promptsText')}</span>
      <LeafSelect label={t('settings.promptLeaf')} value={leaf} onChange={setLeaf} isAnyAllowed withLabel />
      <Reading of={prompts}>
        {(list) =>
          (leaf === '' ? list : oneLanguage(list)).map((prompt) => (
            <PromptFold key={`${prompt.pack} ${prompt.language} ${prompt.stage}`} prompt={prompt} leaf={leaf} />
          ))
        }
      </Reading>
    </div>
  )
}

/** A leaf has a language of its own, which chooses the file. */
function oneLanguage(list: readonly Prompt[]): Prompt[] {
  return list.filter(({ language }) => language === 'en')
}

function PromptFold({ prompt, leaf }: { prompt: Prompt; leaf: LeafPath | '' }) {
  const { t } = useTranslation()
  const [isOpen, setOpen] = useState(false)
  const stage = stageNames.find((name) => name === prompt.stage)
  const pack = prompt.pack === 'compact' ? 'compact' : 'standard'
  const filled = useRead('prompt.preview', leaf !== '' && isOpen && stage ? { leaf, stage, pack } : null)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <strong>{stage ? t(`stages.${stage}`) : prompt.stage}</strong>{' '}
        <span className="dim">
          {[prompt.pack, ...(leaf === '' ? [prompt.language] : []), prompt.stage].join(' · ')}
        </span>
      </summary>
      {leaf === '' ? (
        <Texts prompt={prompt} />
      ) : (
        isOpen && <Reading of={filled}>{(text) => <Texts prompt={text} />}</Reading>
      )}
    </details>
  )
}

function Texts({ prompt: { system, user } }: { prompt: Pick<Prompt, 'system' | 'user'> }) {
  return (
    <>
      {system && <pre className="text-box mono">{system}</pre>}
      <pre className="text-box mono">{user}</pre>
    </>
  )
}
