// One model's side of the chat.

import { ActionIcon, Select } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { ModelId } from '../../../main/contract/ids.ts'
import type { Model } from '../../../main/contract/models.ts'
import { formatRate, formatSeconds } from '../../format.ts'
import type { Chat, ChatColumn, ChatTurn } from '../../state/chat.ts'

interface ChatColumnViewProps {
  column: ChatColumn
  models: readonly Model[]
  chat: Chat
  canRemove: boolean
}

/** Model on top, turns below; follows the text as it comes. */
export function ChatColumnView({ column, models, chat, canRemove }: ChatColumnViewProps) {
  const { t } = useTranslation()
  const end = useRef<HTMLDivElement>(null)
  const model = models.find(({ id }) => id === column.modelId)
  useEffect(() => void end.current?.scrollIntoView({ block: 'nearest' }), [column.turns])
  return (
    <section className="chat-column" aria-label={model?.name ?? t('chat.noModel')} data-testid="chat-column">
      <div className="pane-head">
        <Select
          className="grow"
          aria-label={t('evaluate.model')}
          placeholder={t('chat.noModel')}
          value={column.modelId}
          data={models.map(({ id, name, isMissing }) => ({ value: id, label: name, disabled: isMissing }))}
          onChange={(id) => id && chat.setModel(column.chatId, id as ModelId)}
        />
        {canRemove && (
          <ActionIcon
            aria-label={t('chat.removeColumn')}
            title={t('chat.removeColumn')}
            onClick={() => chat.removeColumn(column.chatId)}
          >
            <IconX size={14} />
          </ActionIcon>
        )}
      </div>
      <div className="pane-body" tabIndex={0} role="log" aria-label={t('chat.turns')}>
        {column.turns.length === 0 && <span className="dim">{t('chat.empty')}</span>}
        {column.turns.map((turn, index) => (
          <Turn
            key={`${index} ${turn.role}`}
            turn={turn}
            isComing={column.isAnswering && index === column.turns.length - 1}
          />
        ))}
        <div ref={end} />
      </div>
    </section>
  )
}

function Turn({ turn, isComing }: { turn: ChatTurn; isComing: boolean }) {
  const { t } = useTranslation()
  return (
    <div className="turn" data-testid={`turn-${turn.role}`}>
      <div className="who">
        {t(`chat.${turn.role}`)}
        {turn.note &&
          turn.note.ms > 0 &&
          ` · ${t('chat.note', { tokens: turn.note.tokens, time: formatSeconds(turn.note.ms / 1000), rate: formatRate((turn.note.tokens / turn.note.ms) * 1000) })}`}
      </div>
      {turn.failure ? (
        <div className="note bad-note" role="alert">
          <strong>{turn.failure.message}</strong>
          {turn.failure.remedy}
        </div>
      ) : (
        <div className="prose">
          {turn.content}
          {isComing && '▍'}
        </div>
      )}
    </div>
  )
}
