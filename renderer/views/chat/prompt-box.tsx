// Where one prompt for all columns is written; Enter sends, Shift+Enter breaks the line.

import { Button, Textarea } from '@mantine/core'
import { type KeyboardEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Chat } from '../../state/chat.ts'

interface PromptBoxProps {
  chat: Chat
  isAnswering: boolean
}

/** Send becomes Stop while an answer comes. */
export function PromptBox({ chat, isAnswering }: PromptBoxProps) {
  const { t } = useTranslation()
  const [prompt, setPrompt] = useState('')
  function send(): void {
    if (prompt.trim() === '' || isAnswering) return
    chat.send(prompt.trim())
    setPrompt('')
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <div className="pane-foot" style={{ alignItems: 'end' }}>
      <Textarea
        className="grow"
        aria-label={t('chat.prompt')}
        placeholder={t('chat.prompt')}
        autosize
        minRows={1}
        maxRows={8}
        value={prompt}
        onChange={(event) => setPrompt(event.currentTarget.value)}
        onKeyDown={onKeyDown}
      />
      {isAnswering ? (
        <Button variant="default" onClick={() => chat.stop()}>
          {t('chat.stop')}
        </Button>
      ) : (
        <Button onClick={send} disabled={prompt.trim() === ''}>
          {t('chat.send')}
        </Button>
      )}
    </div>
  )
}
