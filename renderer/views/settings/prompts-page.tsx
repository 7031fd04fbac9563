// The prompts the teacher and the judges are given, word for word.

import { useTranslation } from 'react-i18next'
import type { MethodOutput } from '../../../main/contract/api.ts'
import { stageNames } from '../../../main/contract/generation.ts'
import { Reading } from '../../components/reading.tsx'
import { useRead } from '../../state/lab.ts'

type Prompt = MethodOutput<'prompt.list'>[number]

/** Folded; one fold a prompt. */
export function PromptsPage() {
  const { t } = useTranslation()
  const prompts = useRead('prompt.list', {})
  return (
    <div className="stack readable">
      <span className="dim">{t('settings.promptsText')}</span>
      <Reading of={prompts}>
        {(list) =>
          list.map((prompt) => <PromptFold key={`${prompt.pack} ${prompt.language} ${prompt.stage}`} prompt={prompt} />)
        }
      </Reading>
    </div>
  )
}

function PromptFold({ prompt }: { prompt: Prompt }) {
  const { t } = useTranslation()
  const stage = stageNames.find((name) => name === prompt.stage)
  return (
    <details>
      <summary>
        <strong>{stage ? t(`stages.${stage}`) : prompt.stage}</strong>{' '}
        <span className="dim">{`${prompt.pack} · ${prompt.language} · ${prompt.stage}`}</span>
      </summary>
      {prompt.system && <pre className="text-box mono">{prompt.system}</pre>}
      <pre className="text-box mono">{prompt.user}</pre>
    </details>
  )
}
