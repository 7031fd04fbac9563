// Chat: the same prompt to two models (up to four) side by side, with the same sampling, streamed.

import { Button, NumberInput } from '@mantine/core'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useStore } from 'zustand'
import type { Model } from '../../../main/contract/models.ts'
import { EmptyNote, Reading } from '../../components/reading.tsx'
import { Screen } from '../../components/screen.tsx'
import { type Chat, mostColumns } from '../../state/chat.ts'
import { useDesk, useRead } from '../../state/lab.ts'
import { goTo } from '../../state/route.ts'
import { ChatColumnView } from './chat-column.tsx'
import { PromptBox } from './prompt-box.tsx'

/** Starts with the student beside a tuned model: the one `subject` names, else the first of the list. */
export function ChatView({ subject }: { subject: string }) {
  const { t } = useTranslation()
  const { chat } = useDesk()
  const models = useRead('model.list', {})
  const columns = useStore(chat.store, (state) => state.columns)
  const list = models.value
  useEffect(() => {
    if (!list || list.length === 0 || chat.store.getState().columns.length > 0) return
    for (const model of firstPair(list, subject)) chat.addColumn(model.id)
  }, [chat, list, subject])
  const actions = (
    <>
      <Sampling chat={chat} />
      <Button variant="default" disabled={columns.length >= mostColumns} onClick={() => chat.addColumn(null)}>
        {t('chat.addColumn')}
      </Button>
      <Button variant="default" onClick={() => chat.clear()}>
        {t('chat.clear')}
      </Button>
    </>
  )
  return (
    <Screen name="chat" actions={actions} isFlush>
      <div className="pane grow">
        <Reading
          of={models}
          empty={
            <div className="pane-body">
              <EmptyNote title={t('models.emptyTitle')} text={t('models.emptyText')}>
                <Button onClick={() => goTo('models', 'add')}>{t('models.add')}</Button>
              </EmptyNote>
            </div>
          }
        >
          {(all) => (
            <>
              <div style={{ display: 'flex', flex: 1, minHeight: 0, overflowX: 'auto' }}>
                {columns.map((column) => (
                  <ChatColumnView
                    key={column.chatId}
                    column={column}
                    models={all}
                    chat={chat}
                    canRemove={columns.length > 1}
                  />
                ))}
              </div>
              <PromptBox chat={chat} isAnswering={columns.some(({ isAnswering }) => isAnswering)} />
            </>
          )}
        </Reading>
      </div>
    </Screen>
  )
}

/** The base student and a model tuned here; else the first two. */
function firstPair(models: readonly Model[], wanted: string): Model[] {
  const present = models.filter(({ isMissing }) => !isMissing)
  const base = present.find(({ roles, origin }) => roles.includes('student') && origin === '') ?? present[0]
  const tuned =
    present.find(({ id }) => id === wanted) ??
    present.find(({ origin }) => origin !== '') ??
    present.find((model) => model !== base)
  return [base, tuned].filter((model): model is Model => model !== undefined)
}

function Sampling({ chat }: { chat: Chat }) {
  const { t } = useTranslation()
  const { temperature, seed, maxTokens } = useStore(chat.store)
  return (
    <>
      <span className="row">
        <span className="dim">{t('chat.temperature')}</span>
        <NumberInput
          w={70}
          aria-label={t('chat.temperature')}
          min={0}
          max={2}
          step={0.1}
          value={temperature}
          onChange={(value) => chat.store.setState({ temperature: Number(value) || 0 })}
        />
      </span>
      <span className="row">
        <span className="dim">{t('generate.seed')}</span>
        <NumberInput
          w={70}
          aria-label={t('generate.seed')}
          value={seed}
          onChange={(value) => chat.store.setState({ seed: Math.round(Number(value) || 0) })}
        />
      </span>
      <span className="row">
        <span className="dim">{t('chat.maxTokens')}</span>
        <NumberInput
          w={80}
          aria-label={t('chat.maxTokens')}
          min={1}
          max={8192}
          step={64}
          value={maxTokens}
          onChange={(value) => chat.store.setState({ maxTokens: Math.max(1, Math.round(Number(value) || 1)) })}
        />
      </span>
    </>
  )
}
